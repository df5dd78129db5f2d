import { Intervals } from '@tandem/common/internal'

import { FEEDS, type FeedIndex } from './feed.js'
import { Held } from './held.js'
import { Sightings } from './sightings.js'
import { Voids } from './voids.js'

export interface Stall {
  /** First counter of the hole … */
  readonly first: number
  /** … and how many there are; 0 if it is its turn that is waited for. */
  readonly count: number
  /** Those whose word is missing. */
  readonly feeds: readonly FeedIndex[]
  /** Polling time at which it was told. */
  readonly since: number
}

/**
 * What is known of one sequence of one partition: the table that the rules are read from.
 *
 * `delivered` is what is finished or in flight; below the frontier, what it and `rejected` lack is a debt. A sequence
 * says what may be stored of itself; it decides nothing.
 */
export class Sequence<R> {
  /** Tells sequences of one arbiter apart in few bits. */
  readonly index: number
  readonly epoch: number
  readonly incarnation: number
  /** Delivery in order has gone up to here. */
  frontier = 0
  /** First counter that is owed: 1, unless the group was born in its midst (`from: 'latest'`). */
  origin = 1
  /** Whether its turn has come (rule 7); what is read before is held. */
  begun = false
  /** It may have been forgotten: what is missing before it begins is not owed. */
  reopened = false
  readonly delivered: Intervals
  readonly finished: Intervals
  readonly rejected: Intervals
  readonly lateInFlight = new Intervals()
  /** Messages delivered in order and not yet finished. */
  inOrderInFlight = 0
  readonly voids: readonly [Voids, Voids] = [new Voids(), new Voids()]
  readonly held: readonly [Held<R>, Held<R>] = [new Held(), new Held()]
  /** Beyond the frontier, read by a feed that scans: it has them, and will read them again. */
  readonly scanned: [Intervals, Intervals] = [new Intervals(), new Intervals()]
  /** Seen on any feed, and on each, beyond the frontier. */
  readonly sightings = new Sightings()
  readonly sightingsOf: readonly [Sightings, Sightings] = [new Sightings(), new Sightings()]
  readonly firstSeen: { readonly time: number; readonly step: number }
  /** It stands, and no time ends that (`order: 'strict'`). */
  stall: Stall | undefined
  /** Highest offset at which each feed brought something of it; -1 for never. */
  readonly lastOffsets: [number, number] = [-1, -1]
  /** When something of it was last read, ms since 1970. */
  lastSeenMs = 0
  /** The first counter that each feed brought of it, if it may have had others before where it is read from; else 0. */
  readonly readFrom: [number, number] = [0, 0]
  /** False while an older sequence of the stream has in-order deliveries in flight (position.md, strict-crash). */
  storable = true

  constructor(
    index: number,
    id: { readonly epoch: number; readonly incarnation: number },
    firstSeen: { readonly time: number; readonly step: number },
    stored?: {
      readonly frontier: number
      readonly origin: number
      readonly finished: Intervals
      readonly rejected: Intervals
      readonly lastSeenMs: number
    },
  ) {
    this.index = index
    this.epoch = id.epoch
    this.incarnation = id.incarnation
    this.firstSeen = firstSeen
    this.finished = stored?.finished ?? new Intervals()
    this.rejected = stored?.rejected ?? new Intervals()
    this.delivered = this.finished.clone()
    if (stored !== undefined) {
      this.frontier = stored.frontier
      this.origin = stored.origin
      this.lastSeenMs = stored.lastSeenMs
      this.begun = true
    }
  }

  /** What is missing below `counter` was before the group, and is not owed. */
  beginAt(counter: number): void {
    this.begun = true
    this.origin = counter
    this.frontier = counter - 1
  }

  /** Whether something read waits for its turn. */
  get holds(): boolean {
    return FEEDS.some((feed) => this.held[feed].size > 0 || this.scanned[feed].size > 0)
  }

  /** Whether nothing beyond the frontier is known. */
  get quiet(): boolean {
    return this.sightings.high <= this.frontier + 1 && !this.holds
  }

  /** Messages of the contiguous finished prefix. */
  get highWater(): number {
    return (this.finished.runEnd(this.origin) ?? this.origin - 1) - this.origin + 1
  }

  /** Counters that delivery went past and that are still owed. */
  get debts(): number {
    let debts = 0
    for (const open of this.delivered.missing(this.origin, this.frontier)) {
      for (const { first, last } of this.rejected.missing(open.first, open.last)) debts += last - first + 1
    }
    return debts
  }

  /** No higher than just below the lowest in-order delivery in flight, so that it comes again in order. */
  get storedFrontier(): number {
    if (this.inOrderInFlight === 0) return this.frontier
    for (const { first, last } of this.delivered) {
      for (const open of this.finished.missing(first, last)) {
        for (const inOrder of this.lateInFlight.missing(open.first, open.last)) return inOrder.first - 1
      }
    }
    return this.frontier
  }

  /** Whether a feed may resume behind a record at `offset` that carries first…last, as a flush now would store it. */
  settles(feed: number, offset: number, first: number, last: number): boolean {
    if (!this.storable || !this.begun) return false
    if (this.finished.covers(first, last)) return true
    const storedFrontier = this.storedFrontier
    for (const open of this.finished.missing(first, last)) {
      for (const owed of this.rejected.missing(open.first, open.last)) {
        if (owed.last > storedFrontier) return false
        for (let counter = owed.first; counter <= owed.last;) {
          const entry = this.voids[feed]!.at(counter)
          if (entry === undefined || entry.offset > offset) return false
          counter = entry.last + 1
        }
      }
    }
    return true
  }
}
