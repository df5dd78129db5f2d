import { expect } from 'chai'
import { setTimeout as sleep } from 'node:timers/promises'

import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { until } from './program.js'
import { publish } from './publisher.js'
import { clustersOf, createTopic, realClusters, type RealClusters } from './real-clusters.js'
import { subscribe } from './subscriber.js'

/** I1, I2, I3 and I5 on real clusters: one broker goes under load and comes back. */
describe('no loss, no duplicate, in order, when a broker', function () {
  this.timeout(180_000)
  let real: RealClusters

  before(async () => {
    real = await realClusters()
  })

  it('is killed with SIGKILL and returns', () =>
    survives('killed', async () => {
      await real.east.kill()
      await sleep(12_000)
      await real.east.restart()
    }))

  it('hangs and goes on', () =>
    survives('hung', async () => {
      await real.west.hang()
      await sleep(12_000)
      await real.west.resume()
    }))

  it('is killed with SIGKILL and returns, with messages that share records', () =>
    survives(
      'framed',
      async () => {
        await real.west.kill()
        await sleep(12_000)
        await real.west.restart()
      },
      'frame',
    ))

  async function survives(
    name: string,
    fault: () => Promise<void>,
    framing: 'record' | 'frame' = 'record',
  ): Promise<void> {
    const files = new LedgerFiles()
    const topic = await createTopic(real, name)
    const clusters = clustersOf(real)
    const events: string[] = []
    const subscriber = await subscribe(
      { clusters, topic, groupId: `balances-${name}`, effects: files.effects, redisUrl: real.redis.url },
      ({ kind }) => events.push(kind),
    )
    const load = { clusters, topic, acknowledgements: files.acknowledgements, first: 1, count: 12_000, framing }
    // All receipts are settled when publishing ends: both logs are complete by then.
    const published = publish({ ...load, ratePerSecond: 600, accounts: ACCOUNTS }, (kind) => events.push(kind))
    await sleep(2_000)
    await fault()
    const report = await published
    expect(report).to.deep.equal({ sent: 12_000, acknowledged: 12_000, rejected: 0 })
    await until('all is delivered', () => subscriber.consumer.status().delivered >= 12_000)
    await sleep(500)
    await subscriber.close()

    const verdict = await files.judge(12_000)
    expect(verdict).to.deep.equal({
      sent: 12_000,
      acknowledged: 12_000,
      delivered: 12_000,
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
      late: 0,
      booksBalance: true,
    })
    const logs = await files.judgeLogs(real, topic)
    expect([logs.east.missing, logs.west.missing]).to.deep.equal([0, 0])
    expect(events).to.include.members(['circuit-opened', 'circuit-closed', 'lane-away', 'lane-returned', 'feed-away'])
    files.remove()
  }
})
