import { expect } from 'chai'

import type { FeedClientHandler } from './feed-client.js'
import { KafkaFeedClient } from './kafka-feed-client.js'

const HANDLER: FeedClientHandler = {
  handleConnected: () => undefined,
  handleConnectFailed: () => undefined,
  handleBatch: () => undefined,
  handlePollFailed: () => undefined,
}

describe('kafka feed client', () => {
  it('names a property that librdkafka does not know, or a value that it does not take', () => {
    for (const wrong of [{ 'fetch.min.bites': '1' }, { 'fetch.min.bytes': 'many' }] as Record<string, string>[]) {
      const properties = { 'bootstrap.servers': 'nowhere:9', ...wrong }
      const options = { cluster: 'east', groupId: 'g', properties, topics: ['t'], connectTimeoutMs: 100 }
      expect(() => new KafkaFeedClient(options, HANDLER))
        .to.throw(Object.keys(wrong)[0])
        .with.property('code', 'TANDEM_OPTIONS_INVALID')
    }
  })
})
