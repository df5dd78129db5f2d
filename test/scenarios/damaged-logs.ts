import assert from 'node:assert/strict'

import type { SimulatedCluster } from '../simulation/cluster.js'
import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** Rows about logs that lost their end in a power failure. */
export const damagedLogs: readonly Scenario[] = [
  {
    name: 'refilled-tail',
    against: 'a resume offset believed, whatever stands there now',
    play: async () => {
      for (const refill of [2, 5, 9]) {
        for (const reader of ['crashes', 'is cut off', 'stands still', 'reads on'] as const) {
          await refilledTail(reader, refill)
        }
      }
      for (const reader of ['crashes', 'reads on'] as const) await sameAtItsPlace(reader)
      await lostForGood()
      await lostTwice()
      await readAhead()
    },
  },
]

/**
 * East's client has read ahead while the window was full, and nothing of that log was looked at yet: what comes to stand in
 * the place of what it has is read all the same.
 */
async function readAhead(): Promise<void> {
  const stage = new Stage({ topics: { entries: 2 } })
  const { east, west } = stage
  const options = { unacknowledgedMax: 1 }
  const group = await stage.group('balances', { options, partitions: 2, handle: () => 'never' })
  for (const cluster of [east, west]) stage.write(cluster, 'Y1', 1)
  await stage.pass(1_000)
  stage.write(east, 'X1')
  await stage.pass(1_000)
  east.kill()
  await stage.pass(2_000)
  east.log('entries').truncate(0)
  east.restart()
  stage.write(east, 'X2:1')
  await stage.pass(5_000)
  for (let acknowledged = 0; acknowledged < group.consumer.deliveries.length; acknowledged++) {
    group.consumer.acknowledge(group.consumer.deliveries[acknowledged]!)
    await stage.settle()
  }
  group.expectDelivered('Y1 X2:1')
}

/** East loses 6 to 10, which the group has had, and others come to stand there before it reads on. */
async function refilledTail(
  reader: 'crashes' | 'is cut off' | 'stands still' | 'reads on',
  refill: number,
): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  for (const cluster of [east, west]) stage.write(cluster, '1…10')
  const group = await stage.group('balances')
  await stage.pass(2_000)
  west.kill()
  const { process } = group.consumer
  if (reader === 'crashes') group.crash()
  if (reader === 'is cut off') east.cutOff(process)
  if (reader === 'stands still') process.stop()
  await stage.pass(500)
  await loseTail(stage, east, 5)
  stage.write(east, `11…${10 + refill}`)
  await stage.pass(20_000)
  if (reader === 'crashes') await group.restart()
  if (reader === 'is cut off') east.reconnect(process)
  if (reader === 'stands still') process.continue()
  await stage.settle()
  if (reader === 'crashes') group.expectDelivered(`11…${10 + refill}`)
  else group.expectDelivered(`1…10 11…${10 + refill}`)
  const [told] = group.events('log-truncated')
  assert.deepEqual([told?.kind, 'cluster' in told! && told.cluster], ['log-truncated', 'east'], `reader ${reader}`)
  // Marks are as far apart as flushes are; it is not the start of the log that it goes back to.
  assert.equal(group.events('log-truncated').length, 1)
}

/** What was not acknowledged is written again, and comes to stand where it stood, behind others that nobody has read. */
async function sameAtItsPlace(reader: 'crashes' | 'reads on'): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  for (const cluster of [east, west]) stage.write(cluster, '1…10')
  const group = await stage.group('balances')
  await stage.pass(2_000)
  west.kill()
  if (reader === 'crashes') group.crash()
  await loseTail(stage, east, 5)
  stage.write(east, '11…14 10 15')
  if (reader === 'crashes') await group.restart()
  await stage.settle()
  if (reader === 'crashes') group.expectDelivered('11…15')
  else group.expectDelivered('1…15')
}

/** What both lost before it was read stays a debt, and is counted. */
async function lostForGood(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  for (const cluster of [east, west]) stage.write(cluster, '1…10')
  const group = await stage.group('balances')
  await stage.pass(2_000)
  group.crash()
  for (const cluster of [east, west]) {
    stage.write(cluster, '11 12')
    await loseTail(stage, cluster, 5)
    stage.write(cluster, '13 14')
  }
  await group.restart()
  await stage.settle()
  group.expectDelivered('13 14')
  const owed = group.events('debt-opened').map((event) => ('count' in event ? event.count : 0))
  assert.deepEqual(owed, [2])
  group.expectEvents('log-truncated', 2)
}

/** Again and again, each time with something else behind it. */
async function lostTwice(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  stage.write(east, '1…10')
  const group = await stage.group('balances')
  await stage.pass(2_000)
  await loseTail(stage, east, 8)
  stage.write(east, '11…14')
  await stage.pass(2_000)
  await loseTail(stage, east, 4)
  stage.write(east, '15…30')
  stage.write(west, '1…30')
  await stage.settle()
  group.expectDeliveredInAll('1…30')
}

async function loseTail(stage: Stage, cluster: SimulatedCluster, offset: number): Promise<void> {
  cluster.kill()
  cluster.log(stage.world.topics[0]!).truncate(offset)
  await stage.pass(STARTS_MS)
  cluster.restart()
}

/** A broker does not start again before its connections are known to be lost. */
const STARTS_MS = 2_000
