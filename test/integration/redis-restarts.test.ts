import { expect } from 'chai'
import { setTimeout as sleep } from 'node:timers/promises'

import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { until } from './program.js'
import { publish } from './publisher.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'
import { subscribe } from './subscriber.js'

/** I1, I2 and I3 on real clusters: the store goes and returns, with its data or without. */
describe('no loss, no duplicate, in order, when Redis is killed', function () {
  this.timeout(120_000)

  it('and restarted with its data, killed again and restarted empty', async () => {
    const real = await realClusters()
    const files = new LedgerFiles()
    const topic = await createTopic(real, 'redis')
    const clusters = clustersOf(real)
    const events: string[] = []
    const options = { clusters, topic, groupId: 'balances', effects: files.effects, redisUrl: real.redis.url }
    const subscriber = await subscribe(options, (kind) => events.push(kind))
    const load = { clusters, topic, acknowledgements: files.acknowledgements, first: 1, count: 12_000 }
    const published = publish({ ...load, ratePerSecond: 800, accounts: ACCOUNTS })
    await sleep(2_000)
    await real.redis.kill()
    await sleep(3_000)
    await real.redis.restart()
    await sleep(3_000)
    await real.redis.kill()
    await real.redis.restart({ empty: true })
    await published
    await until('all is delivered', () => subscriber.consumer.status().delivered >= 12_000)
    await subscriber.close()

    // A second life of the group: what the emptied store was told again is enough to begin after everything.
    const again = await subscribe(options)
    await sleep(2_000)
    expect(again.consumer.status().delivered).to.equal(0)
    await again.close()

    const { lost, duplicated, outOfOrder, delivered } = await files.judge(12_000)
    expect({ lost, duplicated, outOfOrder, delivered }).to.deep.equal({
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
      delivered: 12_000,
    })
    expect(events).to.include.members(['store-away', 'store-returned', 'store-behind'])
    files.remove()
  })
})
