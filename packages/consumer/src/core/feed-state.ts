import { EndQuery, type Answer } from './end-query.js'
import type { LogCheck } from './log-check.js'
import { Marks, type Mark } from './marks.js'
import { OpenRecords } from './open-records.js'

export type FeedIndex = 0 | 1
export const FEEDS = [0, 1] as const

/** What the arbiter knows of one feed of its partition. */
export class FeedState<R> {
  readonly open: OpenRecords<R>
  readonly end = new EndQuery()
  /** Offset of the next record to read; -1 until it is assigned. */
  nextOffset = -1
  /** It is to go on elsewhere, and its client does not know that yet: what comes meanwhile is of where it was. */
  seeking = false
  /** Polling time of its last record, or of its last word about its end. */
  heardAt: number
  /** Polling time at which it was last asked for a sign of life. */
  askedAt = -Infinity
  /** Where it was to read on when it was last asked for its end. */
  askedOffset = -1
  /** Since when it has been said to end, before what was read of it. */
  beyondEnd: { readonly end: number; readonly since: number } | undefined
  /** Of what lies behind where it resumes. */
  marks = new Marks()
  /** The record that was read last, and the digest of all up to it (marks.ts). */
  lastOffset = -1
  lastDigest = 0
  /** It was silent, so that its log may have changed: it is compared before anything else of it is believed. */
  suspect = false
  check: LogCheck | undefined
  /** Where it was said to end since then. */
  unproven: Answer | undefined
  /** Where it brings nothing though there is something, since when or since it was told again, and how long to wait. */
  stood: { readonly place: number; readonly at: number; readonly patienceMs: number } | undefined
  awaySince: number | undefined
  /**
   * Waited for in vain for `holeTimeoutMs` at this step (rules 6 and 7): counts as away until it is at an end that was
   * asked for after that, so that waits do not add up.
   */
  discountedAt: number | undefined
  /** It held as much as it may, and has not sunk to half of that since: it is paused, or scans. */
  full = false
  paused = false
  /**
   * While it scans: the offset that it will seek back to, of the first record whose payload was dropped. What it reads
   * meanwhile is not remembered as open, since nothing is stored beyond this offset.
   */
  scansFrom: number | undefined
  /** Of the record before that. */
  scanMark: Mark | undefined
  /** Delivery has come to what it scanned. */
  scanned = false
  heldMessages = 0
  heldBytes = 0
  /** Everything below was read before: what is read again says nothing about redundancy. */
  furthest = 0
  /** Where reading began without knowing what came before, if it did: at the log's start, or at the group's birth. */
  beganAt = -1

  constructor(feed: number, time: number) {
    this.open = new OpenRecords(feed)
    this.heardAt = time
  }

  /** Where it reads on. */
  get place(): number {
    return this.check?.verdict === undefined ? (this.check?.offset ?? this.nextOffset) : this.nextOffset
  }

  /** Whether it is waited for. */
  get live(): boolean {
    return this.awaySince === undefined && this.discountedAt === undefined
  }
}
