/**
 * What `send()` does under each strategy of the producer, in each state of the clusters and the disk: found out by
 * playing it. What it should do stands in docs/strategies, which is held to this.
 */
import assert from 'node:assert/strict'

import { keyRangeOf, type TandemEvent } from '@tandem/common/internal'
import type { ProducerOptions } from '@tandem/producer'

import type { SimulatedCluster } from '../simulation/cluster.js'
import type { Sent } from '../simulation/simulated-producer.js'
import { expectSent, logOf, Stage, type Writer } from './stage.js'

export const POLICIES = ['reject', 'block', 'journal'] as const
export const MODES = ['off', 'on-outage', 'always', 'dead-letter'] as const
export const ACKNOWLEDGE = ['one', 'available', 'both'] as const

export type Policy = (typeof POLICIES)[number]
export type Mode = (typeof MODES)[number]
export type Acknowledge = (typeof ACKNOWLEDGE)[number]

export interface Pair {
  readonly policy: Policy
  readonly mode: Mode
}

/** A legal pair that has a page of its own. */
export interface Strategy extends Pair {
  readonly page: string
}

export const STRATEGIES: readonly Strategy[] = [
  { page: 'load-shedding.md', policy: 'reject', mode: 'off' },
  { page: 'back-pressure.md', policy: 'block', mode: 'off' },
  { page: 'journal-on-outage.md', policy: 'journal', mode: 'on-outage' },
  { page: 'outbox.md', policy: 'journal', mode: 'always' },
  { page: 'dead-letters.md', policy: 'block', mode: 'dead-letter' },
]

export interface State {
  readonly name: string
  /** Whether it can be there only with a journal that takes what is sent. */
  readonly onDisk?: boolean
  readonly options?: Partial<ProducerOptions>
  /** Partitions that it is about; all if left out. The others are then as if nothing had happened. */
  readonly partitions?: readonly number[]
  readonly begin: (stage: Stage, ledger: Writer) => Promise<void> | void
}

export const STATES: readonly State[] = [
  { name: 'both here', begin: () => undefined },
  { name: 'one just went', begin: ({ west }) => west.hang() },
  {
    name: 'one away',
    begin: async (stage, ledger) => {
      stage.west.hang()
      await notice(stage, ledger)
    },
  },
  {
    name: 'one partition without a leader in one',
    partitions: [1],
    begin: async (stage, ledger) => {
      stage.west.leaderless('entries', 1)
      await notice(stage, ledger)
    },
  },
  {
    name: 'different partitions without a leader in each',
    partitions: [1, 2],
    begin: async (stage, ledger) => {
      stage.west.leaderless('entries', 1)
      stage.east.leaderless('entries', 2)
      await notice(stage, ledger)
    },
  },
  {
    name: 'one partition without a leader in both',
    partitions: [1],
    begin: async (stage, ledger) => {
      for (const cluster of clustersOf(stage)) cluster.leaderless('entries', 1)
      await notice(stage, ledger)
    },
  },
  {
    name: 'both just went',
    begin: (stage) => {
      for (const cluster of clustersOf(stage)) cluster.hang()
    },
  },
  { name: 'both away', begin: bothAway },
  {
    name: 'both away, journal full',
    onDisk: true,
    begin: async (stage, ledger) => {
      // In the clients when these hang: so they go to the journal whatever `acknowledge` asks for.
      for (const cluster of clustersOf(stage)) cluster.hang()
      for (let i = 0; i < FILLING; i++) ledger.queue(1, { value: 'x'.repeat(FILLING_BYTES) })
      await notice(stage, ledger)
    },
  },
  {
    name: 'both away, disk fails',
    onDisk: true,
    begin: async (stage, ledger) => {
      stage.world.disk.fail()
      await bothAway(stage, ledger)
    },
  },
  {
    name: 'window full, and stays so',
    options: { unacknowledgedMax: 1 },
    begin: async (stage, ledger) => {
      for (const cluster of clustersOf(stage)) cluster.hang()
      stage.world.disk.slow(NEVER_MS)
      ledger.queue(1)
      await stage.pass(100)
    },
  },
]

export interface Played {
  /** Who has it when `send()` resolves, by the receipt: `one cluster`, `disk + both clusters`; empty if it does not. */
  readonly holders: string
  /** In the words of the page: `resolves`, `resolves after 5 s`, `shed (both-away)`, `unknown after sendTimeoutMs`. */
  readonly fate: string
  /** What was told from the beginning of the state until the fate was known. */
  readonly events: readonly TandemEvent['kind'][]
}

/** Brings a world into the state, sends, and looks what becomes of it, also once everything is well again. */
export async function play(pair: Pair, acknowledge: Acknowledge, state: State): Promise<Played> {
  const stage = new Stage({ topics: { entries: PARTITIONS } })
  const ledger = await start(stage, pair, acknowledge, state)
  await stage.pass(1_000)
  const before = ledger.simulated.events.length
  await state.begin(stage, ledger)
  const concerned = state.partitions ?? [1]
  const sent = concerned.map((partition) => ledger.queue(1, { key: KEYS[partition]! })[0]!)
  const beside = state.partitions === undefined ? [] : ledger.queue(1, { key: KEYS[0]! })
  await ledger.closed([...sent, ...beside])
  await stage.pass(TOLD_MS)
  const events = ledger.simulated.events.slice(before).map(({ kind }) => kind)
  for (const one of beside) assert.equal(fateOf(one), 'resolves', `a partition beside it, ${state.name}`)

  for (const cluster of clustersOf(stage)) cluster.heal()
  stage.world.disk.heal()
  await stage.pass(HEALED_MS)
  for (const one of sent) expectLogs(stage, one, state.name)
  const kept = new Set([...stage.world.disk.letters()].map(({ value }) => Buffer.from(value!).toString()))
  const fates = new Set(sent.map((one) => fateOf(one) + (kept.has(one.text) ? ', kept' : '')))
  assert.equal(fates.size, 1, `one fate in ${state.name}: ${[...fates].join(' | ')}`)
  return { fate: [...fates][0]!, holders: holdersOf(sent[0]!), events }
}

/**
 * Kills the process at the moment at which a `send()` resolves, and starts it again when everything is well.
 *
 * @param disk whether the new life finds the journal.
 * @returns how many logs hold the message in the end, or undefined if `send()` did not resolve.
 */
export async function playCrash(
  pair: Pair,
  acknowledge: Acknowledge,
  state: State,
  disk: 'there' | 'lost',
): Promise<number | undefined> {
  const stage = new Stage({ topics: { entries: PARTITIONS } })
  const ledger = await start(stage, pair, acknowledge, state)
  await stage.pass(1_000)
  await state.begin(stage, ledger)
  const [sent] = ledger.queue(1, { key: KEYS[1]! })
  await stage.world.until(() => sent!.closedAtMs !== undefined, 2 * SEND_TIMEOUT_MS)
  ledger.crash()
  if (sent!.receipt === undefined) return undefined
  for (const cluster of clustersOf(stage)) cluster.heal()
  await start(stage, pair, acknowledge, state, disk === 'there' ? PATH : '/new')
  await stage.pass(HEALED_MS)
  return holdersInLogs(stage, sent!).length
}

function start(
  stage: Stage,
  { policy, mode }: Pair,
  acknowledge: Acknowledge,
  state: State,
  path: string = PATH,
): Promise<Writer> {
  return stage.producer('ledger', {
    options: {
      topics: { entries: {} },
      acknowledge,
      sendTimeoutMs: SEND_TIMEOUT_MS,
      whenBothAway: { policy, timeoutMs: TIMEOUT_MS },
      ...(mode === 'off' ? {} : { journal: { mode, path, bytesMax: JOURNAL_BYTES } }),
      ...state.options,
    },
  })
}

function holdersOf({ receipt }: Sent): string {
  if (receipt === undefined) return ''
  const clusters = Object.values(receipt.clusters).filter((copy) => copy !== undefined).length
  const had = [
    ...(receipt.journal ? ['disk'] : []),
    ...['', 'one cluster', 'both clusters'].slice(clusters, clusters + 1),
  ]
  return had.filter((one) => one !== '').join(' + ')
}

/** What the logs hold in the end is what the caller was told. */
function expectLogs(stage: Stage, sent: Sent, state: string): void {
  const holders = holdersInLogs(stage, sent)
  const said = fateOf(sent)
  if (said.startsWith('resolves')) {
    expectSent('resolved', sent)
    assert.equal(holders.length, 2, `${state}: what resolved is in both logs in the end`)
  }
  if (/^(shed|not-written)/.test(said)) assert.equal(holders.length, 0, `${state}: what was refused is in no log`)
}

function holdersInLogs(stage: Stage, { text }: Sent): SimulatedCluster[] {
  return clustersOf(stage).filter((cluster) => {
    return KEYS.some((_, partition) => logOf(cluster, 'entries', partition).includes(text))
  })
}

function fateOf({ receipt, error, atMs, closedAtMs }: Sent): string {
  const when = whenOf(closedAtMs! - atMs)
  if (receipt !== undefined) return `resolves${when}`
  if (error?.code === 'TANDEM_SHED') return `shed (${String(error.details['reason'])})${when}`
  return `${String((error as { outcome?: string }).outcome)}${when}`
}

/** In the words of the page; at once is after some round trips and writes to a disk. */
function whenOf(ms: number): string {
  if (ms < AT_ONCE_MS) return ''
  const near = (span: number): boolean => Math.abs(ms - span) < AT_ONCE_MS
  if (near(CIRCUIT_MS)) return ' after 5 s'
  if (near(TIMEOUT_MS)) return ' after timeoutMs'
  if (near(SEND_TIMEOUT_MS)) return ' after sendTimeoutMs'
  return ` after ${ms} ms`
}

async function bothAway(stage: Stage, ledger: Writer): Promise<void> {
  for (const cluster of clustersOf(stage)) cluster.hang()
  await notice(stage, ledger)
}

/** What does not answer is noticed by what is sent: to each partition, so that one is told from all. */
async function notice(stage: Stage, ledger: Writer): Promise<void> {
  for (let second = 0; second < NOTICED_S; second++) {
    for (const key of KEYS) ledger.queue(1, { key })
    await stage.pass(1_000)
  }
}

function clustersOf({ east, west }: Stage): readonly SimulatedCluster[] {
  return [east, west]
}

const PATH = '/ledger'
const PARTITIONS = 3
/** One key for each partition. */
const KEYS = Array.from({ length: PARTITIONS }, (_, partition) => {
  for (let i = 0; ; i++) if (keyRangeOf(Buffer.from(`key-${i}`), PARTITIONS) === partition) return `key-${i}`
})
/** The smallest journal that there is, and what fills it: four to more than 90 %, and one more. */
const JOURNAL_BYTES = 2 ** 20
const FILLING_BYTES = 240_000
const FILLING = 5
/** Apart from each other, and from what opens a circuit. */
const TIMEOUT_MS = 10_000
const SEND_TIMEOUT_MS = 20_000
const CIRCUIT_MS = 5_000
const AT_ONCE_MS = 200
const NOTICED_S = 15
/** Events are summed up for a second. */
const TOLD_MS = 2_000
/** Probes are at most 12 s apart. */
const HEALED_MS = 60_000
const NEVER_MS = 45_000
