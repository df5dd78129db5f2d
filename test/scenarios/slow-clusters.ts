import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { expectSent, Stage } from './stage.js'

/** Rows about clusters that do answer, only slowly. */
export const slowClusters: readonly Scenario[] = [
  {
    name: 'slow-available',
    against: 'a send that waits without end behind a cluster that is merely slow',
    play: async () => {
      // Three records a request, four seconds each: the lane falls behind, and its circuit has no reason to open.
      const stage = new Stage({ writeRecordsMax: 3 })
      const { west } = stage
      const balances = await stage.group('balances')
      const ledger = await stage.producer('ledger', { options: { acknowledge: 'available' } })
      west.slow(2_000, 'write') // there and back
      const sent = await ledger.send(300)
      expectSent('resolved', ...sent)
      const longest = Math.max(...sent.map(({ atMs, closedAtMs }) => closedAtMs! - atMs))
      assert.ok(longest <= CIRCUIT_OPENS_MS, `a send took ${longest} ms`)
      ledger.expectEvents('circuit-opened', 0)
      balances.expectDelivered('1…300')
    },
  },
  {
    name: 'slow-answers',
    against: 'a cluster taken for away, or never begun, since answers take long and there are many questions',
    play: async () => {
      const stage = new Stage({ topics: { entries: 12 }, brokers: 3 })
      const { east, west } = stage
      for (const cluster of [east, west]) cluster.slow(700) // there and back
      const group = await stage.group('balances', { partitions: 12 })
      stage.write(east, '1 2 3')
      await stage.pass(60_000)
      stage.write(west, '1 2 3')
      await stage.settle()
      group.expectDelivered('1 2 3')
      group.expectEvents('feed-away', 0)
    },
  },
]

/** docs/protocol.md, Lanes and tracks 4, and a look at it. */
const CIRCUIT_OPENS_MS = 5_000 + 1_000
