import { streamKey, type Stamp, type TandemFact } from '@tandem/common/internal'

import { Digests } from './digests.js'
import { FeedState } from './feed-state.js'
import { Sequence } from './sequence.js'
import type { StoredStream } from './stored-stream.js'
import { Stream } from './stream.js'

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
 * Holds rules 1 to 9 of protocol.md, Arbitration, for `order: 'late'`. At the held bound the leading feed is paused.
 */
export type FeedIndex = 0 | 1

export interface ArbiterOptions {
  readonly topic: string
  readonly partition: number
  readonly clusters: readonly [string, string]
  readonly gapTimeoutMs: number
  readonly holeTimeoutMs: number
  readonly feedAwayAfterMs: number
  readonly heldMessagesMax: number
  readonly heldBytesMax: number
  readonly from: 'earliest' | 'latest'
}

/** A stamped record, as a feed brought it. */
export interface Arrival<R> {
  readonly feed: FeedIndex
  readonly offset: number
  readonly stamp: Stamp
  readonly bytes: number
  /** Of key, value and headers without the stamp; equal bytes have equal digests. */
  readonly digest: number
  readonly record: R
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

export type ArbiterCommand<R> =
  | Deliver<R>
  | { readonly kind: 'ask-end'; readonly feed: FeedIndex; readonly step: number }
  | { readonly kind: 'ask-start'; readonly feed: FeedIndex }
  | { readonly kind: 'pause'; readonly feed: FeedIndex }
  | { readonly kind: 'resume'; readonly feed: FeedIndex }
  | { readonly kind: 'seek'; readonly feed: FeedIndex; readonly offset: number }
  | { readonly kind: 'tell'; readonly fact: TandemFact }

type Verdict = { readonly kind: 'wait'; readonly until: number } | { readonly kind: 'go-past'; readonly to: number }

interface Piece<R> {
  readonly feed: FeedIndex
  readonly offset: number
  readonly first: number
  readonly last: number
  readonly bytes: number
  readonly record: R
}

export class Arbiter<R> {
  readonly feeds: readonly [FeedState<R>, FeedState<R>]
  readonly streams = new Map<string, Stream<R>>()
  /** Messages read and not delivered, since the other feed had brought them: the proof of redundancy. */
  duplicatesDropped = 0
  readonly #options: ArbiterOptions
  readonly #digests = new Digests()
  readonly #unsettled = new Set<Stream<R>>()
  #changed: Stream<R>[] = []
  #commands: ArbiterCommand<R>[] = []
  #polled = 0
  #step = 0
  #sequences = 0

  constructor(options: ArbiterOptions, time: number) {
    this.#options = options
    this.feeds = [new FeedState(0, time), new FeedState(1, time)]
  }

  // --- events ---------------------------------------------------------------------------------------------------

  /** A feed is to be read from here. Voids at or above it will be read again, and are not believed in advance. */
  handleAssigned(feed: FeedIndex, nextOffset: number): void {
    this.feeds[feed].nextOffset = nextOffset
    for (const stream of this.streams.values()) {
      for (const sequence of stream.sequences) sequence.voids[feed].prune(({ offset }) => offset < nextOffset)
    }
  }

  handleRecord(arrival: Arrival<R>, time: number): void {
    this.#step++
    const { feed, offset, stamp } = arrival
    this.#handleRead(feed, offset + 1, time)
    const stream = this.#streamOf(stamp)
    if (stamp.epoch > stream.epochsOf[feed].high) {
      stream.epochsOf[feed].note({ high: stamp.epoch, time, step: this.#step })
    }
    const sequence = this.#sequenceOf(stream, stamp, time)
    sequence.lastOffsets[feed] = offset
    const last = stamp.first + stamp.count - 1
    if (stamp.kind === 'void') this.#handleVoid(stream, sequence, feed, offset, stamp.first, last, time)
    else this.#handleData(stream, sequence, arrival, last, time)
    if (stream.unsettled || !sequence.begun || !sequence.quiet) this.#settle(stream, time)
  }

  /** A record that is none of ours (no stamp, or one that cannot be read) was passed at this offset. */
  handleForeign(feed: FeedIndex, offset: number, time: number): void {
    this.#handleRead(feed, offset + 1, time)
  }

  /** The feed is at its end: `offset` is the next one to be written. */
  handleEndReached(feed: FeedIndex, offset: number, time: number): void {
    this.#step++
    this.#handleRead(feed, Math.max(offset, this.feeds[feed].nextOffset), time)
    this.#settleAll(time)
  }

  /** Answer to `ask-end`. */
  handleEnd(answer: { feed: FeedIndex; step: number; end: number }, time: number): void {
    this.#step++
    const feed = this.feeds[answer.feed]
    if (!feed.end.handleAnswer(answer.step, answer.end, feed.nextOffset, time)) return
    this.#heard(answer.feed, time)
    this.#look(answer.feed, answer.end, time)
    this.#settleAll(time)
  }

  /** Answer to `ask-start`: where the log begins. */
  handleStart({ feed: index, start }: { feed: FeedIndex; start: number }, time: number): void {
    this.#step++
    const feed = this.feeds[index]
    const { nextOffset, beyondEnd } = feed
    if (start > nextOffset) {
      this.#tell({ kind: 'log-start-moved', ...this.#feedName(index), from: nextOffset, to: start })
      this.#commands.push({ kind: 'seek', feed: index, offset: start })
      feed.nextOffset = start
      feed.end.handleOffset(start, time)
    } else if (this.#isLasting(feed, time)) {
      // Its client reads on nowhere: it is read again from its start, where what was finished is dropped.
      feed.beyondEnd = undefined
      this.#tell({ kind: 'offset-beyond-end', ...this.#feedName(index), offset: nextOffset, end: beyondEnd!.end })
      this.#commands.push({ kind: 'seek', feed: index, offset: start })
      feed.open.clear()
      feed.end.clear()
      feed.end.want(this.#step)
      this.handleAssigned(index, start)
    }
    this.#settleAll(time)
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

  handleDeadline(time: number): void {
    this.#step++
    for (const index of FEEDS) {
      const feed = this.feeds[index]
      if (feed.awaySince === undefined && time - feed.heardAt >= this.#options.feedAwayAfterMs) {
        feed.awaySince = time
        this.#tell({ kind: 'feed-away', ...this.#feedName(index) })
      }
      if (time >= this.#heartbeatAt(feed)) {
        feed.askedAt = time
        feed.end.want(this.#step)
      }
    }
    this.#settleAll(time)
  }

  // --- commands and deadlines -----------------------------------------------------------------------------------

  poll(time: number): ArbiterCommand<R> | undefined {
    if (this.#polled < this.#commands.length) {
      const command = this.#commands[this.#polled]!
      this.#commands[this.#polled++] = undefined as never
      return command
    }
    if (this.#polled > 0) {
      this.#commands = []
      this.#polled = 0
    }
    for (const index of FEEDS) {
      const { end } = this.feeds[index]
      if (!end.due(time)) continue
      const step = ++this.#step
      end.handleAsked(step)
      this.feeds[index].askedOffset = this.feeds[index].nextOffset
      return { kind: 'ask-end', feed: index, step }
    }
    return undefined
  }

  /** Whether a hole or the turn of a sequence is waited for. */
  get waits(): boolean {
    return this.#unsettled.size > 0
  }

  /** Polling time at which it wants `handleDeadline`. There always is one: a silent feed is asked for its end. */
  deadline(): number {
    let deadline = Infinity
    for (const feed of this.feeds) {
      deadline = Math.min(deadline, this.#heartbeatAt(feed), feed.end.deadline ?? Infinity)
      if (feed.awaySince === undefined) deadline = Math.min(deadline, feed.heardAt + this.#options.feedAwayAfterMs)
    }
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
        for (const { first, last, offset } of kept.voids) sequence.voids[index].add(first, last, offset, 0)
      }
      stream.insert(sequence)
    }
    this.streams.set(stream.key, stream)
  }

  /** Whether `takeChanged` would give any. */
  get changed(): boolean {
    return this.#changed.length > 0
  }

  /** Streams with something that the store does not have yet; the list begins anew. */
  takeChanged(): Stream<R>[] {
    const changed = this.#changed
    this.#changed = []
    for (const stream of changed) {
      stream.changed = false
      stream.updateStorable()
    }
    return changed
  }

  /** First offset of each feed that must be read again after a crash, if what `takeChanged` gave is stored with it. */
  resumeOffset(feed: FeedIndex): number {
    return this.feeds[feed].open.resumeOffset(this.feeds[feed].nextOffset)
  }

  // --- rules 1 to 5: what a record is ---------------------------------------------------------------------------

  #handleData(stream: Stream<R>, sequence: Sequence<R>, arrival: Arrival<R>, last: number, time: number): void {
    const { feed, offset, stamp, bytes, record } = arrival
    const first = stamp.first
    if (!this.#digests.agrees(sequence.index, first, arrival.digest)) {
      this.#tell({ kind: 'feeds-diverged', ...this.#partitionName(), stream: stream.key, counter: first })
    }
    // Finished need not be storable: an older epoch in flight may hold it back, and then this copy is to be read again.
    if (stream.sequences.length > 1 || !sequence.finished.covers(first, last)) {
      this.feeds[feed].open.open(offset, sequence, first, last)
    }
    if (sequence.voids[feed].size === 0 && sequence.rejected.size === 0) {
      // Nearly every record: all of it was delivered before, or none.
      if (sequence.delivered.covers(first, last)) {
        this.duplicatesDropped += last - first + 1
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
    if (voided > 0) {
      this.#tell({ kind: 'data-after-void', ...this.#feedName(feed), stream: stream.key, first, count: voided })
    }
    this.duplicatesDropped += last - first + 1 - kept - voided
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
    const sighting = { high: piece.last, time, step: this.#step }
    sequence.sightings.note(sighting)
    sequence.sightingsOf[piece.feed].note(sighting)
    if (!sequence.held[piece.feed].insert(piece)) {
      this.duplicatesDropped += piece.last - piece.first + 1
      return
    }
    const feed = this.feeds[piece.feed]
    feed.heldMessages += piece.last - piece.first + 1
    feed.heldBytes += piece.bytes
    const { heldMessagesMax, heldBytesMax } = this.#options
    if (feed.paused || (feed.heldMessages < heldMessagesMax && feed.heldBytes < heldBytesMax)) return
    feed.paused = true
    this.#commands.push({ kind: 'pause', feed: piece.feed })
    this.#tell({ kind: 'feed-paused', ...this.#feedName(piece.feed), held: feed.heldMessages })
  }

  #release(index: FeedIndex, piece: Piece<R> | { first: number; last: number; bytes: number }): void {
    const feed = this.feeds[index]
    feed.heldMessages -= piece.last - piece.first + 1
    feed.heldBytes -= piece.bytes
    const { heldMessagesMax, heldBytesMax } = this.#options
    if (!feed.paused || feed.heldMessages * 2 > heldMessagesMax || feed.heldBytes * 2 > heldBytesMax) return
    feed.paused = false
    this.#commands.push({ kind: 'resume', feed: index })
  }

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
    this.feeds[feed].open.open(offset, sequence, first, last)
    const own = sequence.voids[feed]
    const other = sequence.voids[1 - feed]!
    for (const fresh of sequence.delivered.missing(first, last)) {
      for (const open of sequence.rejected.missing(fresh.first, fresh.last)) {
        for (const [from, to] of sequence.held[feed].without(open.first, open.last)) own.add(from, to, offset, time)
      }
    }
    for (let counter = first; counter <= last;) {
      const mine = own.at(counter)
      const theirs = other.at(counter)
      const end = Math.min(last, mine?.last ?? own.nextFrom(counter) - 1, theirs?.last ?? other.nextFrom(counter) - 1)
      if (mine !== undefined && theirs !== undefined) this.#reject(stream, sequence, counter, end)
      counter = end + 1
    }
    const sighting = { high: last + 1, time, step: this.#step }
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
    for (const stream of this.#unsettled) this.#settle(stream, time)
  }

  /** Brings a stream as far as it gets now, and notes until when it waits. */
  #settle(stream: Stream<R>, time: number): void {
    stream.deadline = Infinity
    let unsettled = false
    for (const sequence of stream.sequences) {
      if (!sequence.begun && !this.#begin(stream, sequence, time)) {
        unsettled = true
        continue
      }
      if (sequence.epoch < stream.begunEpoch) continue
      this.#advance(stream, sequence)
      while (!sequence.quiet) {
        const verdict = this.#judgeHole(stream, sequence, time)
        if (verdict.kind === 'wait') {
          stream.deadline = Math.min(stream.deadline, verdict.until)
          unsettled = true
          break
        }
        this.#goPast(stream, sequence, verdict.to)
        this.#advance(stream, sequence)
      }
    }
    for (const sequence of stream.sequences) {
      // Nothing is held of one that lost its claim, so what is known beyond its frontier are voids.
      if (sequence.epoch < stream.begunEpoch) this.#goPast(stream, sequence, sequence.sightings.high - 1)
    }
    stream.unsettled = unsettled
    if (unsettled) this.#unsettled.add(stream)
    else this.#unsettled.delete(stream)
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
      this.#release(feed, held)
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
      for (let front = sequence.held[feed].front; front !== undefined && front.last <= sequence.frontier;) {
        sequence.held[feed].shift()
        this.#release(feed, front)
        this.duplicatesDropped += front.last - front.first + 1
        front = sequence.held[feed].front
      }
    }
  }

  /** Rule 6, for the hole at the frontier; the verdict holds for as many counters as share its reasons. */
  #judgeHole(stream: Stream<R>, sequence: Sequence<R>, time: number): Verdict {
    const { gapTimeoutMs, holeTimeoutMs } = this.#options
    const hole = sequence.frontier + 1
    const seen = sequence.sightings.beyond(hole)
    if (seen === undefined) return { kind: 'wait', until: Infinity }
    let to = seen.high - 1
    let provenAt = 0
    let mayStillCome = false
    const waitedFor: FeedIndex[] = []
    for (const index of FEEDS) {
      const feed = this.feeds[index]
      to = Math.min(to, (sequence.held[index].front?.first ?? Infinity) - 1)
      if (!feed.live) continue
      const voided = sequence.voids[index].at(hole)
      if (voided !== undefined) {
        to = Math.min(to, voided.last)
        provenAt = Math.max(provenAt, voided.time)
        continue
      }
      to = Math.min(to, sequence.voids[index].nextFrom(hole) - 1)
      const beyond = sequence.sightingsOf[index].beyond(hole)
      if (beyond !== undefined) to = Math.min(to, beyond.high - 1)
      const newer = stream.epochsOf[index].beyond(sequence.epoch)
      const pastAt = Math.min(
        beyond?.time ?? Infinity,
        newer?.time ?? Infinity,
        feed.end.reachedAfter(seen.step) ?? Infinity,
      )
      if (pastAt === Infinity) waitedFor.push(index)
      else provenAt = Math.max(provenAt, pastAt)
      if (newer === undefined) mayStillCome = true
    }
    const holeUntil = seen.time + holeTimeoutMs
    if (waitedFor.length > 0) {
      for (const index of waitedFor) this.feeds[index].end.want(seen.step)
      if (time < holeUntil) return { kind: 'wait', until: holeUntil }
      for (const index of waitedFor) this.#discount(index)
      return this.#judgeHole(stream, sequence, time)
    }
    const until = mayStillCome ? Math.min(provenAt + gapTimeoutMs, holeUntil) : 0
    return time < until ? { kind: 'wait', until } : { kind: 'go-past', to }
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

  /** Rule 7: whether the turn of a sequence has come. Two incarnations of one epoch do not wait for each other. */
  #begin(stream: Stream<R>, sequence: Sequence<R>, time: number): boolean {
    for (const older of stream.sequences) {
      if (older.epoch < sequence.epoch && (!older.begun || older.holds)) return false
    }
    const until = sequence.firstSeen.time + this.#options.holeTimeoutMs
    for (const index of FEEDS) {
      const feed = this.feeds[index]
      if (!feed.live || stream.epochsOf[index].high >= sequence.epoch) continue
      if (feed.end.reachedAfter(sequence.firstSeen.step) !== undefined) continue
      feed.end.want(sequence.firstSeen.step)
      if (time < until) {
        stream.deadline = Math.min(stream.deadline, until)
        return false
      }
      this.#discount(index)
    }
    if (stream.fresh && this.#options.from === 'latest') sequence.beginAt(lowestKnown(sequence))
    sequence.begun = true
    stream.fresh = false
    this.#touch(stream)
    return true
  }

  /** Waited for in vain: counts as away until it is at an end asked for from now on. */
  #discount(index: FeedIndex): void {
    const feed = this.feeds[index]
    feed.discountedAt = this.#step
    feed.end.want(this.#step)
    this.#tell({ kind: 'feed-discounted', ...this.#feedName(index) })
  }

  // --- feeds ----------------------------------------------------------------------------------------------------

  #handleRead(index: FeedIndex, nextOffset: number, time: number): void {
    const feed = this.feeds[index]
    feed.nextOffset = nextOffset
    feed.end.handleOffset(nextOffset, time)
    this.#heard(index, time)
  }

  #heard(index: FeedIndex, time: number): void {
    const feed = this.feeds[index]
    feed.heardAt = time
    if (feed.discountedAt !== undefined && feed.end.reachedAfter(feed.discountedAt) !== undefined) {
      feed.discountedAt = undefined
    }
    if (feed.awaySince === undefined) return
    this.#tell({ kind: 'feed-returned', ...this.#feedName(index), awayMs: Math.round(time - feed.awaySince) })
    feed.awaySince = undefined
  }

  /**
   * Nothing was read while it was asked for its end, and it is not at it: its log may have lost what was to be read next
   * by retention, or its tail. Where it begins is asked then.
   */
  #look(index: FeedIndex, end: number, time: number): void {
    const feed = this.feeds[index]
    const { askedOffset: offset } = feed
    const stands = offset >= 0 && offset === feed.nextOffset
    if (!stands || end >= offset) feed.beyondEnd = undefined
    else feed.beyondEnd = { offset, end, since: feed.beyondEnd?.offset === offset ? feed.beyondEnd.since : time }
    if (!stands || end === offset || feed.paused) return
    if (end > offset || this.#isLasting(feed, time)) this.#commands.push({ kind: 'ask-start', feed: index })
  }

  /** Whether the log ends before what was read of it, and stays so: a leader that was deposed may know less for a while. */
  #isLasting({ beyondEnd, nextOffset }: FeedState<R>, time: number): boolean {
    return beyondEnd?.offset === nextOffset && time - beyondEnd.since >= this.#options.feedAwayAfterMs
  }

  /** When a feed that brings nothing is next asked for its end, which is its sign of life. */
  #heartbeatAt(feed: FeedState<R>): number {
    return Math.max(feed.heardAt, feed.askedAt) + this.#options.feedAwayAfterMs / HEARTBEATS
  }

  // --- bookkeeping ----------------------------------------------------------------------------------------------

  #streamOf(stamp: Stamp): Stream<R> {
    const key = streamKey(stamp)
    let stream = this.streams.get(key)
    if (stream === undefined) {
      stream = new Stream({ key, keyRange: stamp.keyRange, producerId: stamp.producerId }, true)
      this.streams.set(key, stream)
    }
    return stream
  }

  #sequenceOf(stream: Stream<R>, stamp: Stamp, time: number): Sequence<R> {
    let sequence = stream.find(stamp.epoch, stamp.incarnation)
    if (sequence === undefined) {
      sequence = new Sequence(this.#sequences++, stamp, { time, step: this.#step })
      // An older one that nobody knew: its claim to come first is lost, and what it brings is late.
      sequence.begun = stamp.epoch < stream.begunEpoch
      if (sequence.begun && this.#options.from === 'latest') sequence.beginAt(stamp.first)
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

  #feedName(feed: FeedIndex): { cluster: string; topic: string; partition: number } {
    return { cluster: this.#options.clusters[feed], ...this.#partitionName() }
  }

  #sequenceName(
    stream: Stream<R>,
    sequence: Sequence<R>,
  ): { topic: string; partition: number; stream: string; epoch: number } {
    return { ...this.#partitionName(), stream: stream.key, epoch: sequence.epoch }
  }
}

/** With `from: 'latest'`, what stands lowest is where a stream begins for this group. */
function lowestKnown<R>(sequence: Sequence<R>): number {
  const known = FEEDS.map((feed) => sequence.held[feed].front?.first ?? Infinity)
  return Math.min(...known, sequence.sightings.high)
}

const FEEDS = [0, 1] as const

/** Ends asked of a silent feed within `feedAwayAfterMs`: one lost answer does not make it away. */
const HEARTBEATS = 3
