import assert from 'node:assert/strict'

import type { Stall } from '@tandem/consumer'
import { isTandemError } from '@tandem/common/internal'

import type { Scenario } from './scenario.js'
import { Stage, type Group } from './stage.js'

const STALL_TOLD_MS = 75_000

/** Rows about `order: 'strict'`. */
export const strict: readonly Scenario[] = [
  {
    name: 'strict-away-epoch',
    against: "a newer epoch begun without the word of a cluster that is away, with `order: 'strict'`",
    play: async () => {
      await awayEpoch()
      await awayHole()
      await skipped()
      await newerSkipped()
      await behindTheStart()
    },
  },
  {
    name: 'strict-crash',
    against: 'finished intervals of a newer epoch stored while an older one has deliveries in flight',
    play: async () => {
      const stage = new Stage()
      const group = await stage.group('balances', {
        options: { order: 'strict' },
        handle: ({ text }) => (text === '1:1' ? 'never' : 'at-once'),
      })
      for (const cluster of [stage.east, stage.west]) stage.write(cluster, '1:1 2:1 2:2 2:3')
      await stage.pass(3_000)
      group.expectDelivered('1:1 2:1 2:2 2:3')
      await group.restart()
      await stage.settle()
      group.expectDelivered('1:1 2:1 2:2 2:3')
    },
  },
]

async function awayEpoch(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  west.hang()
  const group = await stage.group('balances', { options: { order: 'strict' } })
  stage.write(east, '1:1 2:1')
  stage.write(west, '1:1 1:2 2:1')
  await stage.pass(STALL_TOLD_MS)
  group.expectDelivered()
  group.expectEvents('stream-stalled', 1)
  assert.deepEqual(stallOf(group).clusters, ['west'])
  west.heal()
  await stage.settle()
  group.expectDelivered('1:1 1:2 2:1')
  assert.ok(group.events('stream-resumed').length > 0)
  assert.deepEqual(group.consumer.consumer.status().partitions[0]!.stalls, [])
}

/** A hole is waited for, too, however long the cluster that may fill it is away. */
async function awayHole(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const group = await stage.group('balances', { options: { order: 'strict' } })
  for (const cluster of [east, west]) stage.write(cluster, '1')
  await stage.pass(1_000)
  west.hang()
  stage.write(east, '4 5')
  stage.write(west, '2 v3')
  await stage.pass(STALL_TOLD_MS)
  group.expectDelivered('1')
  const { first, count } = stallOf(group)
  assert.deepEqual([first, count], [2, 2])
  west.heal()
  await stage.pass(STALL_TOLD_MS)
  group.expectDelivered('1 2') // 3 may still come in the east
  stage.write(east, 'v3')
  await stage.settle()
  group.expectDelivered('1 2 4 5')
}

/** An operator has it go on; what was skipped is owed, also in the next life, and comes late. */
async function skipped(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  west.hang()
  const group = await stage.group('balances', { options: { order: 'strict' } })
  stage.write(east, '1:1 1:3 2:1')
  stage.write(west, '1:1 1:2 1:3 2:1')
  await stage.pass(STALL_TOLD_MS)
  const first = stallOf(group)
  await skip(stage, group, first)
  await stage.pass(1_000)
  group.expectDelivered('1:1')
  await assertUnknown(group, first)
  await stage.pass(STALL_TOLD_MS)
  const hole = stallOf(group)
  assert.deepEqual([hole.first, hole.count], [2, 1])
  await assertUnknown(group, { ...hole, first: 1 })
  await assertUnknown(group, { ...hole, topic: 'others' })
  await skip(stage, group, hole)
  await stage.pass(STALL_TOLD_MS)
  group.expectDelivered('1:1 1:3')
  await skip(stage, group, stallOf(group))
  await stage.pass(1_000)
  group.expectDelivered('1:1 1:3 2:1')
  await group.restart()
  west.heal()
  await stage.settle()
  group.expectDelivered('late 1:2')
}

/** An operator has a newer epoch begin though something is held of the older one meanwhile: that comes first. */
async function newerSkipped(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  west.hang()
  const group = await stage.group('balances', { options: { order: 'strict' } })
  stage.write(east, '1:1 2:1')
  await stage.pass(STALL_TOLD_MS)
  await skip(stage, group, stallOf(group))
  await stage.pass(STALL_TOLD_MS)
  const newer = stallOf(group)
  assert.equal(newer.count, 0)
  stage.write(west, '1:1 1:3 1:5')
  west.heal()
  await stage.pass(1_000)
  await skip(stage, group, newer)
  await stage.settle()
  group.expectDelivered('1:1 1:3 1:5 2:1')
}

/** What retention took from both logs is nothing to wait for. */
async function behindTheStart(): Promise<void> {
  const stage = new Stage()
  for (const cluster of [stage.east, stage.west]) {
    stage.write(cluster, '1 2 3 4')
    cluster.log(stage.world.topics[0]!).moveStart(2)
  }
  const group = await stage.group('balances', { options: { order: 'strict' } })
  await stage.settle()
  group.expectDelivered('3 4')
}

function stallOf(group: Group): Stall {
  const { stalls } = group.consumer.consumer.status().partitions[0]!
  assert.equal(stalls.length, 1, JSON.stringify(stalls))
  return stalls[0]!
}

async function skip(stage: Stage, group: Group, stall: Stall): Promise<void> {
  let done = false
  const skipping = group.consumer.consumer.skip(stall).then(() => (done = true))
  await stage.world.until(() => done, 1_000)
  assert.ok(done, 'a skip is stored')
  await skipping
}

async function assertUnknown(group: Group, stall: Stall): Promise<void> {
  const error: unknown = await group.consumer.consumer.skip(stall).catch((thrown: unknown) => thrown)
  assert.ok(isTandemError(error, 'TANDEM_HOLE_UNKNOWN'), String(error))
}
