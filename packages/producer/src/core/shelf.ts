/**
 * What the journal has of one partition, and what of it is still needed.
 *
 * Every record that goes to the journal gets the next place of its partition. A lane is done with a place when its
 * copy is final; below the smaller of the two lanes' marks nobody needs anything, and the journal lets go of it. A mark
 * rises over final places without a gap, as the high water of a consumer does: what is final beyond one that is not
 * waits in `#beyond`, which what is in memory bounds.
 *
 * A copy that was read back belongs to the record that the other lane, or somebody who waits for its fate, still
 * holds. So those are kept here by their places, until nobody has them in memory any more.
 */
import { Intervals, invariant } from '@tandem/common/internal'

import type { LaneIndex, SealedRecord } from './record.js'

/** What earlier lives left of a partition. */
export interface ShelfFound {
  readonly topic: string
  readonly partition: number
  /** The first place that is still there, and the one after the last; equal if there is none. */
  readonly first: number
  readonly next: number
  /** `bytesBefore` of these two. */
  readonly bytesFirst: number
  readonly bytesNext: number
  /** Per lane, as marked: places below are final; 1 if nothing was marked. */
  readonly done: readonly [number, number]
  /** Per lane, ascending: places from `first` on that it never took, also beyond what is marked. */
  readonly forgone: readonly [readonly number[], readonly number[]]
}

/** How far a lane is done with a partition. */
export interface Mark {
  readonly topic: string
  readonly partition: number
  readonly lane: LaneIndex
  /** Every place below this one is final there. */
  readonly done: number
  /** Of these, places that it never took, new since the mark before: refused, or given up. */
  readonly forgone: readonly number[]
}

export class Shelf {
  readonly topic: string
  readonly partition: number
  /** Where the places of this life begin. */
  readonly #ownFrom: number
  #next: number
  #bytesNext: number
  #bytesGone: number
  readonly #lanes: readonly [Progress, Progress]
  readonly #live = new Map<number, SealedRecord>()

  constructor(found: ShelfFound) {
    this.topic = found.topic
    this.partition = found.partition
    this.#ownFrom = found.next
    this.#next = found.next
    this.#bytesNext = found.bytesNext
    this.#bytesGone = found.bytesFirst
    this.#lanes = [
      new Progress(Math.max(found.first, found.done[0]), found.bytesFirst, found.forgone[0]),
      new Progress(Math.max(found.first, found.done[1]), found.bytesFirst, found.forgone[1]),
    ]
  }

  /** The place after the last one. */
  get next(): number {
    return this.#next
  }

  /** Whether a lane still needs something of an earlier life. */
  get leftovers(): boolean {
    return Math.min(this.done(0), this.done(1)) < this.#ownFrom
  }

  /** Entries that a lane still needs, and their bytes, about. */
  get entries(): number {
    return this.#next - Math.min(this.#lanes[0].done, this.#lanes[1].done)
  }

  get bytes(): number {
    return this.#bytesNext - this.#bytesGone
  }

  /** Records that are kept in memory. */
  get live(): number {
    return this.#live.size
  }

  /** Every place below this one is final in the lane. */
  done(lane: LaneIndex): number {
    return this.#lanes[lane].done
  }

  isDone(lane: LaneIndex, place: number): boolean {
    return this.#lanes[lane].has(place)
  }

  /** Whether this lane's cluster has the record. */
  isAcknowledged(lane: LaneIndex, place: number): boolean {
    const progress = this.#lanes[lane]
    return progress.has(place) && !progress.forgone.has(place)
  }

  /** Gives the record its place. */
  put(record: SealedRecord): void {
    invariant(record.place === 0, 'a record has one place', { place: record.place })
    record.place = this.#next++
    record.bytesBefore = this.#bytesNext
    this.#bytesNext += record.bytes
    this.#live.set(record.place, record)
  }

  /** It is on disk. What became of it meanwhile counts from now on: before, its place was not certain. */
  handleDurable(record: SealedRecord): void {
    for (const lane of [0, 1] as const) if (record.copies[lane].final) this.handleFinal(record, lane)
  }

  /** The journal did not take it, nor anything after it. */
  takeBack(record: SealedRecord): void {
    const { place } = record
    invariant(place === this.#next - 1, 'the last one is taken back first', { place, next: this.#next })
    this.#next = place
    this.#bytesNext = record.bytesBefore
    this.#live.delete(place)
    record.place = 0
    record.bytesBefore = 0
  }

  /** A lane's copy of a record that is on disk is final. */
  handleFinal(record: SealedRecord, lane: LaneIndex): void {
    const { place, bytesBefore, bytes } = record
    this.#lanes[lane].handleFinal(place, bytesBefore + bytes, record.copies[lane].state === 'acknowledged')
    this.#letGo()
  }

  /** A place that cannot be read, or whose message is a dead letter: neither lane will write it. */
  handleGone(place: number): void {
    for (const progress of this.#lanes) progress.handleFinal(place, progress.bytesDone, false)
    this.#live.delete(place)
    this.#letGo()
  }

  /** The record that lies at this place, if somebody has it in memory. */
  find(place: number): SealedRecord | undefined {
    return this.#live.get(place)
  }

  /** What became of its copies while nobody had it in memory; where their logs have them was forgotten. */
  catchUp(record: SealedRecord): void {
    for (const lane of [0, 1] as const) {
      const copy = record.copies[lane]
      if (copy.final || !this.isDone(lane, record.place)) continue
      copy.state = this.isAcknowledged(lane, record.place) ? 'acknowledged' : 'given-up'
    }
    record.settled = record.copies[0].final && record.copies[1].final
  }

  /** It was read back, or somebody waits for its fate. */
  keep(record: SealedRecord): void {
    this.#live.set(record.place, record)
  }

  /** Nobody has it in memory any more. */
  forget(record: SealedRecord): void {
    if (this.#live.get(record.place) === record) this.#live.delete(record.place)
  }

  /** What changed since the last call. */
  *marks(): Generator<Mark> {
    const { topic, partition } = this
    for (const lane of [0, 1] as const) {
      const change = this.#lanes[lane].change()
      if (change !== undefined) yield { topic, partition, lane, ...change }
    }
  }

  /** The mark did not get to the disk. */
  handleUnmarked({ lane, forgone }: Mark): void {
    this.#lanes[lane].handleUnmarked(forgone)
  }

  /** Whether there is anything to mark. */
  get changed(): boolean {
    return this.#lanes[0].changed || this.#lanes[1].changed
  }

  /** What is below both marks takes no room any more. */
  #letGo(): void {
    const [a, b] = this.#lanes
    const least = a.done <= b.done ? a : b
    this.#bytesGone = Math.max(this.#bytesGone, least.bytesDone)
    if (least.done >= this.#next) this.#bytesGone = this.#bytesNext
  }
}

/** How far one lane is. */
class Progress {
  done: number
  /** Bytes before `done`, as far as known. */
  bytesDone: number
  /** Places that its cluster never took. */
  readonly forgone = new Intervals()
  /** Final places beyond `done`, with the bytes behind them. */
  readonly #beyond = new Map<number, number>()
  #marked: number
  #forgoneNew: number[] = []

  constructor(done: number, bytesDone: number, forgone: readonly number[]) {
    this.done = done
    this.bytesDone = bytesDone
    for (const place of forgone) {
      this.forgone.add(place, place)
      if (place >= done) this.#advance(place, bytesDone)
    }
    this.#marked = done
  }

  get changed(): boolean {
    return this.done !== this.#marked
  }

  has(place: number): boolean {
    return place < this.done || this.#beyond.has(place)
  }

  handleFinal(place: number, bytesBehind: number, acknowledged: boolean): void {
    if (this.has(place)) return
    if (!acknowledged) {
      this.forgone.add(place, place)
      this.#forgoneNew.push(place)
    }
    this.#advance(place, bytesBehind)
  }

  #advance(place: number, bytesBehind: number): void {
    this.#beyond.set(place, bytesBehind)
    for (let bytes = this.#beyond.get(this.done); bytes !== undefined; bytes = this.#beyond.get(this.done)) {
      this.#beyond.delete(this.done)
      this.bytesDone = Math.max(this.bytesDone, bytes)
      this.done++
    }
  }

  handleUnmarked(forgone: readonly number[]): void {
    this.#marked = 0
    this.#forgoneNew = [...forgone, ...this.#forgoneNew]
  }

  change(): { readonly done: number; readonly forgone: readonly number[] } | undefined {
    if (!this.changed) return undefined
    this.#marked = this.done
    const forgone = this.#forgoneNew.filter((place) => place < this.done)
    this.#forgoneNew = this.#forgoneNew.filter((place) => place >= this.done)
    return { done: this.done, forgone }
  }
}
