import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { linesOf, Program, until } from './program.js'
import type { PublisherReport } from './publisher.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'
import { subscribe } from './subscriber.js'

/** I1, I2 and I3 on real clusters and a real disk. */
describe('no loss, no duplicate, in order, when both clusters hang and the producer is killed with SIGKILL', function () {
  this.timeout(180_000)

  it('and what was accepted on disk is written by its next life', async () => {
    const real = await realClusters()
    const files = new LedgerFiles()
    const topic = await createTopic(real, 'both-away')
    const clusters = clustersOf(real)
    const redisUrl = real.redis.url
    const folder = mkdtempSync(join(tmpdir(), 'tandem-journal-'))
    const journal = { path: join(folder, 'journal'), mode: 'on-outage' } as const
    const subscriber = await subscribe({ clusters, topic, groupId: 'balances', effects: files.effects, redisUrl })
    const load = { clusters, topic, acknowledgements: files.acknowledgements, accounts: ACCOUNTS, redisUrl, journal }

    const first = new Program('publisher', { ...load, first: 1, count: 100_000, ratePerSecond: 1_000 })
    await until('the publisher is at work', () => linesOf(files.acknowledgements) > 1_000)
    for (const cluster of [real.east, real.west]) await cluster.hang()
    const before = linesOf(files.acknowledgements)
    await until('the disk takes what no cluster does', () => linesOf(files.acknowledgements) > before + 5_000)
    await first.kill()
    const acknowledgedBefore = linesOf(files.acknowledgements)
    for (const cluster of [real.east, real.west]) await cluster.resume()

    const second = new Program('publisher', { ...load, first: 200_001, count: 1_000, ratePerSecond: 1_000 })
    const report = await second.report<PublisherReport>()
    expect(report).to.deep.equal({ sent: 1_000, acknowledged: 1_000, rejected: 0 })
    const acknowledged = acknowledgedBefore + 1_000
    await until('as many are delivered', () => subscriber.consumer.status().delivered >= acknowledged)
    await until('all is delivered', () => files.complete(acknowledged))
    await subscriber.close()

    const { lost, duplicated, outOfOrder } = await files.judge(acknowledged)
    expect({ lost, duplicated, outOfOrder }).to.deep.equal({ lost: 0, duplicated: 0, outOfOrder: 0 })
    files.remove()
    rmSync(folder, { recursive: true })
  })
})
