import type { TandemFact } from '@tandem/common/internal'
import {
  Arbiter,
  storedStream,
  type Deliver,
  type FeedIndex,
  type FinishedCounters,
  type StoredStream,
} from '@tandem/consumer/internal'

import { bitOf, sequenceOf, type Entry, type Logs } from './log.js'

/**
 * One life of a consumer on one partition: an arbiter between two written logs and a store.
 *
 * The case says what is read next, when time passes, how questions about ends are answered and what is acknowledged.
 * What happened is written down in the order in which it did, so that a judge can tell afterwards what was allowed.
 */
export interface Delivered {
  readonly sequence: number
  readonly counter: number
  readonly bit: number
  readonly late: boolean
  /** Records read by then. */
  readonly at: number
  readonly cause: Deliver<null>
}

/** A question about an end that was answered; places are records read by then. */
export interface Answered {
  readonly feed: FeedIndex
  readonly askedAt: number
  readonly askedMs: number
  readonly answeredAt: number
  readonly end: number
}

export interface Silence {
  readonly at: number
  readonly fromMs: number
  readonly ms: number
}

/** A feed brought nothing and said nothing for `feedAwayAfterMs`; both places as records read by then. */
export interface Absence {
  readonly feed: FeedIndex
  readonly from: number
  until: number
}

export interface Surroundings {
  /** Where a log ends when that is asked: everything is written already, or nothing beyond what was read. */
  readonly written: 'whole' | 'read'
  /** Questions wait for their answers until so many records are read; then each is answered at once. */
  readonly answersFrom: number
  readonly heldMessagesMax: number
  /** Whether the subscriber acknowledges what it is given at once. */
  readonly acknowledging: boolean
}

export const CALM: Surroundings = { written: 'whole', answersFrom: 0, heldMessagesMax: 1_000, acknowledging: true }

/** What a store has; of streams there is one. */
export interface Stored {
  readonly stream: StoredStream | undefined
  readonly offsets: readonly [number, number]
  /** Booked by transactions of the user's, and not finished in `stream`. */
  readonly booked?: readonly FinishedCounters[]
}

export const NOTHING: Stored = { stream: undefined, offsets: [0, 0] }

export class Life {
  readonly logs: Logs
  readonly arbiter: Arbiter<null>
  readonly delivered: Delivered[] = []
  readonly reads: { readonly feed: FeedIndex; readonly offset: number; readonly entry: Entry }[] = []
  readonly answered: Answered[] = []
  readonly silences: Silence[] = []
  readonly absences: Absence[] = []
  /** Messages, by the kind of the fact that told of them. */
  readonly told = { opened: 0, paid: 0, rejected: 0, afterVoid: 0 }
  /** Offsets at which it began to read, and reads next. */
  readonly start: readonly [number, number]
  readonly next: [number, number]
  /** Cluster that gives no answer, if any: its questions fail. */
  mute: FeedIndex | undefined
  readonly #surroundings: Surroundings
  readonly #questions: (Omit<Answered, 'answeredAt'> & { readonly step: number })[] = []
  readonly #heardAt: [number, number] = [0, 0]
  /** Up to where feeds that went back are read again. */
  readonly #again: [number, number] = [0, 0]
  #time = 0
  #stored: Stored

  constructor(logs: Logs, stored = NOTHING, surroundings = CALM) {
    this.logs = logs
    this.#stored = stored
    this.#surroundings = surroundings
    this.start = stored.offsets
    this.next = [...stored.offsets]
    this.arbiter = new Arbiter<null>({ ...TIMES, heldMessagesMax: surroundings.heldMessagesMax }, 0)
    if (stored.stream !== undefined) this.arbiter.restore(stored.stream)
    for (const one of stored.booked ?? []) this.arbiter.restoreFinished(one, 0)
    for (const feed of FEEDS) this.arbiter.handleAssigned(feed, { offset: stored.offsets[feed] })
  }

  /** Reads the next record of a feed, unless there is none or the feed is paused. */
  read(feed: FeedIndex): boolean {
    const offset = this.next[feed]
    const entry = this.logs[feed][offset]
    if (entry === undefined || this.arbiter.feeds[feed].paused) return false
    this.next[feed]++
    this.#hear(feed)
    this.reads.push({ feed, offset, entry })
    const { stamp } = entry
    const digests = { digest: stamp.first, wholeDigest: offset, wallMs: 0 }
    this.arbiter.handleRecord({ feed, offset, stamp, bytes: 1, ...digests, record: null }, this.#time)
    this.#drain()
    if (this.#questions.length > 0) this.#answer()
    return true
  }

  readRest(): void {
    for (const feed of FEEDS) while (this.read(feed));
  }

  get done(): boolean {
    return FEEDS.every((feed) => this.next[feed] === this.logs[feed].length)
  }

  wait(ms: number): void {
    this.silences.push({ at: this.reads.length, fromMs: this.#time, ms })
    const until = this.#time + ms
    this.#answer()
    for (let at = this.arbiter.deadline(); at <= until; at = this.arbiter.deadline()) {
      this.#time = Math.max(this.#time, at)
      this.arbiter.handleDeadline(this.#time)
      this.#drain()
    }
    this.#time = until
    for (const feed of FEEDS) {
      if (until - this.#heardAt[feed] < TIMES.feedAwayAfterMs) continue
      this.absences.push({ feed, from: this.reads.length, until: Infinity })
    }
  }

  acknowledge({ cause, counter }: Delivered): void {
    this.arbiter.handleFinished(cause, counter, counter)
    this.#drain()
  }

  /** What the store has after a flush now: only what changed is carried. */
  flush(): Stored {
    const [changed] = this.arbiter.takeChanged()
    const stream = changed === undefined ? undefined : storedStream(changed, TIMES.clusters)
    const offsets = [this.arbiter.resumeOffset(0), this.arbiter.resumeOffset(1)] as const
    this.#stored = { stream: stream ?? this.#stored.stream, offsets }
    return this.#stored
  }

  #drain(): void {
    for (let command = this.arbiter.poll(this.#time); command !== undefined; command = this.arbiter.poll(this.#time)) {
      if (command.kind === 'deliver') this.#handleDelivered(command)
      else if (command.kind === 'ask-end') this.#handleAsked(command.feed, command.step)
      else if (command.kind === 'seek') this.#seek(command.feed, command.offset)
      else if (command.kind === 'tell') this.#handleTold(command.fact)
    }
    for (const feed of FEEDS) {
      const again = this.#again[feed]
      this.#again[feed] = 0
      while (this.next[feed] < again && this.read(feed));
    }
  }

  /** What a feed had read before is there again at once. */
  #seek(feed: FeedIndex, offset: number): void {
    this.#again[feed] = Math.max(this.#again[feed], this.next[feed])
    this.next[feed] = offset
  }

  #handleDelivered(cause: Deliver<null>): void {
    const sequence = sequenceOf(cause.sequence)
    for (let counter = cause.first; counter <= cause.last; counter++) {
      const bit = bitOf(sequence, counter)
      this.delivered.push({ sequence, counter, bit, late: cause.late, at: this.reads.length, cause })
      if (this.#surroundings.acknowledging) this.arbiter.handleFinished(cause, counter, counter)
    }
  }

  #handleAsked(feed: FeedIndex, step: number): void {
    if (feed === this.mute) {
      this.arbiter.handleEndFailed(feed, step, this.#time)
      return
    }
    const end = this.#surroundings.written === 'whole' ? this.logs[feed].length : this.next[feed]
    this.#questions.push({ feed, step, askedAt: this.reads.length, askedMs: this.#time, end })
    this.#answer()
  }

  #answer(): void {
    const answeredAt = this.reads.length
    if (answeredAt < this.#surroundings.answersFrom) return
    for (let question = this.#questions.shift(); question !== undefined; question = this.#questions.shift()) {
      const { feed, step, askedAt, askedMs, end } = question
      this.#hear(feed)
      this.answered.push({ feed, askedAt, askedMs, answeredAt, end })
      this.arbiter.handleEnd({ feed, step, end }, this.#time)
      this.#drain()
    }
  }

  #hear(feed: FeedIndex): void {
    this.#heardAt[feed] = this.#time
    for (const absence of this.absences) {
      if (absence.feed === feed) absence.until = Math.min(absence.until, this.reads.length)
    }
  }

  #handleTold(fact: TandemFact): void {
    if (fact.kind === 'debt-opened') this.told.opened += fact.count
    else if (fact.kind === 'debt-paid') this.told.paid += fact.count
    else if (fact.kind === 'positions-rejected') this.told.rejected += fact.count
    else if (fact.kind === 'data-after-void') this.told.afterVoid += fact.count
  }
}

export const FEEDS = [0, 1] as const

/** Short clocks: what matters is which comes first. */
export const TIMES = {
  topic: 't',
  partition: 0,
  clusters: ['east', 'west'],
  order: 'late',
  gapTimeoutMs: 500,
  holeTimeoutMs: 6_000,
  feedAwayAfterMs: 10_000,
  heldBytesMax: 1_000_000,
  intervalsMax: 100_000,
  from: 'earliest',
} as const

/** A silence that is over after `gapTimeoutMs`, one after `holeTimeoutMs`, one after `feedAwayAfterMs` and a hole. */
export const SHORT_MS = 600
export const LONG_MS = 7_000
export const AWAY_MS = 18_000
