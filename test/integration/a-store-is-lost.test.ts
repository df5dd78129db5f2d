import { expect } from 'chai'
import { RedisServer } from '@tandem/testing'
import { Redis } from 'ioredis'

import { readEffects } from './flushed-positions.js'
import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { until } from './program.js'
import { publish } from './publisher.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'
import { subscribe } from './subscriber.js'

/** I1 and I2 on real clusters: what the clusters have as commits is all that is left of a group. */
describe('no loss when Redis is emptied while no consumer runs', function () {
  this.timeout(120_000)

  it('and again only what is less than 1,000 records below a commit', async () => {
    const real = await realClusters()
    await using redis = await RedisServer.start()
    const files = new LedgerFiles()
    const topic = await createTopic(real, 'store-lost')
    const clusters = clustersOf(real)
    const load = { clusters, topic, acknowledgements: files.acknowledgements, ratePerSecond: 4_000, accounts: ACCOUNTS }
    const options = { clusters, topic, groupId: 'balances', effects: files.effects, fallbackRewindMs: 0 }
    const recovered: string[] = []
    await publish({ ...load, first: 1, count: 12_000 })
    const first = await subscribe(options, undefined, new Redis(redis.url))
    await until('the first part is read from both', () => {
      const { delivered, duplicatesDropped } = first.consumer.status()
      return delivered === 12_000 && duplicatesDropped === 12_000
    })
    await first.close()

    await redis.kill()
    await redis.restart({ empty: true })
    await publish({ ...load, first: 12_001, count: 3_000 })
    const second = await subscribe(
      options,
      ({ kind, ...event }) => {
        if (kind === 'position-recovered' && 'cluster' in event) recovered.push(event.cluster)
      },
      new Redis(redis.url),
    )
    const numbers = async (): Promise<Set<number>> =>
      new Set((await readEffects(files.effects)).map(({ number }) => number))
    await until('all is delivered', async () => (await numbers()).size === 15_000)
    await second.close()

    const { lost, outOfOrder } = await files.judge(15_000)
    expect({ lost, outOfOrder }).to.deep.equal({ lost: 0, outOfOrder: 0 })
    expect(recovered.sort()).to.deep.equal([...Array(PARTITIONS).fill('east'), ...Array(PARTITIONS).fill('west')])
    const again = (await readEffects(files.effects)).slice(12_000).filter(({ number }) => number <= 12_000)
    expect(again.length).to.be.within(1, PARTITIONS * 1_000)
    files.remove()
  })
})

const PARTITIONS = 4
