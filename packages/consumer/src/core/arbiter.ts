import { Intervals, streamKey, type SequenceId, type Stamp, type TandemFact } from '@tandem/common/internal'

import { Digests } from './digests.js'
import { Feed, FEEDS, type FeedCommand, type FeedHost, type FeedIndex, type Place, type Unread } from './feed.js'
import { forNothing, judgeBeginning, judgeHole, type Verdict, type Wait } from './hole.js'
import type { Mark } from './marks.js'
import { Sequence } from './sequence.js'
import type { StoredStream } from './stored-stream.js'
import { Stream } from './stream.js'
import { unstampedStream } from './unstamped.js'

/**
 * Merges the two feeds of one partition into one order and lets each message through once.
 *
 * Each sequence has a frontier. What stands just above it is delivered, what is below and not yet delivered is a debt
 * and delivered late, what is beyond is held. Nothing is concluded from a hole in one feed, for its lane may still
 * write it; a hole is gone past when no feed that is live can be expected to bring it, and what is gone past stays
 * owed. A newer epoch of a stream waits until no feed can bring more of the older in order.
 *
 * Everything works on intervals, so that a frame is nothing special. `time` is polling time (polling-clock.ts): it
 * stands still while we do not ask. A stream that waits for nothing costs nothing: `unsettled` lists the others, and
 * only those are looked at when a feed goes away, reaches an end, or a deadline passes.
 *
 * At the held bound a feed waits for the other one as long as that may bring what is missing. Otherwise what is missing
 * may lie just behind in its own log: it drops the payloads that it holds and **scans**, which is to read on by stamps,
 * still delivering what stands at a frontier or is owed; once delivery comes to what it dropped, it seeks back.
 *
 * Holds rules 1 to 9 of protocol.md, Arbitration; 6 and 7 with hole.ts.
 */
export type { FeedIndex, Place } from './feed.js'

export interface ArbiterOptions {
  readonly topic: string
  readonly partition: number
  readonly clusters: readonly [string, string]
  readonly order: 'late' | 'strict'
  readonly gapTimeoutMs: number
  readonly holeTimeoutMs: number
  readonly feedAwayAfterMs: number
  readonly heldMessagesMax: number
  readonly heldBytesMax: number
  /** Finished intervals of one sequence. */
  readonly intervalsMax: number
  readonly from: 'earliest' | 'latest'
}

/** What a stream waits for without end: counters that are missing, or, if there are none (`count` 0), the turn of a sequence. */
export interface HoleOfStream {
  /** Key of the stream: key range and producerId. */
  readonly stream: string
  readonly epoch: number
  readonly incarnation: number
  /** First counter that is missing. */
  readonly first: number
  readonly count: number
}

/** A stamped record, as a feed brought it. */
export interface Arrival<R> {
  readonly feed: FeedIndex
  readonly offset: number
  readonly stamp: Stamp
  readonly bytes: number
  /** Of key, value and headers without the stamp; equal bytes have equal digests. */
  readonly digest: number
  /** Of all of it: by this the log is known again. */
  readonly wholeDigest: number
  /** When it was read, ms since 1970. */
  readonly wallMs: number
  readonly record: R
}

/** A record without a stamp, as a feed brought it. */
export interface Foreign<R> {
  readonly feed: FeedIndex
  readonly offset: number
  readonly wholeDigest: number
  /** If it is to be delivered. */
  readonly content?: { readonly bytes: number; readonly wallMs: number; readonly record: R } | undefined
}

export interface Deliver<R> {
  readonly kind: 'deliver'
  readonly stream: Stream<R>
  readonly sequence: Sequence<R>
  readonly first: number
  readonly last: number
  readonly late: boolean
  readonly feed: FeedIndex
  readonly record: R
}

export type ArbiterCommand<R> = Deliver<R> | FeedCommand

/** Where both logs began and ended when they were asked. */
export interface Oldest {
  readonly starts: readonly [number, number]
  readonly ends: readonly [number, number]
  /** What was not seen since then, ms since 1970, nobody writes again. */
  readonly sinceMs: number
}

interface Piece<R> {
  readonly feed: FeedIndex
  readonly offset: number
  readonly first: number
  readonly last: number
  readonly bytes: number
  readonly record: R
}

export class Arbiter<R> {
  readonly feeds: readonly [Feed<R>, Feed<R>]
  readonly streams = new Map<string, Stream<R>>()
  /** Messages read and not delivered, since the other feed had brought them: the proof of redundancy. */
  duplicatesDropped = 0
  readonly #options: ArbiterOptions
  /** Of sequences up to this epoch some were forgotten; -1 if none. */
  forgottenEpoch = -1
  #shrunk = false
  #oldest: Oldest | undefined
  /** A stream begins for this group with the first that is seen of it: what was before is not owed. */
  #bornInMidst: boolean
  readonly #digests = new Digests()
  readonly #unsettled = new Set<Stream<R>>()
  #changed: Stream<R>[] = []
  #commands: ArbiterCommand<R>[] = []
  #polled = 0
  #step = 0
  #sequences = 0

  constructor(options: ArbiterOptions, time: number) {
    this.#options = options
    this.#bornInMidst = options.from === 'latest'
    const host: FeedHost = {
      step: () => this.#step,
      command: (command) => this.#commands.push(command),
      unread: (feed, offset, why) => this.#unread(feed, offset, why),
    }
    const [first, second] = options.clusters
    this.feeds = [
      new Feed(0, { ...options, cluster: first }, host, time),
      new Feed(1, { ...options, cluster: second }, host, time),
    ]
  }

  // --- events ---------------------------------------------------------------------------------------------------

  /**
   * A feed is to be read from here on; returns where to begin, which is a little earlier if its log is to be compared
   * with marks first. Voids at or above it will be read again, and are not believed in advance.
   */
  handleAssigned(feed: FeedIndex, place: Place): number {
    if (place.recovered === true && place.offset > 0) this.#bornInMidst = true
    return this.feeds[feed].handleAssigned(place)
  }

  /**
   * A feed was silent, or may have been: a connection was lost, a leader changed, our own clock stood still. Its log is
   * compared before anything else of it is believed.
   */
  handleSilence(feed: FeedIndex, time: number): void {
    this.#step++
    this.feeds[feed].handleSilence(time)
  }

  handleRecord(arrival: Arrival<R>, time: number): void {
    const { feed, offset, stamp, wholeDigest } = arrival
    if (!this.feeds[feed].believes(offset, wholeDigest, time)) return
    this.#step++
    this.feeds[feed].handleRead(offset + 1, time)
    const stream = this.#streamOf(stamp)
    if (stamp.epoch > stream.epochsOf[feed].high) {
      stream.epochsOf[feed].note({ high: stamp.epoch, time, step: this.#step, offset })
    }
    const sequence = this.#sequenceOf(stream, stamp, time)
    if (sequence.lastOffsets[feed] < this.feeds[feed].beganAt) sequence.readFrom[feed] = stamp.first
    sequence.lastOffsets[feed] = Math.max(sequence.lastOffsets[feed], offset)
    sequence.lastSeenMs = Math.max(sequence.lastSeenMs, arrival.wallMs)
    const last = stamp.first + stamp.count - 1
    if (stamp.kind === 'void') this.#handleVoid(stream, sequence, feed, offset, stamp.first, last, time)
    else this.#handleData(stream, sequence, arrival, last, time)
    this.feeds[feed].noteRead(offset, wholeDigest)
    if (stream.unsettled || !sequence.begun || !sequence.quiet) this.#settle(stream, time)
    if (this.feeds.some(({ isDue }) => isDue) || this.feeds.some(({ full, paused }) => full && !paused))
      this.#regulate(time)
  }

  /** A record without a stamp that can be read was passed at this offset, or is to be delivered. */
  handleForeign({ feed, offset, wholeDigest, content }: Foreign<R>, time: number): void {
    if (!this.feeds[feed].believes(offset, wholeDigest, time)) return
    this.#step++
    this.feeds[feed].handleRead(offset + 1, time)
    if (content !== undefined) this.#handleUnstamped(feed, offset, content, time)
    this.feeds[feed].noteRead(offset, wholeDigest)
  }

  /** The feed is at its end: `offset` is the next one to be written. */
  handleEndReached(feed: FeedIndex, offset: number, time: number): void {
    if (!this.feeds[feed].believes(offset, undefined, time)) return
    this.#step++
    this.feeds[feed].handleRead(Math.max(offset, this.feeds[feed].nextOffset), time)
    this.#settleAll(time)
  }

  /** Answer to `ask-end`. */
  handleEnd(answer: { feed: FeedIndex; step: number; end: number }, time: number): void {
    this.#step++
    if (this.feeds[answer.feed].handleEnd(answer, time)) this.#settleAll(time)
  }

  /** Answer to `ask-start`: where the log begins. */
  handleStart({ feed, start }: { feed: FeedIndex; start: number }, time: number): void {
    this.#step++
    this.feeds[feed].handleStart(start, time)
    this.#settleAll(time)
  }

  /** An operator has a stall passed; false if there is none like this. What is missing is owed from then on. */
  skip({ stream: key, epoch, incarnation, first, count }: HoleOfStream, time: number): boolean {
    const stream = this.streams.get(key)
    const sequence = stream?.find(epoch, incarnation)
    const stall = sequence?.stall
    if (stream === undefined || sequence === undefined || stall === undefined) return false
    if (stall.first !== first || (stall.count === 0) !== (count === 0)) return false
    this.#step++
    const verdict = this.#judge(stream, sequence, time)
    if (!sequence.begun) this.#begin(stream, sequence)
    else if (verdict.kind === 'wait') this.#goPast(stream, sequence, Math.min(verdict.to, first + count - 1))
    this.#tell({ kind: 'hole-skipped', ...this.#incarnationName(stream, sequence), first, count })
    this.#settle(stream, time)
    this.#regulate(time)
    return true
  }

  handleEndFailed(feed: FeedIndex, step: number, time: number): void {
    this.feeds[feed].end.handleFailed(step, time)
  }

  /** A delivery is finished: acknowledged by the subscriber. */
  handleFinished(
    delivery: { stream: Stream<R>; sequence: Sequence<R>; late: boolean },
    first: number,
    last: number,
  ): void {
    const { stream, sequence, late } = delivery
    sequence.finished.add(first, last)
    if (late) {
      sequence.lateInFlight.remove(first, last)
      this.#tell({ kind: 'debt-paid', ...this.#sequenceName(stream, sequence), first, count: last - first + 1 })
    } else {
      sequence.inOrderInFlight -= last - first + 1
    }
    this.#touch(stream)
  }

  /** Sequences that neither log has any more are forgotten as soon as both are read to where they ended. */
  handleOldest(oldest: Oldest): void {
    this.#oldest = oldest
  }

  handleDeadline(time: number): void {
    this.#step++
    for (const feed of this.feeds) feed.handleDeadline(time)
    this.#settleAll(time)
    this.#forget()
  }

  // --- commands and deadlines -----------------------------------------------------------------------------------

  poll(time: number): ArbiterCommand<R> | undefined {
    if (this.#polled < this.#commands.length) {
      const command = this.#commands[this.#polled]!
      this.#commands[this.#polled++] = undefined as never
      if (command.kind === 'seek') this.feeds[command.feed].seeking = false
      return command
    }
    if (this.#polled > 0) {
      this.#commands = []
      this.#polled = 0
    }
    for (const index of FEEDS) {
      if (!this.feeds[index].end.due(time)) continue
      const step = ++this.#step
      this.feeds[index].handleAsked(step)
      return { kind: 'ask-end', feed: index, step }
    }
    return undefined
  }

  /** Whether all of a run was delivered, so that another copy of it says nothing new. */
  knows(stamp: Stamp): boolean {
    const sequence = this.streams.get(streamKey(stamp))?.find(stamp.epoch, stamp.incarnation)
    return sequence?.delivered.covers(stamp.first, stamp.first + stamp.count - 1) === true
  }

  /** Whether a hole or the turn of a sequence is waited for. */
  get waits(): boolean {
    return this.#unsettled.size > 0
  }

  /** Polling time at which it wants `handleDeadline`. There always is one: a silent feed is asked for its end. */
  deadline(): number {
    let deadline = Math.min(this.feeds[0].deadline, this.feeds[1].deadline)
    for (const stream of this.#unsettled) deadline = Math.min(deadline, stream.deadline)
    return deadline
  }

  // --- what is stored -------------------------------------------------------------------------------------------

  /** Takes over what the store has of a stream; before its first record. */
  restore(stored: StoredStream): void {
    const stream = new Stream<R>(
      { key: streamKey(stored), keyRange: stored.keyRange, producerId: stored.producerId },
      false,
    )
    for (const one of stored.sequences) {
      const sequence = new Sequence<R>(this.#sequences++, one, { time: 0, step: 0 }, one)
      for (const index of FEEDS) {
        const kept = one.feeds[this.#options.clusters[index]]
        if (kept === undefined) continue
        sequence.lastOffsets[index] = kept.lastOffset
        sequence.readFrom[index] = kept.readFrom
        for (const { first, last, offset } of kept.voids) sequence.voids[index].add(first, last, offset, 0)
      }
      stream.insert(sequence)
    }
    this.streams.set(stream.key, stream)
  }

  /**
   * Takes over what is finished besides; after all that the store has, and before the first record. A sequence that the
   * store does not have waits for its turn as if nothing were known of it: an older one may be in flight.
   */
  restoreFinished(
    { first, last, ...id }: SequenceId & { readonly first: number; readonly last: number },
    time: number,
  ): void {
    const stream = this.#streamOf(id)
    const sequence = this.#sequenceOf(stream, { ...id, first }, time)
    sequence.finished.add(first, last)
    sequence.delivered.add(first, last)
    this.#touch(stream)
  }

  /** Whether `takeChanged` would give any, or `takeShrunk` is true. */
  get changed(): boolean {
    return this.#changed.length > 0 || this.#shrunk
  }

  /** Whether something was forgotten that the store still has. */
  takeShrunk(): boolean {
    const shrunk = this.#shrunk
    this.#shrunk = false
    return shrunk
  }

  /** Streams with something that the store does not have yet; the list begins anew. */
  takeChanged(): Stream<R>[] {
    const changed = this.#changed
    this.#changed = []
    for (const stream of changed) {
      stream.changed = false
      for (const sequence of stream.sequences) this.#bound(stream, sequence)
      stream.updateStorable()
    }
    return changed
  }

  /** First offset of each feed that must be read again after a crash, if what `takeChanged` gave is stored with it. */
  resumeOffset(feed: FeedIndex): number {
    return this.feeds[feed].resumeOffset()
  }

  /** By which the log of a feed is known again that resumes at this offset, as `resumeOffset` gave it. */
  marksBefore(feed: FeedIndex, resumeOffset: number): readonly Mark[] {
    return this.feeds[feed].marksBefore(resumeOffset)
  }

  // --- rules 1 to 5: what a record is ---------------------------------------------------------------------------

  #handleData(stream: Stream<R>, sequence: Sequence<R>, arrival: Arrival<R>, last: number, time: number): void {
    const { feed, offset, stamp, bytes, record } = arrival
    const first = stamp.first
    if (!this.#digests.agrees(sequence.index, first, arrival.digest)) {
      this.#tell({ kind: 'feeds-diverged', ...this.#partitionName(), stream: stream.key, counter: first })
    }
    // Finished need not be storable: an older epoch in flight may hold it back, or it is booked and its turn has not come;
    // then this copy is to be read again.
    if (stream.sequences.length > 1 || !sequence.begun || !sequence.finished.covers(first, last)) {
      this.feeds[feed].handleOpen({ offset, sequence, first, last })
    }
    if (sequence.voids[feed].size === 0 && sequence.rejected.size === 0) {
      // Nearly every record: all of it was delivered before, or none.
      if (sequence.delivered.covers(first, last)) {
        this.#countDuplicates(feed, offset, last - first + 1)
        return
      }
      if (sequence.delivered.nextFrom(first) > last) {
        this.#place(stream, sequence, { feed, offset, first, last, bytes, record }, time)
        return
      }
    }
    let kept = 0
    let voided = last - first + 1
    for (const [from, to] of sequence.voids[feed].missing(first, last)) {
      voided -= to - from + 1
      for (const fresh of sequence.delivered.missing(from, to)) {
        for (const piece of sequence.rejected.missing(fresh.first, fresh.last)) {
          kept += piece.last - piece.first + 1
          this.#place(stream, sequence, { feed, offset, first: piece.first, last: piece.last, bytes, record }, time)
        }
      }
    }
    if (voided > 0 && offset >= this.feeds[feed].furthest) {
      this.#tell({ kind: 'data-after-void', ...this.feeds[feed].name, stream: stream.key, first, count: voided })
    }
    this.#countDuplicates(feed, offset, last - first + 1 - kept - voided)
  }

  /** Rules 3 to 5 for a run of counters that are neither delivered, rejected nor voided by this feed. */
  #place(stream: Stream<R>, sequence: Sequence<R>, piece: Piece<R>, time: number): void {
    if (sequence.epoch < stream.begunEpoch) {
      this.#goPast(stream, sequence, piece.first - 1)
      this.#deliver(stream, sequence, piece, true)
      sequence.frontier = Math.max(sequence.frontier, piece.last)
      return
    }
    if (!sequence.begun || piece.first > sequence.frontier + 1) {
      this.#hold(sequence, piece, time)
      return
    }
    if (piece.first <= sequence.frontier) {
      const last = Math.min(piece.last, sequence.frontier)
      this.#deliver(stream, sequence, { ...piece, last }, true)
      if (last === piece.last) return
      piece = { ...piece, first: last + 1 }
    }
    this.#deliver(stream, sequence, piece, false)
    sequence.frontier = piece.last
  }

  #deliver(stream: Stream<R>, sequence: Sequence<R>, piece: Piece<R>, late: boolean): void {
    const { first, last, feed, record } = piece
    sequence.delivered.add(first, last)
    if (late) {
      sequence.lateInFlight.add(first, last)
      this.#tell({ kind: 'delivered-late', ...this.#sequenceName(stream, sequence), first, count: last - first + 1 })
    } else {
      sequence.inOrderInFlight += last - first + 1
    }
    this.#touch(stream)
    this.#commands.push({ kind: 'deliver', stream, sequence, first, last, late, feed, record })
  }

  #hold(sequence: Sequence<R>, piece: Piece<R>, time: number): void {
    const { first, last, offset } = piece
    const sighting = { high: last, time, step: this.#step, offset }
    sequence.sightings.note(sighting)
    sequence.sightingsOf[piece.feed].note(sighting)
    const feed = this.feeds[piece.feed]
    if (feed.scansFrom !== undefined) {
      sequence.scanned[piece.feed].add(first, last)
      return
    }
    if (!sequence.held[piece.feed].insert(piece)) {
      this.#countDuplicates(piece.feed, offset, last - first + 1)
      return
    }
    feed.handleHeld(last - first + 1, piece.bytes)
  }

  #countDuplicates(feed: FeedIndex, offset: number, count: number): void {
    if (offset >= this.feeds[feed].furthest) this.duplicatesDropped += count
  }

  /** One log speaks for it, and is read in order: nothing is waited for, and nothing is owed. */
  #handleUnstamped(
    feed: FeedIndex,
    offset: number,
    { bytes, wallMs, record }: Required<Foreign<R>>['content'] & object,
    time: number,
  ): void {
    const stream = this.#streamOf(unstampedStream(this.#options.clusters[feed]))
    const sequence = stream.sequences.at(-1) ?? this.#beginUnstamped(stream, offset, time)
    const counter = offset + 1
    sequence.lastOffsets[feed] = Math.max(sequence.lastOffsets[feed], offset)
    sequence.lastSeenMs = Math.max(sequence.lastSeenMs, wallMs)
    if (!sequence.finished.has(counter)) {
      this.feeds[feed].handleOpen({ offset, sequence, first: counter, last: counter })
    }
    if (sequence.delivered.has(counter)) return // it is read again
    if (counter > sequence.frontier + 1) {
      sequence.finished.add(sequence.frontier + 1, counter - 1)
      sequence.delivered.add(sequence.frontier + 1, counter - 1)
    }
    sequence.frontier = Math.max(sequence.frontier, counter)
    this.#deliver(stream, sequence, { feed, offset, first: counter, last: counter, bytes, record }, false)
  }

  /** Behind this offset of a log that is read for the first time, or is another one from there on. */
  #beginUnstamped(stream: Stream<R>, offset: number, time: number): Sequence<R> {
    const incarnation = (stream.sequences.at(-1)?.incarnation ?? -1) + 1
    const sequence = new Sequence<R>(this.#sequences++, { epoch: 0, incarnation }, { time, step: this.#step })
    sequence.beginAt(offset + 1)
    stream.insert(sequence)
    return sequence
  }

  // --- the held bound -------------------------------------------------------------------------------------------

  /** Whether feeds that hold as much as they may wait or scan, and go back. */
  #regulate(time: number): void {
    for (let back = this.#due(); back !== undefined; back = this.#due()) {
      back.seekBack(time)
      this.#settleStreams(time)
    }
    for (const index of FEEDS) {
      const feed = this.feeds[index]
      if (!feed.full) continue
      if (this.#waitsForOther(index)) feed.pause()
      else this.#scan(index)
    }
  }

  /** A feed that has scanned what delivery has come to. */
  #due(): Feed<R> | undefined {
    return this.feeds.find(({ isDue }) => isDue)
  }

  /** Whether the other feed is being read and may bring what is missing before anything that this one holds. */
  #waitsForOther(index: FeedIndex): boolean {
    const otherIndex = index === 0 ? 1 : 0
    const other = this.feeds[otherIndex]
    if (!other.live || other.paused || other.scansFrom !== undefined || other.nextOffset < 0) return false
    for (const stream of this.#unsettled) {
      if (stream.unread.includes(otherIndex)) continue
      if (stream.sequences.some(({ held }) => held[index].size > 0)) return false
    }
    return true
  }

  #scan(index: FeedIndex): void {
    let from = Infinity
    for (const stream of this.#unsettled) {
      for (const sequence of stream.sequences) {
        for (let held = sequence.held[index].shift(); held !== undefined; held = sequence.held[index].shift()) {
          sequence.scanned[index].add(held.first, held.last)
          from = Math.min(from, held.offset)
        }
      }
    }
    this.feeds[index].scan(from)
  }

  #unread(index: FeedIndex, offset: number, why: Unread): void {
    const unstamped = this.streams.get(streamKey(unstampedStream(this.#options.clusters[index])))
    if (unstamped !== undefined && why === 'changed') this.#beginUnstamped(unstamped, offset, 0)
    for (const stream of this.streams.values()) {
      stream.epochsOf[index].rewind(offset)
      for (const sequence of stream.sequences) {
        sequence.scanned[index] = new Intervals()
        sequence.sightingsOf[index].rewind(offset)
        if (why !== 'scanned') sequence.voids[index].prune((entry) => entry.offset < offset)
        if (why === 'changed') sequence.lastOffsets[index] = Math.min(sequence.lastOffsets[index], offset - 1)
      }
    }
  }

  // --- voids ----------------------------------------------------------------------------------------------------

  /** Rule 1: what this feed held, delivered or saw rejected before stays what it was; the rest is voided here. */
  #handleVoid(
    stream: Stream<R>,
    sequence: Sequence<R>,
    feed: FeedIndex,
    offset: number,
    first: number,
    last: number,
    time: number,
  ): void {
    this.feeds[feed].handleOpen({ offset, sequence, first, last })
    const own = sequence.voids[feed]
    const other = sequence.voids[1 - feed]!
    for (const fresh of sequence.delivered.missing(first, last)) {
      for (const open of sequence.rejected.missing(fresh.first, fresh.last)) {
        for (const [from, to] of sequence.held[feed].without(open.first, open.last)) {
          for (const unread of sequence.scanned[feed].missing(from, to))
            own.add(unread.first, unread.last, offset, time)
        }
      }
    }
    for (let counter = first; counter <= last;) {
      const mine = own.at(counter)
      const theirs = other.at(counter)
      const end = Math.min(last, mine?.last ?? own.nextFrom(counter) - 1, theirs?.last ?? other.nextFrom(counter) - 1)
      if (mine !== undefined && theirs !== undefined) this.#reject(stream, sequence, counter, end)
      counter = end + 1
    }
    const sighting = { high: last + 1, time, step: this.#step, offset }
    if (last > sequence.frontier) {
      sequence.sightings.note(sighting)
      sequence.sightingsOf[feed].note(sighting)
    }
    this.#touch(stream)
  }

  /** Voided by every feed, and data of neither stood before: nobody will ever deliver it. */
  #reject(stream: Stream<R>, sequence: Sequence<R>, first: number, last: number): void {
    for (const open of sequence.delivered.missing(first, last)) {
      for (const piece of sequence.rejected.missing(open.first, open.last)) {
        this.#tell({
          kind: 'positions-rejected',
          ...this.#partitionName(),
          stream: stream.key,
          first: piece.first,
          count: piece.last - piece.first + 1,
        })
      }
    }
    sequence.rejected.add(first, last)
  }

  // --- rules 6 and 7: whom to wait for --------------------------------------------------------------------------

  #settleAll(time: number): void {
    this.#settleStreams(time)
    this.#regulate(time)
  }

  #settleStreams(time: number): void {
    for (const stream of this.#unsettled) this.#settle(stream, time)
  }

  /** Brings a stream as far as it gets now, and notes what it waits for and until when. */
  #settle(stream: Stream<R>, time: number): void {
    stream.deadline = Infinity
    stream.unread = []
    let unsettled = false
    for (const sequence of stream.sequences) {
      if (sequence.epoch < stream.begunEpoch) {
        this.#noteMoved(stream, sequence, time)
        continue
      }
      if (sequence.begun) this.#advance(stream, sequence)
      while (!sequence.begun || !sequence.quiet) {
        const verdict = this.#judge(stream, sequence, time)
        if (verdict.kind === 'wait') {
          this.#wait(stream, sequence, verdict, time)
          if (!unsettled) stream.unread = verdict.unread
          unsettled = true
          break
        }
        if (verdict.kind === 'begin') this.#begin(stream, sequence)
        else if (verdict.kind === 'go-past') this.#goPast(stream, sequence, verdict.to)
        else for (const feed of verdict.feeds) this.feeds[feed].discount()
        if (sequence.begun) this.#advance(stream, sequence)
      }
      this.#noteMoved(stream, sequence, time)
    }
    for (const sequence of stream.sequences) {
      // Nothing is held of one that lost its claim, so what is known beyond its frontier are voids.
      if (sequence.epoch < stream.begunEpoch) this.#goPast(stream, sequence, sequence.sightings.high - 1)
    }
    stream.unsettled = unsettled
    if (unsettled) this.#unsettled.add(stream)
    else this.#unsettled.delete(stream)
  }

  #judge(stream: Stream<R>, sequence: Sequence<R>, time: number): Verdict {
    if (!sequence.begun) return judgeBeginning(this.#options, this.feeds, stream, sequence, time)
    // What stands at the frontier was scanned, and will be read again at once.
    if (FEEDS.some((feed) => sequence.scanned[feed].has(sequence.frontier + 1))) return forNothing(sequence)
    return judgeHole(this.#options, this.feeds, stream, sequence, time)
  }

  #wait(stream: Stream<R>, sequence: Sequence<R>, { until, to, feeds, unread, step }: Wait, time: number): void {
    stream.deadline = Math.min(stream.deadline, until)
    for (const feed of unread) this.feeds[feed].end.want(step)
    this.#noteMoved(stream, sequence, time)
    if (until < Infinity || feeds.length === 0) return
    const { stall, frontier } = sequence
    const hole = { first: frontier + 1, count: to - frontier }
    sequence.stall = { ...hole, feeds, since: stall?.since ?? time }
    if (stall !== undefined) return
    const clusters = feeds.map((feed) => this.#options.clusters[feed]).join(', ')
    this.#tell({ kind: 'stream-stalled', ...this.#incarnationName(stream, sequence), ...hole, clusters })
  }

  /** A stall is over once it is not there any more that delivery stands. */
  #noteMoved(stream: Stream<R>, sequence: Sequence<R>, time: number): void {
    const { stall } = sequence
    if (stall === undefined) return
    if (stall.count === 0 ? !sequence.begun : sequence.frontier < stall.first) return
    sequence.stall = undefined
    const stalledMs = Math.round(time - stall.since)
    this.#tell({ kind: 'stream-resumed', ...this.#incarnationName(stream, sequence), stalledMs })
  }

  /** Rule 3 again, for what was held: delivers and skips until a hole, or until nothing more is held. */
  #advance(stream: Stream<R>, sequence: Sequence<R>): void {
    for (;;) {
      const next = sequence.frontier + 1
      const past = sequence.delivered.runEnd(next) ?? sequence.rejected.runEnd(next)
      if (past !== undefined) {
        sequence.frontier = past
        this.#touch(stream)
        continue
      }
      this.#dropPassed(sequence)
      const feed = FEEDS.find((index) => (sequence.held[index].front?.first ?? Infinity) <= next)
      if (feed === undefined) break
      const held = sequence.held[feed].shift()!
      this.feeds[feed].handleReleased(held.last - held.first + 1, held.bytes)
      for (const open of sequence.delivered.missing(next, held.last)) {
        for (const { first, last } of sequence.rejected.missing(open.first, open.last)) {
          this.#deliver(stream, sequence, { ...held, feed, first, last }, false)
        }
      }
      sequence.frontier = held.last
    }
    sequence.sightings.prune(sequence.frontier)
    for (const feed of FEEDS) sequence.sightingsOf[feed].prune(sequence.frontier)
  }

  /** What one feed held and the other brought to the frontier first is a duplicate. */
  #dropPassed(sequence: Sequence<R>): void {
    for (const feed of FEEDS) {
      if (sequence.scanned[feed].nextFrom(1) <= sequence.frontier + 1) this.feeds[feed].scanned = true
      for (let front = sequence.held[feed].front; front !== undefined && front.last <= sequence.frontier;) {
        sequence.held[feed].shift()
        this.feeds[feed].handleReleased(front.last - front.first + 1, front.bytes)
        this.duplicatesDropped += front.last - front.first + 1
        front = sequence.held[feed].front
      }
    }
  }

  /** What is missing up to `to` becomes a debt: it is delivered late if it turns up. */
  #goPast(stream: Stream<R>, sequence: Sequence<R>, to: number): void {
    if (to <= sequence.frontier) return
    for (const open of sequence.delivered.missing(sequence.frontier + 1, to)) {
      for (const { first, last } of sequence.rejected.missing(open.first, open.last)) {
        this.#tell({ kind: 'debt-opened', ...this.#sequenceName(stream, sequence), first, count: last - first + 1 })
      }
    }
    sequence.frontier = to
    this.#touch(stream)
  }

  /** Delivers all that is held of it: what is missing before that is owed. */
  #releaseHeld(stream: Stream<R>, sequence: Sequence<R>): void {
    for (;;) {
      const next = Math.min(...FEEDS.map((feed) => sequence.held[feed].front?.first ?? Infinity))
      if (next === Infinity) return
      if (!sequence.begun) this.#begin(stream, sequence)
      this.#goPast(stream, sequence, next - 1)
      this.#advance(stream, sequence)
    }
  }

  /** Its turn has come (rule 7), and older ones lose their claim: what is held of them comes before it. */
  #begin(stream: Stream<R>, sequence: Sequence<R>): void {
    for (const older of stream.sequences) if (older.epoch < sequence.epoch) this.#releaseHeld(stream, older)
    if ((stream.fresh && this.#bornInMidst) || sequence.reopened) sequence.beginAt(lowestKnown(sequence))
    sequence.begun = true
    stream.fresh = false
    this.#touch(stream)
  }

  /**
   * Of too many finished intervals the shortest are forgotten, a tenth at a time: they may come again. Too many rejected
   * ones count as finished, which they are as good as: neither is delivered.
   */
  #bound(stream: Stream<R>, sequence: Sequence<R>): void {
    const { intervalsMax } = this.#options
    if (sequence.rejected.size > intervalsMax) {
      for (const { first, last } of sequence.rejected) {
        sequence.finished.add(first, last)
        sequence.delivered.add(first, last)
      }
      sequence.rejected.remove(1, sequence.rejected.max)
    }
    if (sequence.finished.size <= intervalsMax) return
    const forgotten = sequence.finished.dropShortest(sequence.finished.size - Math.ceil(intervalsMax * 0.9))
    const counters = new Intervals()
    for (const { first, last } of forgotten) {
      sequence.delivered.remove(first, last)
      counters.add(first, last)
    }
    for (const feed of this.feeds) feed.open.forget(sequence, counters)
    this.#tell({ kind: 'positions-forgotten', ...this.#partitionName(), stream: stream.key, count: counters.count })
  }

  // --- expiry ---------------------------------------------------------------------------------------------------

  /** Oldest first: a newer one keeps those that it has taken precedence over from coming in order again. */
  #forget(): void {
    const oldest = this.#oldest
    if (oldest === undefined || !FEEDS.every((index) => this.feeds[index].hasRead(oldest.ends[index]))) return
    this.#oldest = undefined
    let count = 0
    let owed = 0
    for (const stream of this.streams.values()) {
      for (let first = stream.sequences[0]; first && this.#isOver(first, oldest); first = stream.sequences[0]) {
        stream.sequences.shift()
        this.forgottenEpoch = Math.max(this.forgottenEpoch, first.epoch)
        count++
        owed += first.debts
      }
      if (stream.sequences.length > 0) continue
      this.streams.delete(stream.key)
      this.#unsettled.delete(stream)
    }
    if (count === 0) return
    this.#shrunk = true
    this.#tell({ kind: 'sequences-expired', ...this.#partitionName(), count, owed })
  }

  /** Whether nothing of it can come any more, also not after a crash. What is held or in flight is to be read again then. */
  #isOver({ begun, lastSeenMs, lastOffsets }: Sequence<R>, { starts, sinceMs }: Oldest): boolean {
    if (!begun || lastSeenMs >= sinceMs) return false
    return FEEDS.every((index) => lastOffsets[index] < Math.min(starts[index], this.feeds[index].resumeOffset()))
  }

  // --- bookkeeping ----------------------------------------------------------------------------------------------

  #streamOf(id: Pick<SequenceId, 'keyRange' | 'producerId'>): Stream<R> {
    const key = streamKey(id)
    let stream = this.streams.get(key)
    if (stream === undefined) {
      stream = new Stream({ key, keyRange: id.keyRange, producerId: id.producerId }, true)
      this.streams.set(key, stream)
    }
    return stream
  }

  #sequenceOf(
    stream: Stream<R>,
    id: { readonly epoch: number; readonly incarnation: number; readonly first: number },
    time: number,
  ): Sequence<R> {
    let sequence = stream.find(id.epoch, id.incarnation)
    if (sequence === undefined) {
      sequence = new Sequence(this.#sequences++, id, { time, step: this.#step })
      // An older one that nobody knew: its claim to come first is lost, and what it brings is late.
      sequence.begun = id.epoch < stream.begunEpoch
      sequence.reopened = id.first > 1 && id.epoch <= this.forgottenEpoch
      if (sequence.begun && (this.#bornInMidst || sequence.reopened)) sequence.beginAt(id.first)
      if (sequence.reopened)
        this.#tell({ kind: 'sequence-reopened', ...this.#incarnationName(stream, sequence), first: id.first })
      stream.insert(sequence)
    }
    return sequence
  }

  #touch(stream: Stream<R>): void {
    if (stream.changed) return
    stream.changed = true
    this.#changed.push(stream)
  }

  #tell(fact: TandemFact): void {
    this.#commands.push({ kind: 'tell', fact })
  }

  #partitionName(): { topic: string; partition: number } {
    return { topic: this.#options.topic, partition: this.#options.partition }
  }

  #incarnationName(
    stream: Stream<R>,
    sequence: Sequence<R>,
  ): { topic: string; partition: number; stream: string; epoch: number; incarnation: number } {
    return { ...this.#sequenceName(stream, sequence), incarnation: sequence.incarnation }
  }

  #sequenceName(
    stream: Stream<R>,
    sequence: Sequence<R>,
  ): { topic: string; partition: number; stream: string; epoch: number } {
    return { ...this.#partitionName(), stream: stream.key, epoch: sequence.epoch }
  }
}

/** For a group that is born in the midst of a stream, what stands lowest is where that begins. */
function lowestKnown<R>(sequence: Sequence<R>): number {
  const known = FEEDS.flatMap((feed) => [
    sequence.held[feed].front?.first ?? Infinity,
    sequence.scanned[feed].nextFrom(1),
  ])
  // What is booked is dropped where it stands, and leaves no sighting.
  return Math.min(...known, sequence.sightings.high || Infinity, sequence.finished.nextFrom(1))
}
