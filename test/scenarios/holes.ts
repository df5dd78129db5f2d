import assert from 'node:assert/strict'

import { everyInterleaving } from './arrivals.js'
import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** Rows about holes, voids and what fills them: two logs and one group. */
export const holes: readonly Scenario[] = [
  {
    name: 'hole-filled',
    against: 'the naive high water: drop what is at or below the highest counter',
    play: () =>
      everyInterleaving({ A: '1 3', B: '1 2 3' }, ({ group, prompt }) => {
        group.expectDeliveredInAll('1 2 3')
        if (prompt) group.expectDelivered('1 2 3')
      }),
  },
  {
    name: 'void-then-data',
    against: 'data believed that the same log had voided before',
    play: () =>
      everyInterleaving({ A: '1 v2 2 3', B: '1 v2 3' }, ({ group }) => {
        group.expectDelivered('1 3')
        group.expectEvents('positions-rejected', 1)
      }),
  },
  {
    name: 'data-then-void',
    against: 'a void believed of what the same log had brought before',
    play: async () => {
      await everyInterleaving({ A: '1 2 v2 3', B: '1 v2 3' }, ({ group, prompt }) => {
        group.expectDeliveredInAll('1 2 3')
        if (prompt) group.expectDelivered('1 2 3')
      })
      // Held, when its void comes.
      await everyInterleaving({ A: '2 v2 1 3', B: 'v2 1 3' }, ({ group }) => group.expectDeliveredInAll('1 2 3'))
      await dataThenVoidInFlight()
    },
  },
  {
    name: 'written-after-gap',
    against: 'what the frontier has gone past counted as finished',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      const group = await stage.group('balances')
      for (const cluster of [east, west]) stage.write(cluster, '1 3')
      await stage.pass(4_900)
      group.expectDelivered('1')
      await stage.pass(1_000)
      group.expectDelivered('1 3')
      group.expectEvents('debt-opened', 1)
      for (const cluster of [east, west]) stage.write(cluster, '2')
      await stage.settle()
      group.expectDelivered('1 3', 'late 2')
      group.expectEvents('debt-paid', 1)
    },
  },
  {
    name: 'rewritten-start',
    against: 'a sequence begun at the first counter that it shows',
    play: () =>
      everyInterleaving({ A: '2 1', B: 'v1 2' }, ({ group, prompt }) => {
        group.expectDeliveredInAll('1 2')
        if (prompt) group.expectBeforeOrLate('1', '2')
      }),
  },
  {
    name: 'silent-end',
    against: 'a feed past a hole only when it has shown something beyond it',
    play: async () => {
      const stage = new Stage()
      const group = await stage.group('balances')
      stage.write(stage.east, 'v1 2')
      await stage.pass(6_000)
      group.expectDelivered('2')
      group.expectEvents('feed-away', 0)
    },
  },
  {
    name: 'many-holes',
    against: "a hole's clock started when the frontier reaches it",
    play: async () => {
      const stage = new Stage()
      const group = await stage.group('balances')
      for (const cluster of [stage.east, stage.west]) stage.write(cluster, '1 3 5 7 9 11 13 15 17 19')
      await stage.pass(6_000)
      group.expectDelivered('1 3 5 7 9 11 13 15 17 19')
      assert.ok(group.consumer.deliveries[1]!.atMs > 5_000, 'the gap timeout was waited for')
    },
  },
]

/** Delivered and not finished, when its void comes and the group crashes. */
async function dataThenVoidInFlight(): Promise<void> {
  const stage = new Stage()
  const group = await stage.group('balances', { handle: ({ text }) => (text === '2' ? 'never' : 'at-once') })
  for (const cluster of [stage.east, stage.west]) stage.write(cluster, '1')
  await stage.pass(100)
  stage.write(stage.east, '2')
  await stage.pass(100)
  group.expectDelivered('1 2')
  for (const cluster of [stage.east, stage.west]) stage.write(cluster, 'v2 3')
  await stage.settle()
  group.expectDelivered('1 2 3')
  await group.restart()
  await stage.settle()
  group.expectDelivered('2')
}
