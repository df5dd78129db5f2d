import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { expectSent, Stage } from './stage.js'

/** Records that carry a run of messages. */
export const frames: Scenario = {
  name: 'framed',
  against: 'a run that is finished as one, or given up because one log has it damaged',
  play: async () => {
    await partlyFinished()
    await overlapped()
    await damagedInOneLog()
    await damagedInBoth()
    await burst()
  },
}

/** Of a frame every other one is finished and the rest in hands when the process dies (seed 102000251). */
async function partlyFinished(): Promise<void> {
  const stage = new Stage()
  let hangs = true
  const group = await stage.group('balances', {
    handle: ({ text }) => (hangs && Number(text) % 2 === 0 ? 'never' : 'at-once'),
  })
  for (const cluster of [stage.east, stage.west]) stage.write(cluster, 'f1…8 9')
  await stage.pass(1_000)
  group.expectDelivered('1…9')
  hangs = false
  await group.restart()
  await stage.settle()
  group.expectDelivered('2 4 6 8')
}

/** Some of it was written before by itself, or was voided: only the rest is delivered. */
async function overlapped(): Promise<void> {
  const stage = new Stage()
  const group = await stage.group('balances')
  stage.write(stage.east, '1 2 v5 f1…6')
  stage.write(stage.west, 'v5 f3…6 7')
  await stage.settle()
  group.expectDelivered('1…4 6 7')
}

async function damagedInOneLog(): Promise<void> {
  const stage = new Stage()
  const group = await stage.group('balances')
  stage.write(stage.east, 'f1…3! 4')
  stage.write(stage.west, 'f1…3 4')
  await stage.settle()
  group.expectDelivered('1…4')
  group.expectEvents('frame-malformed', 1)
  group.expectEvents('debt-opened', 0)
}

/** Nobody can tell its messages apart: it is one delivery, finished when whoever keeps it has it. */
async function damagedInBoth(): Promise<void> {
  const stage = new Stage()
  const group = await stage.group('balances')
  for (const cluster of [stage.east, stage.west]) stage.write(cluster, 'f1…3! 4')
  await stage.settle()
  assert.deepEqual(group.delivered, ['f1…3!', '4'])
  const [whole] = group.consumer.deliveries
  assert.equal(whole!.delivery.position.counter, 1)
  assert.throws(() => whole!.delivery.value, { code: 'TANDEM_FRAME_MALFORMED' })
  assert.equal(group.consumer.consumer.status().partitions[0]!.highWater, 4)
  await group.restart()
  await stage.settle()
  group.expectDelivered()
}

/** More comes at once than memory has room for, while the disk is slow: it waits at the door (seed 101000149). */
async function burst(): Promise<void> {
  const stage = new Stage()
  const ledger = await stage.producer('ledger', {
    options: {
      topics: { entries: { framing: 'frame' } },
      journal: { path: '/ledger', mode: 'always' },
      whenBothAway: { policy: 'journal' },
      backlogBytesMax: BACKLOG_BYTES_MAX,
    },
  })
  for (const cluster of [stage.east, stage.west]) cluster.hang()
  stage.world.disk.slow(100)
  const sent = ledger.queue(60, { headers: { padding: 'x'.repeat(4_000) } })
  let peak = 0
  for (let i = 0; i < 200; i++) {
    await stage.pass(50)
    for (const { backlog } of Object.values(ledger.producer.status().clusters)) peak = Math.max(peak, backlog.bytes)
  }
  expectSent('resolved', ...sent)
  // What waits for the disk may be a quarter more, and the frame with which that is reached.
  assert.ok(peak > BACKLOG_BYTES_MAX && peak <= BACKLOG_BYTES_MAX * (1 + 1 / 4 + 1 / 8), `${peak} bytes`)
  for (const cluster of [stage.east, stage.west]) cluster.heal()
  await stage.settle()
  assert.equal(ledger.producer.status().journal!.entries, 0)
}

const BACKLOG_BYTES_MAX = 65_536
