import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** What is forgotten of sequences that come no more, and when one comes all the same. */
export const expiry: Scenario = {
  name: 'reopened',
  against: 'forgetting what a log still has, or owing what was forgotten',
  play: async () => {
    await reopened()
    await leftInALog()
    await behindAHandler()
  },
}

/** Both logs have lost it to retention, and it is old enough: it is forgotten, also by the store, and comes again. */
async function reopened(): Promise<void> {
  const stage = new Stage(OLD_SOON)
  const { east, west } = stage
  const group = await stage.group('balances')
  for (const cluster of [east, west]) stage.write(cluster, 'X1 X2 X3 Y1')
  await stage.pass(50 * MINUTE_MS)
  for (const cluster of [east, west]) cluster.log(stage.world.topics[0]!).moveStart(4)
  await stage.pass(8 * MINUTE_MS)
  group.expectEvents('sequences-expired', 0)
  for (const cluster of [east, west]) stage.write(cluster, 'Y2')
  await stage.pass(8 * MINUTE_MS)
  group.expectEvents('sequences-expired', 1)
  assert.equal(group.consumer.consumer.status().partitions[0]!.streams, 1, 'only Y is known')
  await group.restart()
  assert.equal(group.consumer.consumer.status().partitions[0]!.streams, 1, 'also to the store')
  for (const cluster of [east, west]) stage.write(cluster, 'X7 X8 Y3')
  await stage.settle()
  group.expectDeliveredInAll('X7 X8 Y3')
  group.expectBeforeOrLate('X7', 'X8')
  group.expectEvents('sequence-reopened', 1)
  group.expectEvents('debt-opened', 0)
}

/** One log has it still: who begins to read there again is not to be given it again. */
async function leftInALog(): Promise<void> {
  const stage = new Stage(OLD_SOON)
  const { east, west } = stage
  const group = await stage.group('balances')
  for (const cluster of [east, west]) stage.write(cluster, 'X1 X2 X3')
  await stage.pass(70 * MINUTE_MS)
  west.log(stage.world.topics[0]!).moveStart(3)
  await stage.pass(5 * MINUTE_MS)
  // East loses its end, and is read again from its start.
  east.kill()
  east.log(stage.world.topics[0]!).truncate(1)
  await stage.pass(2_000)
  east.restart()
  stage.write(east, 'X2 X3 X4')
  await stage.settle()
  group.expectDelivered('X1…4')
  group.expectEvents('sequences-expired', 0)
}

/** A handler hangs for longer than logs remember: what it has is finished when it is acknowledged, and not before. */
async function behindAHandler(): Promise<void> {
  const stage = new Stage(OLD_SOON)
  const { east, west } = stage
  const group = await stage.group('balances', { handle: ({ text }) => (text === 'X2' ? 'never' : 'at-once') })
  for (const cluster of [east, west]) stage.write(cluster, 'X1 X2 X3')
  await stage.pass(70 * MINUTE_MS)
  for (const cluster of [east, west]) cluster.log(stage.world.topics[0]!).moveStart(3)
  await stage.pass(5 * MINUTE_MS)
  group.expectEvents('sequences-expired', 0)
  group.consumer.acknowledge(group.consumer.deliveries.find(({ text }) => text === 'X2')!)
  await stage.pass(5 * MINUTE_MS)
  group.expectEvents('sequences-expired', 1)
  group.expectDelivered('X1…3')
}

const MINUTE_MS = 60_000
/** An hour instead of a day. */
const OLD_SOON = { pollTimeoutMs: 1_000, expiry: { everyMs: MINUTE_MS, ageMs: 60 * MINUTE_MS } }
