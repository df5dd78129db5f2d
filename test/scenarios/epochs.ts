import assert from 'node:assert/strict'

import { everyInterleaving } from './arrivals.js'
import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** Rows about epochs, as two logs show them. */
export const epochs: readonly Scenario[] = [
  {
    name: 'only-other-log',
    against: 'what an older epoch still brings dropped',
    play: () =>
      everyInterleaving({ A: '2:1…5 3:1', B: '2:1…6' }, ({ group }) => {
        group.expectDeliveredInAll('2:1…6 3:1')
        group.expectBeforeOrLate('2:6', '3:1')
      }),
  },
  {
    name: 'first-sight',
    against: 'a stream begun with the first sequence that is seen of it',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      stage.write(east, '2:1')
      stage.write(west, '1:1 2:1')
      west.slow(500, 'read')
      const group = await stage.group('balances')
      await stage.settle()
      group.expectDelivered('1:1 2:1')
    },
  },
  {
    name: 'older-held',
    against: 'a newer epoch begun while something older is held',
    play: async () => {
      const stage = new Stage()
      const group = await stage.group('balances')
      for (const cluster of [stage.east, stage.west]) stage.write(cluster, '1:1 1:3 2:1')
      // Both logs have shown the newer epoch: nobody will write 1:2 in order any more, and no gap is waited for.
      await stage.pass(1_000)
      group.expectDelivered('1:1 1:3 2:1')
      await olderHeldUntilTheGapHasPassed()
    },
  },
  {
    name: 'many-epochs',
    against: 'a wait for each epoch that is read again',
    play: async () => {
      const epochs = Array.from({ length: 200 }, (_, index) => `${index + 1}:1 ${index + 1}:2`).join(' ')
      for (const onlyOneLog of [false, true]) {
        const stage = new Stage()
        stage.write(stage.east, epochs)
        if (!onlyOneLog) stage.write(stage.west, epochs)
        const group = await stage.group('balances')
        const begunAtMs = stage.world.now
        await stage.world.until(() => group.delivered.length === 400, 60_000)
        group.expectDelivered(epochs)
        const tookMs = stage.world.now - begunAtMs
        assert.ok(tookMs < ONE_END_QUERY_MS, `200 epochs took ${tookMs} ms`)
      }
    },
  },
]

/** The west shows the newer epoch later, and until then may yet bring 1:2. */
async function olderHeldUntilTheGapHasPassed(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const group = await stage.group('balances')
  stage.write(east, '1:1 1:3 2:1')
  stage.write(west, '1:1 1:3')
  await stage.pass(3_000)
  group.expectDelivered('1:1')
  await stage.pass(3_000)
  group.expectDelivered('1:1 1:3 2:1')
  stage.write(west, '2:1')
  await stage.settle()
  group.expectDelivered('1:1 1:3 2:1')
}

/** It is due 100 ms after the one before, and answered in a few; half a second leaves room for the reading. */
const ONE_END_QUERY_MS = 500
