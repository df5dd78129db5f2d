import assert from 'node:assert/strict'

import type { ImportReport, ProducerOptions } from '@tandem/producer'

import type { Scenario } from './scenario.js'
import type { SimulatedCluster } from '../simulation/cluster.js'
import { expectSent, logOf, Stage, type Writer } from './stage.js'

/** The row about dead letters. */
export const importing: readonly Scenario[] = [
  {
    name: 'import',
    against: 'a dead letter sent again although a log has its message, or though it was sent again already',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      const balances = await stage.group('balances')
      const first = await stage.producer('ledger', { options: LETTERS })
      expectSent('resolved', ...(await first.send(2)))

      // 3 lies in the sockets of both: the east reads it when it goes on, the west never does.
      west.lateAppendPercent = 0
      for (const cluster of [east, west]) cluster.hang()
      const lost = first.queue(1)
      await stage.pass(15_000)
      expectSent('unknown', ...lost)
      first.expectEvents('dead-letter-kept', 1)
      // This process would still write it, so there is nothing to ask.
      assert.deepEqual(await imported(stage, first), { ...NONE, pending: 1 })
      first.crash()
      for (const cluster of [east, west]) cluster.heal()

      // 4 gets into no log.
      const second = await stage.producer('ledger', { options: LETTERS })
      await stage.pass(LATE_MS)
      east.lateAppendPercent = 0
      for (const cluster of [east, west]) cluster.hang()
      const nowhere = second.queue(1)
      await stage.pass(15_000)
      expectSent('unknown', ...nowhere)
      second.crash()
      for (const cluster of [east, west]) cluster.heal()

      // With one cluster away, only what the other one has is known.
      const third = await stage.producer('ledger', { options: LETTERS })
      west.hang()
      assert.deepEqual(await imported(stage, third, 20_000), { ...NONE, found: 1, undecided: 1 })
      west.heal()
      await stage.pass(15_000)
      // The disk says so late: the process dies with the letter named anew and its message with no lane.
      stage.world.disk.slow(200)
      const epoch = (): number => [...stage.world.disk.letters()][0]!.position.epoch
      const before = epoch()
      third.simulated.import(60_000)
      assert.ok(await stage.world.until(() => epoch() > before, 60_000))
      third.crash()
      stage.world.disk.heal()

      const fourth = await stage.producer('ledger', { options: LETTERS })
      assert.deepEqual(await imported(stage, fourth), { ...NONE, sent: 1 })
      assert.deepEqual(await imported(stage, fourth), NONE)
      assert.equal(fourth.producer.status().journal!.deadLetters, 0)
      assert.deepEqual([...stage.world.disk.letters()], [])
      fourth.expectEvents('dead-letter-imported', 1)
      await stage.settle()
      balances.expectDeliveredInAll('1…4')
      for (const cluster of [east, west]) {
        assert.equal(logOf(cluster, 'entries').filter((text) => text === '4').length, 1, `4 in ${cluster.name}`)
      }
    },
  },
  {
    name: 'import-once',
    against: 'an entry of the journal written by the next life although its message was imported',
    play: async () => {
      await withEntry()
      await withLetter()
      for (let seed = 0; seed < 40; seed++) await withBoth(seed)
    },
  },
]

/** The process dies before the disk says that nobody needs the entries any more. */
async function withEntry(): Promise<void> {
  const stage = new Stage()
  const clusters = [stage.east, stage.west]
  const balances = await stage.group('balances')
  const options: Partial<ProducerOptions> = { ...LETTERS, journal: { path: '/ledger', mode: 'always' } }
  const refuse = (): void => {
    for (const cluster of clusters) cluster.refuse(({ value }) => value?.toString() === '2')
  }
  const first = await stage.producer('ledger', { options })
  refuse()
  first.queue(2)
  await stage.world.until(() => [...stage.world.disk.letters()].length > 0, 60_000)
  for (const cluster of clusters) cluster.heal()
  assert.deepEqual(await imported(stage, first), { ...NONE, sent: 1 })
  // Both clusters have it now. That nobody needs the entries any more is not on disk yet, and dies with the process.
  await stage.pass(30)
  first.crash()
  refuse()
  const second = await stage.producer('ledger', { options })
  await stage.pass(5_000)
  for (const cluster of clusters) cluster.heal()
  // Refused again, it became a letter again, with the position under which the logs have it.
  assert.deepEqual(await imported(stage, second), { ...NONE, found: 1 })
  await stage.settle()
  balances.expectDeliveredInAll('1 2')
  assert.equal(second.producer.status().journal!.entries, 0)
}

/** It dies when both logs have the message, before anybody says so, and with that the letter is there still. */
async function withLetter(): Promise<void> {
  const stage = new Stage()
  const clusters = [stage.east, stage.west]
  const balances = await stage.group('balances')
  const first = await stage.producer('ledger', { options: LETTERS })
  for (const cluster of clusters) cluster.refuse(() => true)
  first.queue(1)
  await stage.world.until(() => [...stage.world.disk.letters()].length > 0, 60_000)
  for (const cluster of clusters) cluster.heal()
  first.simulated.import(60_000)
  const hasIt = (cluster: SimulatedCluster): boolean => logOf(cluster, 'entries').includes('1')
  assert.ok(await stage.world.until(() => clusters.every(hasIt), 60_000))
  first.crash()
  const second = await stage.producer('ledger', { options: LETTERS })
  assert.deepEqual(await imported(stage, second), { ...NONE, found: 1 })
  await stage.settle()
  balances.expectDelivered('1')
}

/** It dies at any moment of sending it again, and what the disk has of that is refused once more by both. */
async function withBoth(seed: number): Promise<void> {
  const stage = new Stage({ seed })
  const clusters = [stage.east, stage.west]
  const balances = await stage.group('balances')
  const options: Partial<ProducerOptions> = { ...LETTERS, journal: { path: '/ledger', mode: 'always' } }
  const first = await stage.producer('ledger', { options })
  for (const cluster of clusters) cluster.refuse(() => true)
  first.queue(1)
  await stage.world.until(() => [...stage.world.disk.letters()].length > 0, 60_000)
  for (const cluster of clusters) cluster.heal()
  first.crash()
  const second = await stage.producer('ledger', { options })
  const { epoch } = [...stage.world.disk.letters()][0]!.position
  second.simulated.import(60_000)
  await stage.world.until(() => [...stage.world.disk.letters()].some(({ position }) => position.epoch > epoch), 60_000)
  for (const cluster of clusters) cluster.refuse(({ value }) => value !== null)
  const afterMs = seed % 20
  await stage.pass(afterMs)
  second.crash()
  const third = await stage.producer('ledger', { options })
  // At once, and again when the disk has nothing any more that it could be of.
  await imported(stage, third)
  await stage.pass(5_000)
  for (const cluster of clusters) cluster.heal()
  await imported(stage, third)
  await stage.settle()
  assert.deepEqual(balances.delivered, ['1'], `killed ${afterMs} ms after the letter named its new position`)
  assert.deepEqual([...stage.world.disk.letters()], [])
}

async function imported(stage: Stage, { simulated }: Writer, timeoutMs = 60_000): Promise<unknown> {
  const before = simulated.imports.length
  simulated.import(timeoutMs)
  await stage.world.until(() => simulated.imports.length > before, 120_000)
  return simulated.imports[before]
}

const NONE: ImportReport = { sent: 0, found: 0, pending: 0, undecided: 0, failed: 0, damaged: 0 }
const LETTERS: Partial<ProducerOptions> = {
  topics: { entries: {} },
  journal: { path: '/ledger', mode: 'dead-letter' },
  whenBothAway: { policy: 'block' },
  sendTimeoutMs: 3_000,
}
/** What a request may take to be read that nobody waits for. */
const LATE_MS = 61_000
