import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { LogCensus } from '@tandem/cli/internal'
import { expect } from 'chai'

import { Evidence, type PublisherLife, type SubscriberLife } from './evidence.js'
import type { PublisherLine } from './publisher.js'
import type { SubscriberLine } from './subscriber.js'
import { judge, type Verdict } from './verdict.js'

/** What two groups, two producer lives and two logs leave behind when all went well, for each test to spoil. */
class Run {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-chaos-test-'))
  readonly publishers: Record<'first' | 'second', PublisherLine[]> = { first: [], second: [] }
  readonly subscribers: Record<'balances' | 'audit', SubscriberLine[]> = { balances: [], audit: [] }
  /** What came to another process of the group balances; it has one if there is something. */
  readonly again: SubscriberLine[] = []
  readonly logs = { east: new Set(NUMBERS), west: new Set(NUMBERS) }
  readonly voids: Record<'east' | 'west', number[]> = { east: [], west: [] }
  firstKilled = true
  balancesKilledAtMs: number | undefined
  rested = true
  nothingIsRejected = false
  /** What somebody should have told of, and how often it was. */
  readonly told = new Map([['circuit-opened', 1]])

  constructor() {
    for (const number of NUMBERS) {
      const life = number <= 10 ? 'first' : 'second'
      const at = { atMs: number * 1_000, text: textOf(number) }
      const place = { producerId: 'ledger', epoch: life === 'first' ? 1 : 2, incarnation: 7, keyRange: KEY_RANGE }
      const counter = life === 'first' ? number : number - 10
      this.publishers[life].push({ kind: 'sent', key: 'account-3', ...at })
      this.publishers[life].push({ kind: 'acknowledged', ...at, ...place, counter })
      this.publishers[life].push({ kind: 'settled', ...at })
      for (const lines of Object.values(this.subscribers)) lines.push(...delivery(number))
    }
    this.publishers.second.push({ kind: 'closed', atMs: 30_000 })
  }

  judge(): Verdict {
    const evidence = new Evidence(PARTITIONS)
    for (const [index, name] of (['first', 'second'] as const).entries()) {
      const path = this.#write(name, this.publishers[name])
      const killed = name === 'first' && this.firstKilled
      const life: PublisherLife = { producerId: 'ledger', life: index + 1, path, killed }
      evidence.addPublisher(life)
    }
    for (const name of ['balances', 'audit'] as const) {
      const killedAtMs = name === 'balances' ? this.balancesKilledAtMs : undefined
      evidence.addSubscriber(this.#subscriber(name, name, 0, killedAtMs, this.subscribers[name]))
    }
    if (this.again.length > 0)
      evidence.addSubscriber(this.#subscriber('balances', 'balances-again', 25_000, undefined, this.again))
    evidence.read()
    const groups = ['balances', 'audit']
    return judge({
      name: 'doctored',
      history: evidence.history({ groups, storeTroubles: [], healedAtMs: 15_500, rested: this.rested }),
      settledAtMs: evidence.settledAtMs(15_500),
      logs: {
        censuses: { east: this.#census('east'), west: this.#census('west') },
        kept: evidence.acknowledgements(({ killed }) => !killed),
        cutOff: evidence.acknowledgements(({ killed }) => killed),
      },
      faults: new Map([['producer-kill', 1]]),
      residentBytesMax: 80 << 20,
      told: this.told,
      nothingIsRejected: this.nothingIsRejected,
    })
  }

  #write(name: string, lines: readonly object[]): string {
    const path = join(this.folder, name)
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return path
  }

  #subscriber(
    groupId: string,
    name: string,
    startedAtMs: number,
    killedAtMs: number | undefined,
    lines: SubscriberLine[],
  ): SubscriberLife {
    return { groupId, name, path: this.#write(name, lines), startedAtMs, killedAtMs, closedAtMs: undefined, stops: [] }
  }

  #census(cluster: 'east' | 'west'): LogCensus {
    const census = new LogCensus()
    for (const number of this.logs[cluster]) census.handleMessage(number)
    for (const number of this.voids[cluster]) {
      const sequence = { producerId: 'ledger', epoch: 2, incarnation: 7, keyRange: KEY_RANGE }
      census.handleVoid({ ...sequence, first: number - 10, count: 1 })
    }
    return census
  }
}

describe('verdict of chaos', () => {
  let run: Run
  beforeEach(() => void (run = new Run()))
  afterEach(() => rmSync(run.folder, { recursive: true }))

  it('is good when every group was given all, once and in order, and both logs have it', () => {
    const { figures, complaints } = run.judge()
    expect(complaints).to.deep.equal([])
    const { faults, ...counts } = figures
    expect(counts).to.deep.equal({
      name: 'doctored',
      acknowledged: 20,
      delivered: 20,
      lost: 0,
      duplicated: 0,
      unexplainedDuplicates: 0,
      outOfOrder: 0,
      late: 0,
      recoverySeconds: 0,
      residentBytesMax: 80 << 20,
      missing: { east: 0, west: 0 },
    })
    expect(faults).to.include({ 'producer-kill': 1, 'cluster-dead': 0 })
  })

  it('finds a message lost that one group was not given, or both', () => {
    drop(run.subscribers.audit, 7)
    expect(run.judge()).to.nested.include({ 'figures.lost': 1, 'figures.delivered': 19 })
    drop(run.subscribers.balances, 7)
    expect(run.judge()).to.nested.include({ 'figures.lost': 2, 'figures.delivered': 19 })
    expect(run.judge().complaints).to.have.length(2)
  })

  it('does not miss what was not acknowledged, and finds what one group alone got of it', () => {
    const all: (PublisherLine | SubscriberLine)[][] = [
      run.publishers.first,
      run.subscribers.audit,
      run.subscribers.balances,
    ]
    for (const lines of all) {
      removeWhere(lines, (line) => line.kind !== 'sent' && isOf(line, 10))
    }
    expect(run.judge()).to.nested.include({ 'figures.lost': 0, 'figures.acknowledged': 19 })
    expect(run.judge().complaints).to.deep.equal([])
    run.subscribers.audit.push(...delivery(10))
    expect(run.judge().complaints.join()).to.match(/delivered, but not to balances/)
  })

  it('finds a message that came twice to one process', () => {
    run.subscribers.audit.push(...delivery(20))
    const { figures, complaints } = run.judge()
    expect(figures).to.include({ duplicated: 1, unexplainedDuplicates: 1, delivered: 20, lost: 0 })
    expect(complaints).to.have.length(1)
  })

  it('explains by a crash what was not flushed then, and nothing else', () => {
    run.balancesKilledAtMs = 24_000
    run.again.push(...delivery(20, 26_000, FENCE + 1))
    expect(run.judge().figures).to.include({ duplicated: 1, unexplainedDuplicates: 0 })
    expect(run.judge().complaints).to.deep.equal([])
    run.again.push(...delivery(12, 26_000, FENCE + 1))
    expect(run.judge().figures).to.include({ duplicated: 2, unexplainedDuplicates: 1 })
  })

  it('explains what comes again by a hand-over to one that lives beside it, if it was just then, and nothing else', () => {
    run.again.push(...delivery(20, 26_000, FENCE + 1))
    expect(run.judge().figures).to.include({ duplicated: 1, unexplainedDuplicates: 0 })
    run.again.push(...delivery(12, 26_000, FENCE + 1))
    expect(run.judge().figures).to.include({ duplicated: 2, unexplainedDuplicates: 1 })
  })

  it('finds a delivery under a lease after one under a greater lease', () => {
    run.again.push(...delivery(19, 18_500, FENCE + 1))
    expect(run.judge().complaints.join()).to.match(/balances was given .* under lease 5, and balances-again/)
  })

  it('finds a key that is handled out of turn, and what was given up though it could be handled', () => {
    const handled = (number: number): SubscriberLine[] => {
      const { text, atMs } = delivery(number)[0] as { text: string; atMs: number }
      return (['begun', 'ended'] as const).map((kind) => ({ kind, atMs, text, fence: FENCE, failed: false }))
    }
    run.subscribers.audit.push(...NUMBERS.flatMap(handled))
    expect(run.judge().complaints).to.deep.equal([])
    run.subscribers.audit.push({ kind: 'letter', atMs: 25_000, text: textOf(7), fence: FENCE })
    expect(run.judge().complaints.join()).to.match(/audit gave up .*"number":7/)
    run.subscribers.audit.splice(-1, 1, ...handled(3))
    expect(run.judge().complaints.join()).to.match(/audit handled .*"number":3/)
  })

  it('finds what was delivered though its rejection said not-written, and what was never sent', () => {
    const place = run.publishers.second.findIndex((line) => line.kind === 'acknowledged' && isOf(line, 15))
    run.publishers.second[place] = { kind: 'rejected', atMs: 15_000, text: textOf(15), outcome: 'not-written' }
    expect(run.judge().figures.unexplainedDuplicates).to.equal(2) // once per group
    for (const number of NUMBERS) drop(run.subscribers.audit, number)
    run.subscribers.audit.push(...delivery(99))
    expect(run.judge().complaints.join()).to.include('never sent')
  })

  it('finds what is out of order, unless it is marked late', () => {
    const lines = run.subscribers.balances
    const fourth = lines.splice(6, 2)
    lines.push(...fourth)
    expect(run.judge().figures).to.include({ outOfOrder: 1, late: 0, lost: 0, duplicated: 0 })
    lines.splice(-2, 2, ...fourth.map((line) => (line.kind === 'delivered' ? { ...line, late: true } : line)))
    expect(run.judge().figures).to.include({ outOfOrder: 0, late: 1 })
    expect(run.judge().complaints.join()).to.include('1 late and told of 0')
    lines.push({ kind: 'event', atMs: 25_000, event: 'delivered-late', count: 1 })
    expect(run.judge().complaints).to.deep.equal([])
  })

  it('finds a log that lacks what it should have', () => {
    run.logs.west.delete(15)
    expect(run.judge().figures.missing).to.deep.equal({ east: 0, west: 1 })
    expect(run.judge().complaints).to.deep.equal(['the log of west lacks 1 acknowledged messages'])
    run.voids.west.push(15)
    expect(run.judge().complaints).to.deep.equal([])
  })

  it('lets a killed producer take one copy with it, but not both', () => {
    run.logs.west.delete(9)
    run.logs.east.delete(10)
    expect(run.judge().complaints).to.deep.equal([])
    run.logs.east.delete(9)
    expect(run.judge().figures.missing).to.deep.equal({ east: 1, west: 1 })
    expect(run.judge().complaints).to.have.length(2)
    run.logs.east.add(9)
    run.firstKilled = false
    run.publishers.first.push({ kind: 'closed', atMs: 12_000 })
    expect(run.judge().figures.missing).to.deep.equal({ east: 1, west: 1 })
  })

  it('finds that it did not come to rest, and what was still open then', () => {
    run.rested = false
    removeWhere(run.publishers.second, (line) => line.kind === 'acknowledged' && isOf(line, 20))
    expect(run.judge().complaints).to.deep.equal([`${textOf(20)} has no answer in time`])
  })

  it('finds that nobody told of what the harm should have done', () => {
    run.told.set('circuit-opened', 0)
    expect(run.judge().complaints).to.deep.equal(['nobody told of circuit-opened'])
  })

  it('finds a rejection where one way was free all the time', () => {
    const place = run.publishers.second.findIndex((line) => line.kind === 'acknowledged' && isOf(line, 15))
    run.publishers.second[place] = { kind: 'rejected', atMs: 15_000, text: textOf(15), outcome: 'unknown' }
    expect(run.judge().complaints).to.deep.equal([])
    run.nothingIsRejected = true
    expect(run.judge().complaints).to.deep.equal(['1 sends are unknown'])
  })

  it('counts recovery until the last of what was sent before reached every group and both logs', () => {
    const settled = run.publishers.second.findIndex((line) => line.kind === 'settled' && isOf(line, 14))
    run.publishers.second[settled] = { kind: 'settled', atMs: 17_500, text: textOf(14) }
    expect(run.judge().figures.recoverySeconds).to.equal(2)
    drop(run.subscribers.audit, 15)
    run.subscribers.audit.push(...delivery(15, 21_500))
    expect(run.judge().figures.recoverySeconds).to.equal(6)
  })

  it('does not pass over a line that it cannot read', () => {
    run.subscribers.audit.push('torn' as unknown as SubscriberLine)
    expect(() => run.judge()).to.throw('no such line')
  })
})

function delivery(number: number, atMs = number * 1_000, fence = FENCE): SubscriberLine[] {
  const of = { atMs, text: textOf(number), fence }
  return [
    { kind: 'delivered', late: false, redelivered: false, ...of },
    { kind: 'acknowledged', ...of },
  ]
}

function textOf(number: number): string {
  return JSON.stringify({ number, order: number, from: 3, to: 4, amount: 1 })
}

function isOf(line: PublisherLine | SubscriberLine, number: number): boolean {
  return 'text' in line && line.text === textOf(number)
}

function drop(lines: SubscriberLine[], number: number): void {
  removeWhere(lines, (line) => isOf(line, number))
}

function removeWhere<T>(lines: T[], condition: (line: T) => boolean): void {
  for (let index = lines.length - 1; index >= 0; index--) if (condition(lines[index]!)) lines.splice(index, 1)
}

/** Token of the first lease. */
const FENCE = 5
const NUMBERS = Array.from({ length: 20 }, (_, index) => index + 1)
const PARTITIONS = 4
/** Of every message here; which one does not matter. */
const KEY_RANGE = 0
