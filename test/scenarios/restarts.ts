import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** Rows about what a group still knows after a crash. */
export const restarts: readonly Scenario[] = [
  {
    name: 'late-in-flight',
    against: 'a debt closed when it is delivered, not when that is finished',
    play: async () => {
      const stage = new Stage()
      const group = await stage.group('balances', { handle: ({ text }) => (text === '3' ? 'never' : 'at-once') })
      for (const cluster of [stage.east, stage.west]) stage.write(cluster, '1 2 4')
      await stage.pass(6_000)
      for (const cluster of [stage.east, stage.west]) stage.write(cluster, '3')
      await stage.pass(1_000)
      group.expectDelivered('1 2 4', 'late 3')
      await group.restart()
      await stage.settle()
      group.expectDelivered('late 3')
    },
  },
  {
    name: 'void-remembered',
    against: 'voids forgotten at a restart',
    play: async () => {
      for (const afterMs of [50, 300, 20_000]) {
        await voidRemembered(afterMs, '')
        await voidRemembered(afterMs, '5') // something after it, so that the void is behind the offset that is stored
      }
    },
  },
  {
    name: 'offset-not-pinned',
    against: 'a resume offset held by data that the same log had voided before',
    play: async () => {
      const stage = new Stage()
      const group = await stage.group('balances')
      stage.write(stage.east, '1 2 3 v4 4 5 6')
      stage.write(stage.west, '1 2 3 5 6')
      await stage.settle()
      group.expectDelivered('1 2 3 5 6')
      await group.restart()
      // What lies before is only compared.
      const { east, west } = group.consumer.consumer.status().partitions[0]!.feeds
      assert.deepEqual([east?.nextOffset, west?.nextOffset], [7, 5], 'where the next instance goes on')
    },
  },
  {
    name: 'frontier-in-flight',
    against: 'the frontier stored above what is in flight',
    play: async () => {
      const stage = new Stage()
      const group = await stage.group('balances', { handle: ({ text }) => (text === '1:1' ? 'never' : 'at-once') })
      for (const cluster of [stage.east, stage.west]) stage.write(cluster, '1:1 1:2 1:3')
      await stage.pass(1_000)
      group.expectDelivered('1:1 1:2 1:3')
      await group.restart()
      await stage.settle()
      group.expectDelivered('1:1')
    },
  },
  {
    name: 'stuck-handler',
    against: 'finished intervals not stored: everything behind the first that is not comes again',
    play: async () => {
      const stage = new Stage({ pollTimeoutMs: 1_000 })
      const messages = 3_000
      const group = await stage.group('balances', {
        handle: ({ text }) => (text === '10' ? 'never' : 'at-once'),
      })
      for (const cluster of [stage.east, stage.west]) stage.write(cluster, `1…${messages - 1}`)
      await stage.pass(AN_HOUR_MS)
      group.expectDelivered(`1…${messages - 1}`)
      for (const cluster of [stage.east, stage.west]) stage.write(cluster, String(messages))
      await stage.pass(50) // delivered, and not yet flushed
      await group.restart()
      await stage.settle()
      group.expectDelivered('10', String(messages))
    },
  },
]

async function voidRemembered(afterMs: number, next: string): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const steady = await stage.group('steady')
  const restarted = await stage.group('restarted')
  stage.write(east, '1…3 v4')
  stage.write(west, '1…3')
  await stage.pass(afterMs)
  for (const cluster of [east, west]) stage.write(cluster, next)
  await stage.pass(1_000)
  await restarted.restart()
  stage.write(east, '4')
  await stage.settle()
  steady.expectDelivered(`1…3 ${next}`)
  for (const seen of restarted.delivered) assert.notEqual(seen.replace('late ', ''), '4', 'a voided message came')
  steady.expectEvents('data-after-void', 1)
}

const AN_HOUR_MS = 3_600_000
