import {
  decodePosition,
  encodeFeed,
  encodeStream,
  feedField,
  streamField,
  type FeedIndex,
  type Fields,
  type FinishedCounters,
  type StoredSequence,
  type StoredStream,
} from '@tandem/consumer/internal'
import { expect } from 'chai'

import { interleavings } from './enumerate.js'
import { CALM, FEEDS, Life, LONG_MS, NOTHING, TIMES, type Delivered, type Stored } from './life.js'
import { bitOf, bitsOfSequence, dataOf, held, sequenceOf, SEQUENCES, showBits, showLog, type Logs } from './log.js'
import { bitsOf, wrongInOrder } from './verdict.js'

/**
 * Every crash of every reading of two logs.
 *
 * A life flushes after each thing that happens, so each of its flushes is what a crash there leaves behind. Many
 * crashes leave the same behind, and what follows depends on nothing else: so what may come after is tried once for each
 * position that a store can get into. What was acknowledged and flushed must not come again, all else must, and what was
 * in flight in order must come in order.
 */
interface Rhythm {
  readonly order: readonly FeedIndex[]
  /** A long silence after so many records; none if there are not so many. */
  readonly silenceAt: number
  /** Bit i: the i-th delivery is acknowledged at once. The others are in the end, the last one first. */
  readonly atOnce: number
  /** It flushes after each thing that happens, or after every second, or third. */
  readonly flushEvery: number
}

/** A position that a store got into. */
interface Position {
  readonly fields: Fields
  readonly offsets: Stored['offsets']
  readonly key: string
  /** What must not come again: finished as it is stored, or booked. */
  readonly finished: number
  /** Booked, and not stored as finished. */
  readonly booked: number
  /** Crashes before it. */
  readonly crashes: number
  /** What was in flight in order when it was stored, by some way that led here. */
  inFlight: number
  /** The first way that led here, and what it began with. */
  readonly by: Rhythm | undefined
  readonly from: Position | undefined
}

export interface Depth {
  /** Lives that crash one after the other; what they leave behind is always read to its end. */
  readonly crashesMax: number
  readonly flushEvery: readonly number[]
  /** Whether a transaction of the user's books what is acknowledged, in the moment before: a flush is not waited for. */
  readonly booking?: boolean
}

/**
 * Fails for the first case that is wrong.
 *
 * @returns how many there were, in words.
 */
export function checkRestarts(pairs: Iterable<Logs>, depth: Depth): string {
  let lives = 0
  let crashes = 0
  for (const logs of pairs) {
    const exploration = new Exploration(logs, depth)
    const wrong = exploration.search()
    if (wrong !== undefined) expect.fail(wrong)
    lives += exploration.lives
    crashes += exploration.crashes
  }
  return `${lives} lives, ${crashes} crashes`
}

class Exploration {
  lives = 0
  crashes = 0
  readonly #logs: Logs
  readonly #depth: Depth
  readonly #held: number
  /** An older epoch behind a newer one may be shown in another order when it is read in another rhythm. */
  readonly #zombie: boolean
  readonly #positions = new Map<string, Position>()
  readonly #news: Position[] = []

  constructor(logs: Logs, depth: Depth) {
    this.#logs = logs
    this.#depth = depth
    this.#held = held(logs)
    this.#zombie = logs.some((log) =>
      log.some(({ stamp }, index) => index > 0 && stamp.epoch < log[index - 1]!.stamp.epoch),
    )
    const first = {
      fields: new Map(),
      offsets: NOTHING.offsets,
      key: '',
      finished: 0,
      booked: 0,
      crashes: 0,
      inFlight: 0,
      by: undefined,
      from: undefined,
    }
    this.#news.push(first)
  }

  /** What is wrong, or undefined. */
  search(): string | undefined {
    for (let next = this.#news.shift(); next !== undefined; next = this.#news.shift()) {
      const wrong = next.crashes < this.#depth.crashesMax ? this.#crashEverywhere(next) : undefined
      if (wrong !== undefined) return wrong
    }
    // Only now is it known of each position what was in flight before it.
    for (const position of this.#positions.values()) {
      const wrong = this.#readOn(position)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  #crashEverywhere(position: Position): string | undefined {
    for (const rhythm of this.#rhythms(position)) {
      for (let atOnce = 0, deliveries = 0; atOnce < 2 ** deliveries; atOnce++) {
        const by = { ...rhythm, atOnce }
        const life = new CrashingLife(this.#logs, load(position), by, this.#depth.booking === true)
        this.lives++
        const wrong = life.live((left) => {
          this.crashes++
          this.#note(left, by, position)
        })
        if (wrong !== undefined) return `${this.#show(position)}${showRhythm(by)}: ${wrong}`
        deliveries = life.deliveries
      }
    }
    return undefined
  }

  *#rhythms(position: Position): Generator<Omit<Rhythm, 'atOnce'>> {
    for (const flushEvery of this.#depth.flushEvery) {
      for (const order of this.#orders(position)) {
        for (let silenceAt = 0; silenceAt <= order.length + 1; silenceAt++) yield { order, silenceAt, flushEvery }
      }
    }
  }

  #note({ stored, finished, booked, inFlight }: Left, by: Rhythm, from: Position): void {
    const key = `${keyOf(stored)}${booked === 0 ? '' : ` booked ${showBits(booked)}`}`
    const known = this.#positions.get(key)
    if (known !== undefined) {
      known.inFlight |= inFlight
      return
    }
    const { offsets } = stored
    const crashes = from.crashes + 1
    const position = { fields: encode(stored), offsets, key, finished, booked, crashes, inFlight, by, from }
    this.#positions.set(key, position)
    this.#news.push(position)
  }

  /** The life after a crash, to its end: in every order, and in each with one silence, whose place differs. */
  #readOn(position: Position): string | undefined {
    const orders = this.#orders(position)
    for (let i = 0; i < 2 * orders.length; i++) {
      const order = orders[i >> 1]!
      const silenceAt = i % 2 === 0 ? Infinity : (i >> 1) % Math.max(1, order.length)
      const life = new Life(this.#logs, load(position), CALM)
      this.lives++
      order.forEach((feed, place) => {
        if (place === silenceAt) life.wait(LONG_MS)
        life.read(feed)
      })
      life.wait(LONG_MS)
      const wrong = this.#wrongAfter(position, life, silenceAt < Infinity)
      if (wrong !== undefined) return `${this.#show(position)}then ${showReading(order, silenceAt)}: ${wrong}`
    }
    return undefined
  }

  #wrongAfter(position: Position, life: Life, silent: boolean): string | undefined {
    const given = bitsOf(life.delivered)
    const again = given & position.finished
    if (again !== 0) return `${showBits(again)} came again although it was flushed or booked`
    const lost = this.#held & ~(given | position.finished)
    if (lost !== 0) return `${showBits(lost)} never came`
    const tooMuch = given & ~this.#held
    if (tooMuch !== 0) return `${showBits(tooMuch)} came, and another group would not be given it`
    const late = silent || this.#zombie ? 0 : bitsOf(life.delivered.filter((one) => one.late)) & position.inFlight
    if (late !== 0) return `${showBits(late)} was in flight in order, and came again late`
    const { offsets } = life.flush()
    const ends = this.#logs.map((log) => log.length)
    if (offsets[0] !== ends[0] || offsets[1] !== ends[1]) return `resumes at ${offsets.join(' and ')} in the end`
    return wrongInOrder(life)
  }

  #orders({ offsets }: Position): readonly (readonly FeedIndex[])[] {
    const [east, west] = this.#logs
    return interleavings(east.length - offsets[0], west.length - offsets[1])
  }

  #show(position: Position): string {
    if (position.from === undefined) return `east ${showLog(this.#logs[0])}, west ${showLog(this.#logs[1])}; `
    return `${this.#show(position.from)}${showRhythm(position.by!)}, crash with ${position.key}; `
  }
}

/** What a crash leaves behind, and what was in flight in order then. */
interface Left {
  readonly stored: Stored
  readonly finished: number
  readonly booked: number
  readonly inFlight: number
}

/** Reads, is silent, acknowledges, and flushes in between. */
class CrashingLife {
  readonly #life: Life
  readonly #rhythm: Rhythm
  readonly #booking: boolean
  /** What it began with: finished as it was stored, and booked besides. */
  readonly #before: number
  readonly #booked: number
  #stored: Stored
  #acknowledged = 0
  #looked = 0
  readonly #waiting: Delivered[] = []

  constructor(logs: Logs, stored: Stored, rhythm: Rhythm, booking: boolean) {
    this.#life = new Life(logs, stored, NOT_ACKNOWLEDGING)
    this.#rhythm = rhythm
    this.#booking = booking
    this.#stored = stored
    this.#before = finishedIn(stored.stream)
    this.#booked = union((stored.booked ?? []).map((one) => bitOf(sequenceOf(one), one.first)))
  }

  get deliveries(): number {
    return this.#life.delivered.length
  }

  /** What is wrong with a flush, or undefined; `handleLeft` is told whenever a crash would leave something else behind. */
  live(handleLeft: (left: Left) => void): string | undefined {
    let moments = 0
    for (const moment of this.#moments()) {
      moment()
      const flushes = ++moments % this.#rhythm.flushEvery === 0
      if (flushes) {
        this.#stored = this.#life.flush()
        const wrong = this.#wrongInFlush(this.#stored)
        if (wrong !== undefined) return wrong
      }
      if (flushes || this.#booking) handleLeft(this.#left())
    }
    return wrongInOrder(this.#life)
  }

  #left(): Left {
    const finished = finishedIn(this.#stored.stream)
    const booked = this.#booking ? (this.#booked | this.#acknowledged) & ~finished : 0
    const inFlight = bitsOf(this.#inFlight().filter(({ late }) => !late))
    return { stored: this.#stored, finished: finished | booked, booked, inFlight }
  }

  *#moments(): Generator<() => void> {
    const { order, silenceAt } = this.#rhythm
    for (let place = 0; place <= order.length; place++) {
      if (place === silenceAt) yield () => this.#life.wait(LONG_MS)
      yield* this.#acknowledgements()
      if (place < order.length) yield () => this.#life.read(order[place]!)
      yield* this.#acknowledgements()
    }
    for (let last = this.#waiting.pop(); last !== undefined; last = this.#waiting.pop()) {
      const delivery = last
      yield () => this.#acknowledge(delivery)
    }
  }

  *#acknowledgements(): Generator<() => void> {
    for (; this.#looked < this.#life.delivered.length; this.#looked++) {
      const delivery = this.#life.delivered[this.#looked]!
      if (((this.#rhythm.atOnce >> this.#looked) & 1) === 1) yield () => this.#acknowledge(delivery)
      else this.#waiting.push(delivery)
    }
  }

  #acknowledge(delivery: Delivered): void {
    this.#acknowledged |= delivery.bit
    this.#life.acknowledge(delivery)
  }

  #inFlight(): Delivered[] {
    return this.#life.delivered.filter(({ bit }) => (this.#acknowledged & bit) === 0)
  }

  #wrongInFlush({ stream, offsets }: Stored): string | undefined {
    const finished = finishedIn(stream)
    const storable = ~this.#notStorable()
    const wanted = this.#before | (this.#acknowledged & storable)
    // What was booked is stored when the turn of its sequence has come, and stays booked until then.
    const booked = this.#booked & storable
    if ((finished & ~booked) !== (wanted & ~booked)) {
      return `stored ${showBits(finished)} as finished, not ${showBits(wanted)}`
    }
    for (const feed of FEEDS) {
      const resume = resumeOffset(this.#life, stream, feed)
      if (offsets[feed] !== resume) return `feed ${feed} resumes at ${offsets[feed]}, not ${resume}`
    }
    return undefined
  }

  /** While a delivery in order of an older epoch is in flight, nothing of a newer one is stored. */
  #notStorable(): number {
    let oldest = Infinity
    for (const { sequence, late } of this.#inFlight()) {
      if (!late) oldest = Math.min(oldest, SEQUENCES[sequence]!.epoch)
    }
    return union(SEQUENCES.map(({ epoch }, sequence) => (epoch > oldest ? bitsOfSequence(sequence) : 0)))
  }
}

/** position.md, What is finished 3, record by record: where a feed must begin again, as this flush stores it. */
function resumeOffset(life: Life, stream: StoredStream | undefined, feed: FeedIndex): number {
  const log = life.logs[feed]
  const settled = stream?.sequences.map(
    (sequence) => bitsIn(sequence, sequence.finished) | bitsIn(sequence, sequence.rejected),
  )
  const voided = stream?.sequences.map((sequence) => bitsIn(sequence, sequence.feeds[TIMES.clusters[feed]]!.voids))
  const all = union(settled)
  const stored = union(voided)
  for (let offset = life.start[feed]; offset < life.next[feed]; offset++) {
    const open = log[offset]!.bits & ~all
    if ((open & dataOf(log, offset + 1)) !== 0 || (open & ~stored) !== 0) return offset
  }
  return life.next[feed]
}

function finishedIn(stream: StoredStream | undefined): number {
  return union(stream?.sequences.map((sequence) => bitsIn(sequence, sequence.finished)))
}

function bitsIn(id: StoredSequence, runs: Iterable<{ readonly first: number; readonly last: number }>): number {
  const sequence = sequenceOf(id)
  let bits = 0
  for (const { first, last } of runs)
    for (let counter = first; counter <= last; counter++) bits |= bitOf(sequence, counter)
  return bits
}

function union(sets: readonly number[] = []): number {
  return sets.reduce((all, bits) => all | bits, 0)
}

/** All that what follows depends on. Offsets at which a feed last brought something are only carried. */
function keyOf({ stream, offsets }: Stored): string {
  let key = offsets.join(',')
  for (const { epoch, incarnation, frontier, finished, rejected, feeds } of stream?.sequences ?? []) {
    key += ` ${epoch}.${incarnation} up to ${frontier} finished ${String(finished)} rejected ${String(rejected)}`
    for (const cluster of TIMES.clusters) {
      for (const { first, last, offset } of feeds[cluster]!.voids) key += ` v${first}-${last}@${cluster[0]}${offset}`
    }
  }
  return key
}

function encode({ stream, offsets }: Stored): Fields {
  const fields = new Map(
    FEEDS.map((feed) => [feedField(TIMES.clusters[feed]), encodeFeed({ resumeOffset: offsets[feed], marks: [] })]),
  )
  if (stream !== undefined) fields.set(streamField('s'), encodeStream(stream))
  return fields
}

/** Anew for each life, as each makes it its own. */
function load({ fields, offsets, booked }: Position): Stored {
  return { stream: decodePosition(fields).streams[0], offsets, booked: countersOf(booked) }
}

function countersOf(bits: number): FinishedCounters[] {
  return SEQUENCES.flatMap((id, sequence) =>
    [1, 2, 3, 4, 5]
      .filter((counter) => (bits & bitOf(sequence, counter)) !== 0)
      .map((counter) => ({ producerId: 'p', keyRange: 0, ...id, first: counter, last: counter })),
  )
}

function showRhythm({ order, silenceAt, atOnce, flushEvery }: Rhythm): string {
  const flushes = flushEvery === 1 ? '' : `, a flush after every ${flushEvery}`
  return `${showReading(order, silenceAt)}, at once acknowledged ${atOnce.toString(2)}${flushes}`
}

function showReading(order: readonly FeedIndex[], silenceAt: number): string {
  return `read ${order.join('')}${silenceAt > order.length ? '' : `, a silence after ${silenceAt}`}`
}

const NOT_ACKNOWLEDGING = { ...CALM, acknowledging: false }
