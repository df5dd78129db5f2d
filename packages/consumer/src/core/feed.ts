import type { TandemFact } from '@tandem/common/internal'

import { EndQuery, type Answer } from './end-query.js'
import { LogCheck } from './log-check.js'
import { chained, Marks, type Mark } from './marks.js'
import { OpenRecords } from './open-records.js'

export type FeedIndex = 0 | 1
export const FEEDS = [0, 1] as const

/** Where a feed is read from. */
export interface Place {
  readonly offset: number
  /** Nothing that its log may have had before this is known or owed. */
  readonly begins?: boolean
  /** What the group had before this is finished, and only its cluster's commit is left of that: it is not owed. */
  readonly recovered?: boolean
  /** What is known of the log that was read up to here, and where it begins and ends now. */
  readonly log?: { readonly marks: readonly Mark[]; readonly start: number; readonly end: number }
}

export type FeedCommand =
  | { readonly kind: 'ask-end'; readonly feed: FeedIndex; readonly step: number }
  | { readonly kind: 'ask-start'; readonly feed: FeedIndex }
  | { readonly kind: 'pause'; readonly feed: FeedIndex }
  | { readonly kind: 'resume'; readonly feed: FeedIndex }
  | { readonly kind: 'seek'; readonly feed: FeedIndex; readonly offset: number }
  | { readonly kind: 'tell'; readonly fact: TandemFact }

export interface FeedOptions {
  readonly cluster: string
  readonly topic: string
  readonly partition: number
  readonly feedAwayAfterMs: number
  readonly heldMessagesMax: number
  readonly heldBytesMax: number
}

/**
 * Why a feed goes on somewhere else: it goes back to what it `scanned`, and its voids stay known, since what a log says does
 * not change; it `starts` there; or its log has `changed` from there on.
 */
export type Unread = 'scanned' | 'starts' | 'changed'

/** What a feed needs of its arbiter. */
export interface FeedHost {
  /** Number of the event that is handled now. */
  step(): number
  command(command: FeedCommand): unknown
  /** The feed goes on at this offset: what it showed at or above it, it has not shown. */
  unread(index: FeedIndex, offset: number, why: Unread): void
}

/**
 * One feed of a partition: where it is read, whether it is waited for, how much of it is held, and whether its log is
 * still the one that was read before.
 *
 * A log may lose its tail and be filled again, and nothing tells. After each time that a feed was silent, or may have
 * been, a run of its records is read again and compared with marks (log-check.ts) before anything else of it is
 * believed; from where it is not the same, it is read again. Source: position.md, Damaged logs.
 */
export class Feed<R> {
  /** Records that are to be read again after a crash. */
  readonly open: OpenRecords<R>
  readonly end = new EndQuery()
  /** Offset of the next record to read; -1 until it is assigned. */
  nextOffset = -1
  /** It is to go on elsewhere, and its client does not know that yet: what comes meanwhile is of where it was. */
  seeking = false
  awaySince: number | undefined
  heldMessages = 0
  heldBytes = 0
  /** It held as much as it may, and has not sunk to half of that since: it is paused, or scans. */
  full = false
  paused = false
  /**
   * While it scans: the offset that it will seek back to, of the first record whose payload was dropped. What it reads
   * meanwhile is not remembered as open, since nothing is stored beyond this offset.
   */
  scansFrom: number | undefined
  /** Polling time at which it last went back to what it had scanned. */
  soughtBackAt = -Infinity
  /** Delivery has come to what it scanned. */
  scanned = false
  /** Everything below was read before: what is read again says nothing about redundancy. */
  furthest = 0
  /** Where reading began without knowing what came before, if it did: at the log's start, or at the group's birth. */
  beganAt = -1
  readonly #index: FeedIndex
  readonly #options: FeedOptions
  readonly #host: FeedHost
  /** Of the record before that at `scansFrom`. */
  #scanMark: Mark | undefined
  /** Polling time of its last record, or of its last word about its end. */
  #heardAt: number
  /** Polling time at which it was last asked for a sign of life. */
  #askedAt = -Infinity
  /** Where it was to read on when it was last asked for its end. */
  #askedOffset = -1
  /**
   * Waited for in vain for `holeTimeoutMs` at this step (rules 6 and 7): counts as away until it is at an end that was
   * asked for after that, so that waits do not add up.
   */
  #discountedAt: number | undefined
  /** Of what lies behind where it resumes. */
  #marks = new Marks()
  /** The record that was read last, and the digest of all up to it (marks.ts). */
  #last: Mark = { offset: -1, digest: 0 }
  /** It was silent, so that its log may have changed: it is compared before anything else of it is believed. */
  #suspect = false
  #check: LogCheck | undefined
  /** Where it was said to end since then. */
  #unproven: Answer | undefined
  /** Since when it has been said to end, before what was read of it. */
  #beyondEnd: { readonly end: number; readonly since: number } | undefined
  /** Where it brings nothing though there is something, since when or since it was told again, and how long to wait. */
  #stood: { readonly place: number; readonly at: number; readonly patienceMs: number } | undefined

  constructor(index: FeedIndex, options: FeedOptions, host: FeedHost, time: number) {
    this.open = new OpenRecords(index)
    this.#index = index
    this.#options = options
    this.#host = host
    this.#heardAt = time
  }

  /** Where it reads on. */
  get place(): number {
    return this.#check?.verdict === undefined ? (this.#check?.offset ?? this.nextOffset) : this.nextOffset
  }

  /** Whether it is waited for. */
  get live(): boolean {
    return this.awaySince === undefined && this.#discountedAt === undefined
  }

  /** Whether it is at this offset of a log that is known to be the same, or beyond. */
  hasRead(offset: number): boolean {
    return (
      this.live &&
      !this.#suspect &&
      this.#check === undefined &&
      this.scansFrom === undefined &&
      this.nextOffset >= offset
    )
  }

  /** Whether it may go back now, as delivery has come to what it scanned. */
  get isDue(): boolean {
    return this.scanned && this.#check === undefined
  }

  get name(): { cluster: string; topic: string; partition: number } {
    const { cluster, topic, partition } = this.#options
    return { cluster, topic, partition }
  }

  // --- reading --------------------------------------------------------------------------------------------------

  /** @returns where to begin, which is a little earlier if its log is to be compared with marks first. */
  handleAssigned({ offset, begins = false, log }: Place): number {
    this.#startAt(offset, begins, 'starts')
    if (log === undefined) {
      this.#readAnew()
      return offset
    }
    this.#marks = new Marks(log.marks)
    this.#readAfter(this.#marks.newest)
    const check = new LogCheck(log.marks, log)
    const seek = check.takeSeek()
    if (seek !== undefined) {
      this.#check = check
      return seek
    }
    const { kind } = check.verdict!
    if (kind === 'same' && offset <= log.end) return offset
    this.#readAgain(log.start, kind !== 'unknown')
    return this.nextOffset
  }

  /**
   * Whether what it brings is of the log that was read before: not while that is compared, or is to go on elsewhere.
   *
   * @param digest of the record at `offset`; undefined if the log ends there.
   */
  believes(offset: number, digest: number | undefined, time: number): boolean {
    if (this.seeking) return false
    if (this.#suspect) this.handleSilence(time)
    if (this.seeking) return false
    if (this.#check === undefined) return true
    this.#heard(time)
    if (digest === undefined) this.#check.handleEnd(offset)
    else this.#check.handleRecord(offset, digest)
    this.#conclude(time)
    return false // it was handled in its time
  }

  /** It has read up to (not including) this offset. */
  handleRead(nextOffset: number, time: number): void {
    this.nextOffset = nextOffset
    this.end.handleOffset(nextOffset, time)
    this.#heard(time)
  }

  noteRead(offset: number, wholeDigest: number): void {
    this.#last = { offset, digest: chained(this.#last.digest, wholeDigest) }
  }

  /** It was silent, or may have been: its log is compared before anything else of it is believed. */
  handleSilence(time: number): void {
    this.#suspect = false
    if (this.#check !== undefined || this.nextOffset < 0) return
    this.#compare({}, time)
    // Also if there is nothing to compare: what its client has read ahead is of before.
    if (!this.seeking) this.#seek(this.nextOffset)
  }

  #startAt(offset: number, begins: boolean, why: 'starts' | 'changed'): void {
    this.#rewind(offset, why)
    if (begins && offset > 0) this.beganAt = offset
  }

  #rewind(offset: number, why: Unread): void {
    if (this.nextOffset >= 0) {
      this.end.clear()
      this.end.want(this.#host.step())
    }
    this.furthest = Math.max(this.furthest, this.nextOffset)
    this.nextOffset = offset
    this.scansFrom = undefined
    this.#scanMark = undefined
    this.scanned = false
    this.#check = undefined
    this.#unproven = undefined
    this.open.rewind(offset)
    this.#host.unread(this.#index, offset, why)
  }

  #seek(offset: number): void {
    this.seeking = true
    this.#host.command({ kind: 'seek', feed: this.#index, offset })
  }

  // --- signs of life --------------------------------------------------------------------------------------------

  /** Answer to `ask-end`. @returns false if it says nothing. */
  handleEnd(answer: { readonly step: number; readonly end: number }, time: number): boolean {
    if (this.#suspect) this.handleSilence(time)
    // Of a log that may be another one, the end says something when that is known.
    if (this.#check !== undefined) {
      if (!this.end.handleFailed(answer.step, time)) return false
      this.#unproven = { askedStep: answer.step, end: answer.end }
    } else if (!this.end.handleAnswer(answer.step, answer.end, this.nextOffset, time)) return false
    this.#heard(time)
    this.#look(answer.end, time)
    return true
  }

  /** Answer to `ask-start`: where the log begins. */
  handleStart(start: number, time: number): void {
    const { nextOffset } = this
    const check = this.#check
    if (start > nextOffset) {
      this.#tell({ kind: 'log-start-moved', ...this.name, from: nextOffset, to: start })
      this.#check = undefined
      this.nextOffset = start
      this.#readAnew()
      this.end.handleOffset(start, time)
      this.beganAt = start
      this.#seek(start)
    } else if (check?.verdict !== undefined) this.#conclude(time, start)
    else if (this.#beyondEnd !== undefined && this.#beyondEnd.end < (check?.end ?? Infinity)) {
      this.#compare({ start, end: this.#beyondEnd.end }, time)
    } else if (check !== undefined && start > check.offset) {
      this.#compare({ start, end: check.end }, time)
      // Its client was told to read what is gone.
      if (!this.seeking) this.#seek(this.place)
    } else this.#stir(time)
  }

  handleDeadline(time: number): void {
    if (this.awaySince === undefined && time - this.#heardAt >= this.#options.feedAwayAfterMs) {
      this.awaySince = time
      this.#suspect = true
      this.#tell({ kind: 'feed-away', ...this.name })
    }
    if (time >= this.#heartbeatAt) {
      this.#askedAt = time
      this.end.want(this.#host.step())
    }
  }

  /** Polling time at which it wants `handleDeadline`. */
  get deadline(): number {
    const away = this.awaySince === undefined ? this.#heardAt + this.#options.feedAwayAfterMs : Infinity
    return Math.min(this.#heartbeatAt, this.end.deadline ?? Infinity, away)
  }

  /** It is asked for its end. */
  handleAsked(step: number): void {
    this.end.handleAsked(step)
    this.#askedOffset = this.place
  }

  /** Waited for in vain: counts as away until it is at an end asked for from now on. */
  discount(): void {
    this.#discountedAt = this.#host.step()
    this.end.want(this.#host.step())
    this.#tell({ kind: 'feed-discounted', ...this.name })
  }

  #heard(time: number): void {
    this.#heardAt = time
    if (this.#discountedAt !== undefined && this.end.reachedAfter(this.#discountedAt) !== undefined) {
      this.#discountedAt = undefined
    }
    if (this.awaySince === undefined) return
    this.#tell({ kind: 'feed-returned', ...this.name, awayMs: Math.round(time - this.awaySince) })
    this.awaySince = undefined
  }

  /**
   * Nothing was read while it was asked for its end, and it is not at it: its log may have lost what was to be read next
   * by retention, or its tail. A leader that was deposed may know less for a while.
   */
  #look(end: number, time: number): void {
    const { place } = this
    const stands = this.#askedOffset >= 0 && this.#askedOffset === place
    if (!stands || end >= this.nextOffset) this.#beyondEnd = undefined
    else this.#beyondEnd = { end, since: this.#beyondEnd?.since ?? time }
    if (!stands || this.paused || (this.#check === undefined && end === place)) return
    if (this.#beyondEnd !== undefined && time - this.#beyondEnd.since < this.#options.feedAwayAfterMs) return
    this.#host.command({ kind: 'ask-start', feed: this.#index })
  }

  /** When it is next asked for its end if it brings nothing, which is its sign of life. */
  get #heartbeatAt(): number {
    return Math.max(this.#heardAt, this.#askedAt) + this.#options.feedAwayAfterMs / HEARTBEATS
  }

  // --- the held bound -------------------------------------------------------------------------------------------

  handleHeld(messages: number, bytes: number): void {
    this.heldMessages += messages
    this.heldBytes += bytes
    const { heldMessagesMax, heldBytesMax } = this.#options
    if (this.heldMessages >= heldMessagesMax || this.heldBytes >= heldBytesMax) this.full = true
  }

  handleReleased(messages: number, bytes: number): void {
    this.heldMessages -= messages
    this.heldBytes -= bytes
    const { heldMessagesMax, heldBytesMax } = this.#options
    if (!this.full || this.heldMessages * 2 > heldMessagesMax || this.heldBytes * 2 > heldBytesMax) return
    this.full = false
    this.#resume()
  }

  pause(): void {
    if (this.paused) return
    this.paused = true
    this.#host.command({ kind: 'pause', feed: this.#index })
    this.#tell({ kind: 'feed-paused', ...this.name, held: this.heldMessages })
  }

  /** Reads on by stamps; the payloads that it held, of records from this offset on, were dropped. */
  scan(from: number): void {
    this.#tell({ kind: 'feed-scanning', ...this.name, held: this.heldMessages, offset: from })
    this.full = false
    this.heldMessages = 0
    this.heldBytes = 0
    this.scansFrom = from
    this.#scanMark = this.open.markBefore(from)
    this.open.rewind(from)
    this.#resume()
  }

  seekBack(time: number): void {
    const offset = this.scansFrom!
    this.soughtBackAt = time
    const mark = this.#scanMark
    this.#tell({ kind: 'feed-sought-back', ...this.name, from: this.nextOffset, to: offset })
    this.#seek(offset)
    this.#rewind(offset, 'scanned')
    this.#readAfter(mark)
  }

  #resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#host.command({ kind: 'resume', feed: this.#index })
  }

  // --- what is stored -------------------------------------------------------------------------------------------

  /** Remembers a record that is to be read again after a crash, until what is in it is finished. */
  handleOpen(record: Pick<Parameters<OpenRecords<R>['open']>[0], 'offset' | 'sequence' | 'first' | 'last'>): void {
    if (this.scansFrom !== undefined) return
    const { offset, sequence, first, last } = record
    const { offset: beforeOffset, digest: beforeDigest } = this.#last
    this.open.open({ offset, sequence, first, last, beforeOffset, beforeDigest })
  }

  /** First offset that must be read again after a crash. */
  resumeOffset(): number {
    return this.open.resumeOffset(this.scansFrom ?? this.nextOffset)
  }

  /** By which its log is known again that resumes at this offset, as `resumeOffset` gave it. */
  marksBefore(resumeOffset: number): readonly Mark[] {
    const last = this.scansFrom === undefined ? this.#last : this.#scanMark
    const mark = this.open.size > 0 ? this.open.markBefore(resumeOffset) : last
    if (mark !== undefined && mark.offset < resumeOffset) this.#marks.add(mark)
    // Something older may be unfinished than what is known of the log since it was read anew.
    return this.#marks.all.filter((one) => one.offset < resumeOffset)
  }

  // --- damaged logs ---------------------------------------------------------------------------------------------

  /** What was read of its log up to here is known by this mark. */
  #readAfter(mark: Mark | undefined): void {
    if (mark === undefined) this.#readAnew()
    else this.#last = mark
  }

  /** Nothing is known of its log below where it is read on. */
  #readAnew(): void {
    this.#last = { offset: this.nextOffset - 1, digest: 0 }
    this.#marks = new Marks([this.#last])
  }

  /** Begins to compare the log with what was read of it. */
  #compare(log: { readonly start?: number; readonly end?: number }, time: number): void {
    const older = this.#marks.all.filter((mark) => mark.offset < this.#last.offset)
    this.#check = new LogCheck([...older, this.#last], log)
    this.#conclude(time, log.start)
  }

  /**
   * It brings nothing for a while, though there is something: its client may have been told to read where there was
   * nothing yet, and reads on nowhere. Ever less often at one place, since it may be a slow one, and begins anew each time.
   */
  #stir(time: number): void {
    const { place } = this
    const stood = this.#stood
    if (stood?.place !== place) {
      this.#stood = { place, at: time, patienceMs: this.#options.feedAwayAfterMs / HEARTBEATS }
      return
    }
    if (time < stood.at + stood.patienceMs) return
    this.#stood = { place, at: time, patienceMs: stood.patienceMs * 2 }
    if (this.#check === undefined) this.handleSilence(time)
    if (!this.seeking) this.#seek(place)
  }

  /** Acts on what the check has come to; `start` is where the log begins, if that was asked. */
  #conclude(time: number, start?: number): void {
    const { verdict } = this.#check!
    if (verdict === undefined) {
      const seek = this.#check!.takeSeek()
      if (seek !== undefined) this.#seek(seek)
    } else if (verdict.kind === 'same') {
      this.#check = undefined
      const unproven = this.#unproven
      if (unproven === undefined) return
      this.#unproven = undefined
      this.end.handleProven(unproven, this.nextOffset, time)
      this.#heard(time)
    } else if (verdict.from === undefined && start === undefined) {
      this.#host.command({ kind: 'ask-start', feed: this.#index })
    } else {
      this.#readAgain((verdict.from ?? start)!, verdict.kind === 'changed')
      this.#seek(this.nextOffset)
    }
  }

  /** From here on it is another log, or may be: all of it is read again, and what was finished is dropped. */
  #readAgain(from: number, changed: boolean): void {
    const { nextOffset, scansFrom = from } = this
    const offset = Math.min(from, scansFrom)
    if (changed) this.#tell({ kind: 'log-truncated', ...this.name, from: nextOffset, to: offset })
    this.#beyondEnd = undefined
    this.#marks.rewind(offset)
    const known = this.#marks.newest?.offset === offset - 1
    this.#startAt(offset, !known, 'changed')
    this.furthest = offset
    if (known) this.#readAfter(this.#marks.newest)
    else this.#readAnew()
  }

  #tell(fact: TandemFact): void {
    this.#host.command({ kind: 'tell', fact })
  }
}

/** Ends asked of a silent feed within `feedAwayAfterMs`: one lost answer does not make it away. */
const HEARTBEATS = 3
