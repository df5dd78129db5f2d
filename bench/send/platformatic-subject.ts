/** The same load by two producers of @platformatic/kafka: as its users write it, with every option at its default. */
import { STAMP_HEADER } from '@tandem/common/internal'

import { peer } from '../peers.js'
import { runBatches, type LoadResult } from './load.js'
import { KEYS, STAMP, type SendOrder } from './order.js'
import { callsOf } from './subjects.js'

export async function runPlatformatic({ clusters, topic, load, valueBytes, way }: SendOrder): Promise<LoadResult> {
  const { Producer } = await peer<Platformatic>('@platformatic/kafka')
  const producers = Object.values(clusters).map((address: string) => {
    return new Producer({ clientId: 'bench', bootstrapBrokers: [address] })
  })
  const keys = Array.from({ length: KEYS }, (_, index) => Buffer.from(`acct-${index}`))
  const value = Buffer.alloc(valueBytes, 'x')
  const headers = new Map([[Buffer.from(STAMP_HEADER), Buffer.from(STAMP)]])
  const calls = callsOf(way)
  const result = await runBatches(load, calls, (first, done) => {
    const messages = Array.from({ length: calls.size }, (_, index) => {
      return { topic, key: keys[(first + index) % KEYS]!, value, headers }
    })
    void Promise.all(producers.map((producer) => producer.send({ messages }))).then(done)
  })
  await Promise.all(producers.map((producer) => producer.close()))
  return result
}

/** What is used of it. */
interface Platformatic {
  readonly Producer: new (options: object) => PlatformaticProducer
}

interface PlatformaticProducer {
  send(batch: { readonly messages: readonly object[] }): Promise<unknown>
  close(): Promise<void>
}
