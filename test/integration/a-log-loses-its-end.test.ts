import type { TandemEvent } from '@tandem/common'
import { expect } from 'chai'

import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { linesOf, Program, until } from './program.js'
import type { PublisherReport } from './publisher.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'
import { subscribe } from './subscriber.js'

/** Damaged logs, on real clusters (docs/position.md). */
describe('no loss, no duplicate, when a cluster loses the end of its logs and fills them again', function () {
  this.timeout(180_000)

  for (const reads of ['while nobody reads', 'while the group reads'] as const) {
    it(reads, async () => {
      const real = await realClusters()
      const files = new LedgerFiles()
      const topic = await createTopic(real, `tail-lost-${reads === 'while nobody reads' ? 'unread' : 'read'}`)
      const clusters = clustersOf(real)
      const redisUrl = real.redis.url
      const events: TandemEvent[] = []
      const group = { clusters, topic, groupId: 'balances', effects: files.effects, redisUrl }
      const load = { clusters, topic, acknowledgements: files.acknowledgements, accounts: ACCOUNTS, redisUrl }
      const publishers: Promise<PublisherReport>[] = []
      const publish = async (first: number, count: number): Promise<void> => {
        const before = linesOf(files.acknowledgements)
        const publisher = new Program('publisher', { ...load, first, count, ratePerSecond: 1_000 })
        publishers.push(publisher.report<PublisherReport>())
        await until('all is acknowledged', () => linesOf(files.acknowledgements) === before + count)
      }

      let subscriber = await subscribe(group, (event) => events.push(event))
      await publish(1, 2_000)
      await until('all of that has had its effect', () => linesOf(files.effects) === 2_000)
      // Up to here the log is known again by what is stored at the latest when it closes.
      await subscriber.close()
      subscriber = await subscribe(group, (event) => events.push(event))
      await real.east.dump()
      await publish(2_001, 500)
      await until('all of that has had its effect', () => linesOf(files.effects) === 2_500)
      if (reads === 'while nobody reads') await subscriber.close()
      // What the east had got last is gone; what comes next lies where it was, and nowhere else.
      await real.east.kill()
      await real.west.hang()
      await real.east.restart({ from: 'dump' })
      await publish(2_501, 1_500)
      if (reads === 'while nobody reads') subscriber = await subscribe(group, (event) => events.push(event))
      await until('all that was acknowledged has had its effect', () => files.complete(4_000))
      await subscriber.close()
      await real.west.resume()
      const reports = await Promise.all(publishers)
      expect(reports.map(({ rejected }) => rejected)).to.deep.equal([0, 0, 0])

      const { lost, duplicated } = await files.judge(4_000)
      expect({ lost, duplicated }).to.deep.equal({ lost: 0, duplicated: 0 })
      const truncated = events.filter((event) => event.kind === 'log-truncated')
      expect(truncated.map(({ cluster }) => cluster)).to.include('east')
      // It goes back to where the log changed, as near as marks are, and not to its start.
      expect(truncated.every(({ to }) => to > 0)).to.equal(true)
      files.remove()
    })
  }
})
