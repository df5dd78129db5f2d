import { Arbiter, storedStream, type FeedIndex, type StoredStream } from '@tandem/consumer/internal'
import { expect } from 'chai'

import { ARBITER_OPTIONS, interleavings, logsUpTo, SILENCE_MS } from './enumerate.js'

/**
 * Every pair of logs of up to two records of two epochs, every interleaving, and a crash at every point with every
 * choice of what was acknowledged by then, flushed or not.
 *
 * Whatever happens: each message that the logs hold is delivered (I1), the same ones as without the crash (I7); again
 * only if it was not acknowledged and flushed before (I2); in each life what is not late ascends, and what was in flight
 * in order comes again in order (I3).
 */
interface Entry {
  readonly epoch: number
  readonly counter: number
  readonly isVoid: boolean
}

const ALPHABET: readonly Entry[] = [1, 2].flatMap((epoch) =>
  [1, 2].flatMap((counter) => [
    { epoch, counter, isVoid: false },
    { epoch, counter, isVoid: true },
  ]),
)

type Logs = readonly [readonly Entry[], readonly Entry[]]

interface Delivered {
  readonly name: string
  readonly rank: number
  readonly late: boolean
  readonly acknowledge: () => void
}

/** One life of a consumer on one partition, from what the store has. */
class Life {
  readonly arbiter: Arbiter<null>
  readonly delivered: Delivered[] = []
  readonly #logs: Logs
  readonly #next: [number, number]
  #time = 0

  constructor(logs: Logs, stored: Stored) {
    this.#logs = logs
    this.#next = [...stored.offsets]
    this.arbiter = new Arbiter<null>(ARBITER_OPTIONS, 0)
    for (const stream of stored.streams) this.arbiter.restore(stream)
    for (const feed of [0, 1] as const) this.arbiter.handleAssigned(feed, stored.offsets[feed])
  }

  /** Reads the next record of a feed, if there is one. */
  read(feed: FeedIndex): void {
    const offset = this.#next[feed]
    const entry = this.#logs[feed][offset]
    if (entry === undefined) return
    this.#next[feed]++
    const kind = entry.isVoid ? ('void' as const) : ('data' as const)
    const stamp = {
      producerId: 'p',
      epoch: entry.epoch,
      incarnation: 1,
      keyRange: 0,
      first: entry.counter,
      count: 1,
      kind,
    }
    this.arbiter.handleRecord({ feed, offset, stamp, bytes: 1, digest: 0, record: null }, this.#time)
    this.#drain()
  }

  readAll(): void {
    for (const feed of [0, 1] as const) while (this.#next[feed] < this.#logs[feed].length) this.read(feed)
  }

  wait(ms: number): void {
    const until = this.#time + ms
    for (let at = this.arbiter.deadline(); at <= until; at = this.arbiter.deadline()) {
      this.#time = Math.max(this.#time, at)
      this.arbiter.handleDeadline(this.#time)
      this.#drain()
    }
    this.#time = until
  }

  flush(): Stored {
    const streams = this.arbiter
      .takeChanged()
      .map((stream) => storedStream(stream, ARBITER_OPTIONS.clusters))
      .filter((stream) => stream !== undefined)
    return { streams, offsets: [this.arbiter.resumeOffset(0), this.arbiter.resumeOffset(1)] }
  }

  #drain(): void {
    for (let command = this.arbiter.poll(this.#time); command !== undefined; command = this.arbiter.poll(this.#time)) {
      if (command.kind === 'deliver') {
        const { sequence, first, late } = command
        const deliver = command
        this.delivered.push({
          name: `${sequence.epoch}:${first}`,
          rank: sequence.epoch * 10 + first,
          late,
          acknowledge: () => this.arbiter.handleFinished(deliver, first, first),
        })
      } else if (command.kind === 'ask-end') {
        const { feed, step } = command
        this.arbiter.handleEnd({ feed, step, low: 0, high: this.#logs[feed].length }, this.#time)
      }
    }
  }
}

interface Stored {
  readonly streams: readonly StoredStream[]
  readonly offsets: readonly [number, number]
}

function held(logs: Logs): string[] {
  const names = new Set<string>()
  for (const log of logs) {
    const decided = new Set<string>()
    for (const { epoch, counter, isVoid } of log) {
      const name = `${epoch}:${counter}`
      if (!decided.has(name) && !isVoid) names.add(name)
      decided.add(name)
    }
  }
  return [...names].sort()
}

function ascends(delivered: readonly Delivered[]): boolean {
  const inOrder = delivered.filter(({ late }) => !late)
  return inOrder.every(({ rank }, index) => index === 0 || rank > inOrder[index - 1]!.rank)
}

const NOTHING: Stored = { streams: [], offsets: [0, 0] }

interface Case {
  readonly logs: Logs
  readonly order: readonly FeedIndex[]
  /** The first life ends after this many records. */
  readonly crashAfter: number
  /** Whether a long silence came before the crash. */
  readonly silent: boolean
  /** Bit i: the i-th delivery of the first life was acknowledged before the flush, and before the crash. */
  readonly acknowledged: number
}

/** What is wrong with a case, or undefined. */
function judge({ logs, order, crashAfter, silent, acknowledged }: Case): string | undefined {
  const first = new Life(logs, NOTHING)
  for (const feed of order.slice(0, crashAfter)) first.read(feed)
  if (silent) first.wait(SILENCE_MS)
  const flushedNames = new Set<string>()
  first.delivered.forEach(({ name, acknowledge }, index) => {
    if (((acknowledged >> index) & 1) === 0) return
    acknowledge()
    flushedNames.add(name)
  })
  const stored = first.flush()
  const second = new Life(logs, stored)
  second.readAll()
  second.wait(SILENCE_MS)
  second.delivered.forEach(({ acknowledge }) => acknowledge())
  const after = second.flush()

  const names = [...new Set([...flushedNames, ...second.delivered.map(({ name }) => name)])].sort()
  if (names.join(' ') !== held(logs).join(' '))
    return `delivered ${names.join(' ')}, the logs hold ${held(logs).join(' ')}`
  const twice = second.delivered.filter(
    ({ name }, index) => second.delivered.findIndex((one) => one.name === name) < index,
  )
  if (twice.length > 0) return `${twice[0]!.name} came twice in one life`
  // What was acknowledged and flushed may come again only behind an older epoch that had something in flight.
  const olderInFlight = first.delivered.some(
    ({ name, late }) => !late && name.startsWith('1:') && !flushedNames.has(name),
  )
  const again = second.delivered.filter(
    ({ name }) => flushedNames.has(name) && !(olderInFlight && name.startsWith('2:')),
  )
  if (again.length > 0) return `${again[0]!.name} came again although it was flushed`
  // What was in flight in order comes again in order: nothing newer was stored ahead of it. Only a log that itself has
  // an older epoch behind a newer one may show them in another order, when it is read in another rhythm.
  const zombie = logs.some((log) => log.some(({ epoch }, index) => index > 0 && epoch < log[index - 1]!.epoch))
  const inFlight = zombie ? [] : first.delivered.filter(({ name, late }) => !late && !flushedNames.has(name))
  const cameLate = second.delivered.find(({ name, late }) => late && inFlight.some((one) => one.name === name))
  if (cameLate !== undefined) return `${cameLate.name} was in flight in order, and came again late`
  if (!ascends(first.delivered) || !ascends(second.delivered)) return 'out of order without being late'
  if (after.offsets[0] !== logs[0].length || after.offsets[1] !== logs[1].length) {
    return `resumes at ${after.offsets.join(' and ')}`
  }
  return undefined
}

function show({ logs, order, crashAfter, silent, acknowledged }: Case): string {
  const text = (log: readonly Entry[]): string =>
    `[${log.map(({ epoch, counter, isVoid }) => `${isVoid ? 'v' : ''}${epoch}:${counter}`).join(' ')}]`
  return (
    `east ${text(logs[0])}, west ${text(logs[1])}, read ${order.join('')}, crash after ${crashAfter}` +
    `${silent ? ' and a silence' : ''}, acknowledged ${acknowledged.toString(2)}`
  )
}

describe('all small cases of a restart', function () {
  this.timeout(0)

  it('two logs of up to two records of two epochs, a crash at every point', () => {
    const all = logsUpTo(2, ALPHABET)
    let cases = 0
    for (const east of all) {
      for (const west of all) {
        for (const order of interleavings(east.length, west.length)) {
          for (let crashAfter = 1; crashAfter <= order.length; crashAfter++) {
            for (const silent of [false, true]) {
              for (const acknowledged of [0, 1, 2, 5, 15]) {
                const one: Case = { logs: [east, west], order, crashAfter, silent, acknowledged }
                cases++
                const wrong = judge(one)
                if (wrong !== undefined) expect.fail(`${show(one)}: ${wrong}`)
              }
            }
          }
        }
      }
    }
    console.log(`      ${cases} cases`)
  })
})
