import assert from 'node:assert/strict'

import type { ProducerOptions } from '@tandem/producer'

import type { SimulatedCluster } from '../simulation/cluster.js'
import type { Scenario } from './scenario.js'
import { expectLog, expectSent, logOf, Stage } from './stage.js'

/** Rows about what a producer keeps on disk. */
export const journal: readonly Scenario[] = [
  {
    name: 'journal-first',
    against: 'records of the new life written before what the journal holds',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      const balances = await stage.group('balances')
      const ledger = await stage.producer('ledger', { options: ON_DISK })
      await ledger.send(10)
      await stage.pass(1_000)
      for (const cluster of [east, west]) cluster.kill()
      await stage.pass(10_000)
      expectSent('resolved', ...(await ledger.send(3)))
      ledger.crash()
      const returned = await stage.producer('ledger', { options: ON_DISK, wait: false })
      // The east comes back first, and what the disk has gets there late: the new life's records wait behind it.
      stage.world.disk.slow(500)
      east.restart()
      await returned.connected()
      returned.queue(2)
      await stage.pass(3_000)
      west.restart()
      await stage.settle()
      for (const cluster of [east, west]) expectLog(cluster, numbers(15))
      returned.expectEvents('journal-found', 1)
      balances.expectDelivered('1…15')
      assert.equal(returned.producer.status().journal!.entries, 0)
    },
  },
  {
    name: 'accepted-on-disk',
    against: 'a send resolved before its record is on disk',
    play: async () => {
      const stage = new Stage()
      const balances = await stage.group('balances')
      const ledger = await stage.producer('ledger', { options: ON_DISK })
      for (const cluster of [stage.east, stage.west]) cluster.hang()
      const before = ledger.queue(3) // in both clients when they hang
      await stage.pass(15_000)
      stage.world.disk.slow(1_000)
      const during = ledger.queue(3)
      await stage.pass(500)
      assert.ok(during.every(({ receipt }) => receipt === undefined))
      await stage.pass(2_500)
      expectSent('resolved', ...before, ...during)
      for (const { receipt } of [...before, ...during]) {
        assert.deepEqual([receipt!.journal, receipt!.clusters], [true, { east: undefined, west: undefined }])
      }
      ledger.crash()
      for (const cluster of [stage.east, stage.west]) cluster.heal()
      await stage.producer('ledger', { options: ON_DISK })
      await stage.settle()
      balances.expectDelivered('1…6')
    },
  },
  {
    name: 'disk-gone',
    against: 'a journal that fails, and takes sends with it that a cluster would take',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      const balances = await stage.group('balances')
      const ledger = await stage.producer('ledger', {
        options: { ...ON_DISK, journal: { ...JOURNAL, mode: 'always' } },
      })
      expectSent('resolved', ...(await ledger.send(2)))
      stage.world.disk.fail()
      expectSent('resolved', ...(await ledger.send(2)))
      ledger.expectEvents('journal-failed', 1)
      for (const cluster of [east, west]) cluster.hang()
      await stage.pass(15_000)
      const waiting = ledger.queue(1)
      await stage.pass(5_000)
      assert.equal(waiting[0]!.closedAtMs, undefined, 'waits, as with block')
      stage.world.disk.heal()
      await stage.pass(11_000)
      expectSent('resolved', ...waiting)
      for (const cluster of [east, west]) cluster.heal()
      await stage.settle()
      balances.expectDelivered('1…5')
    },
  },
  {
    name: 'read-back-and-hung',
    against: 'a lane that stops every send though it could let go of what it holds',
    play: async () => {
      const stage = new Stage()
      const { west, world } = stage
      const balances = await stage.group('balances')
      const journal = { ...JOURNAL, bytesMax: 1_048_576 }
      const options = { ...ON_DISK, journal, backlogBytesMax: BACKLOG_BYTES_MAX }
      const ledger = await stage.producer('ledger', { options })
      const backlogBytes = (): number => ledger.producer.status().clusters['west']!.backlog.bytes
      const padded = { headers: { padding: 'x'.repeat(1_000) } }
      west.hang()
      expectSent('resolved', ...(await ledger.send(800, padded)))
      ledger.expectEvents('journal-filled', 1)
      // The backlog is full, and so is the disk: what is read back goes beyond it, for a few round trips as a rule.
      west.heal()
      assert.ok(await world.until(() => backlogBytes() > BACKLOG_BYTES_MAX, 60_000))
      west.hang()
      const [sent] = await ledger.send(1, padded)
      assert.ok(sent!.closedAtMs! - sent!.atMs < 1_000, 'the east is well')
      west.heal()
      await stage.settle()
      balances.expectDelivered('1…801')
    },
  },
  {
    name: 'refused-by-both',
    against: 'what was accepted on disk, and neither cluster takes, dropped from the journal',
    play: async () => {
      const stage = new Stage()
      const balances = await stage.group('balances')
      const ledger = await stage.producer('ledger', {
        options: { ...ON_DISK, journal: { ...JOURNAL, mode: 'always' } },
      })
      for (const cluster of [stage.east, stage.west]) {
        cluster.refuse(({ value }) => value !== null && Buffer.from(value).toString() === '2')
      }
      const sent = await ledger.send(3)
      expectSent('resolved', ...sent)
      await stage.settle()
      balances.expectDelivered('1 3')
      const letters = [...stage.world.disk.letters()]
      assert.deepEqual(
        letters.map(({ value, outcome, position }) => [Buffer.from(value!).toString(), outcome, position.counter]),
        [['2', 'not-written', 2]],
      )
      ledger.expectEvents('message-undelivered', 1)
      ledger.expectEvents('dead-letter-kept', 1)
      assert.equal(ledger.producer.status().journal!.entries, 0)
      // What an earlier life left keeps its position there, too: an import looks for it in the logs.
      for (const cluster of [stage.east, stage.west]) cluster.hang()
      const { position } = (await ledger.send(1))[0]!.receipt!
      ledger.crash()
      for (const cluster of [stage.east, stage.west]) {
        cluster.heal()
        cluster.refuse(({ value }) => value !== null && Buffer.from(value).toString() === '4')
      }
      await stage.producer('ledger', { options: { ...ON_DISK, journal: { ...JOURNAL, mode: 'always' } } })
      await stage.settle()
      assert.deepEqual([...stage.world.disk.letters()].at(-1)?.position, position)
    },
  },
  {
    name: 'refused-and-killed',
    against: 'an entry that both clusters refused, noted so for both before it lies among the dead letters',
    play: async () => {
      for (const acknowledge of ['one', 'available'] as const) {
        for (let seed = 0; seed < 60; seed++) await refusedAndKilled(seed, acknowledge)
      }
    },
  },
  {
    name: 'only-copy-kept',
    against: 'an entry of the journal voided for its age although no cluster has it',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      const balances = await stage.group('balances')
      const options: Partial<ProducerOptions> = {
        ...ON_DISK,
        journal: { ...JOURNAL, mode: 'always', copyAgeMaxMs: 60_000 },
      }
      const ledger = await stage.producer('ledger', { options })
      west.kill()
      await stage.pass(10_000)
      expectSent('resolved', ...(await ledger.send(2))) // the west lacks these
      east.kill()
      await stage.pass(10_000)
      expectSent('resolved', ...(await ledger.send(2))) // and both lack these
      ledger.crash()
      await stage.pass(120_000)
      for (const cluster of [east, west]) cluster.restart()
      const returned = await stage.producer('ledger', { options })
      await stage.settle()
      balances.expectDelivered('1…4')
      expectLog(east, numbers(4))
      expectLog(west, ['3', '4'], ['v1–2'])
      assert.equal(returned.producer.status().journal!.entries, 0)
    },
  },
  {
    name: 'void-forgone',
    against: 'what lies behind a void of an earlier life taken for a copy',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      const balances = await stage.group('balances')
      const options: Partial<ProducerOptions> = { ...ON_DISK, journal: { ...JOURNAL, mode: 'always' } }
      const refuse = (cluster: SimulatedCluster): void => cluster.refuse(({ value }) => value?.toString() === '2')
      const ledger = await stage.producer('ledger', { options })
      east.kill()
      await stage.pass(10_000)
      refuse(west)
      const sent = ledger.queue(2)
      await stage.world.until(() => logOf(west, 'entries').includes('v2'), 60_000)
      expectSent('resolved', ...sent)
      // Marks are not on disk yet: the next life finds both entries, and the west takes both by now.
      ledger.crash()
      west.heal()
      east.restart()
      refuse(east)
      await stage.producer('ledger', { options })
      await stage.settle()
      balances.expectDelivered('1')
      const letters = [...stage.world.disk.letters()]
      assert.deepEqual(
        letters.map(({ value }) => Buffer.from(value!).toString()),
        ['2'],
      )
    },
  },
]

/** The least that is allowed. */
const BACKLOG_BYTES_MAX = 65_536
const JOURNAL = { path: '/ledger', mode: 'on-outage' } as const
const ON_DISK: Partial<ProducerOptions> = {
  topics: { entries: {} },
  journal: JOURNAL,
  whenBothAway: { policy: 'journal' },
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index + 1))
}

async function refusedAndKilled(seed: number, acknowledge: 'one' | 'available'): Promise<void> {
  const stage = new Stage({ seed })
  const clusters = [stage.east, stage.west]
  const balances = await stage.group('balances')
  const options: Partial<ProducerOptions> = { ...ON_DISK, acknowledge, journal: { ...JOURNAL, mode: 'always' } }
  const ledger = await stage.producer('ledger', { options })
  for (const cluster of clusters) cluster.refuse(() => true)
  const sent = ledger.queue(1)
  await ledger.closed(sent)
  expectSent('resolved', ...sent)
  const afterMs = seed % 30
  await stage.pass(afterMs)
  ledger.crash()
  for (const cluster of clusters) cluster.refuse(() => false)
  await stage.producer('ledger', { options })
  await stage.settle()
  const letters = [...stage.world.disk.letters()].map(({ value }) => Buffer.from(value!).toString())
  const ends = [...letters, ...balances.delivered].map((text) => text.replace('late ', ''))
  assert.ok(ends.includes('1'), `${acknowledge}: killed ${afterMs} ms after it was accepted`)
}
