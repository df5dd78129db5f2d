import { expect } from 'chai'

import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { linesOf, Program, until } from './program.js'
import type { PublisherReport } from './publisher.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'
import { subscribe } from './subscriber.js'

/** I1, I2 and I3 on real clusters: the next incarnation comes after the one that was killed. */
describe('no loss, no duplicate, in order, when a producer is killed with SIGKILL', function () {
  this.timeout(120_000)

  it('and started again under its producerId', async () => {
    const real = await realClusters()
    const files = new LedgerFiles()
    const topic = await createTopic(real, 'producer-killed')
    const clusters = clustersOf(real)
    const redisUrl = real.redis.url
    const subscriber = await subscribe({ clusters, topic, groupId: 'balances', effects: files.effects, redisUrl })
    const load = { clusters, topic, acknowledgements: files.acknowledgements, accounts: ACCOUNTS, redisUrl }

    const first = new Program('publisher', { ...load, first: 1, count: 100_000, ratePerSecond: 1_000 })
    await until('the publisher is at work', () => linesOf(files.acknowledgements) > 2_000)
    await first.kill()
    const acknowledgedBefore = linesOf(files.acknowledgements)

    const second = new Program('publisher', { ...load, first: 200_001, count: 3_000, ratePerSecond: 1_000 })
    const report = await second.report<PublisherReport>()
    expect(report).to.deep.equal({ sent: 3_000, acknowledged: 3_000, rejected: 0 })
    const acknowledged = acknowledgedBefore + 3_000
    await until('as many are delivered', () => subscriber.consumer.status().delivered >= acknowledged)
    await until('all is delivered', () => files.complete(acknowledged))
    await subscriber.close()

    const { lost, duplicated, outOfOrder } = await files.judge(acknowledged)
    expect({ lost, duplicated, outOfOrder }).to.deep.equal({ lost: 0, duplicated: 0, outOfOrder: 0 })
    expect(acknowledgedBefore, 'it was killed in the middle of its work').to.be.within(2_000, 99_000)
    files.remove()
  })
})
