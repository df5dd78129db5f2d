import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { Stage, type Group } from './stage.js'

/** Rows about a store that is slow, or that forgets, while its holder lives. */
export const store: readonly Scenario[] = [
  {
    name: 'late-flush',
    against: 'a flush without its number',
    play: async () => {
      const stage = new Stage()
      const { store } = stage.world
      const group = await stage.group('balances')
      writeBoth(stage, '1')
      store.delayNext(3_000) // longer than the client waits before it goes on with the next one
      await stage.pass(1_000)
      writeBoth(stage, '2 3')
      await stage.pass(1_500)
      assert.equal(store.calls.flush, 1, 'the next flush is executed before the slow one')
      await stage.pass(1_500)
      assert.equal(store.calls.flush, 2, 'and then the slow one')
      group.expectDelivered('1 2 3')
      group.crash()
      await group.restart()
      await stage.settle()
      group.expectDelivered()
    },
  },
  {
    name: 'store-rollback',
    against: 'only what changed written to a store that forgot more',
    play: () => each((stage) => stage.world.store.rollBack(1_000)),
  },
  {
    name: 'store-emptied',
    against: 'a flush answered as stored by a store that is empty',
    play: () => each((stage) => stage.world.store.empty()),
  },
]

/** Under load, and when nothing comes any more. */
async function each(forget: (stage: Stage) => void): Promise<void> {
  await forgetful(forget)
  await forgetfulInPeace(forget)
}

/** Nothing is flushed after the store forgets: only a renewal can notice. */
async function forgetfulInPeace(forget: (stage: Stage) => void): Promise<void> {
  const stage = new Stage()
  const group = await stage.group('balances')
  await load(stage, 'X').write(100)
  await stage.pass(500)
  forget(stage)
  await stage.pass(5_000)
  group.expectDelivered('X1…100')
  const before = group.consumer
  await group.restart()
  await stage.settle()
  group.expectDelivered()
  assert.equal(before.count('store-behind'), 1, 'the holder was told that the store forgot')
}

/**
 * Two streams: X has its last message just before the store forgets, Y goes on. The holder must not notice, and the
 * next one must find both whole.
 */
async function forgetful(forget: (stage: Stage) => void): Promise<void> {
  const stage = new Stage()
  const group = await stage.group('balances')
  const y = load(stage, 'Y')
  writeBoth(stage, 'X1 X2 X3')
  await y.write(100)
  writeBoth(stage, 'X4 X5')
  await y.write(20)
  forget(stage)
  await y.write(100)
  await stage.pass(2_000)
  expectInOrder(group, 220)
  for (const kind of ['debt-opened', 'lease-lost', 'flush-refused'] as const) group.expectEvents(kind, 0)
  const before = group.consumer
  await group.restart()
  await stage.settle()
  group.expectDelivered()
  assert.equal(before.count('store-behind'), 1, 'the holder was told that the store forgot')
}

function load(stage: Stage, sequence: string): { write(count: number): Promise<void> } {
  let counter = 0
  return {
    write: async (count) => {
      for (let i = 0; i < count; i++) {
        writeBoth(stage, `${sequence}${++counter}`)
        await stage.pass(20)
      }
    },
  }
}

function writeBoth(stage: Stage, log: string): void {
  for (const cluster of [stage.east, stage.west]) stage.write(cluster, log)
}

function expectInOrder(group: Group, count: number): void {
  const of = (sequence: string): string[] => group.delivered.filter((text) => text.startsWith(sequence))
  assert.deepEqual(of('X'), ['X1', 'X2', 'X3', 'X4', 'X5'])
  assert.deepEqual(
    of('Y'),
    Array.from({ length: count }, (_, index) => `Y${index + 1}`),
  )
}
