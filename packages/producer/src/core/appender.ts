/**
 * What goes to the journal, and when: one append after the other, each with all that came meanwhile, so that many
 * records share one wait for the disk.
 *
 * Records leave in the order in which they came: as `durable`, or as `refused` when the journal takes nothing now. It
 * takes nothing while it is full, and after an append failed: then everything that waits is refused at once, so that
 * nobody waits for a disk that is gone, and after a pause an append of nothing finds out whether the disk is back. It
 * takes nothing either from who comes faster than it writes, beyond a bound; what lanes put there is bounded by them, and
 * stands in nobody's way.
 */
import { Fifo, type TandemFact } from '@tandem/common/internal'

import type { SealedRecord } from './record.js'
import { Shelf, type Mark, type ShelfFound } from './shelf.js'

export type AppenderCommand =
  /** Write these to the disk, and say how that went. None of them: does the disk take anything? */
  | { readonly kind: 'append'; readonly records: readonly SealedRecord[] }
  | { readonly kind: 'durable'; readonly record: SealedRecord }
  | { readonly kind: 'refused'; readonly record: SealedRecord }
  /** Lanes are done with more. */
  | { readonly kind: 'mark'; readonly marks: readonly Mark[] }
  /** It takes records again. */
  | { readonly kind: 'usable' }
  | { readonly kind: 'tell'; readonly fact: TandemFact }

export interface AppenderOptions {
  /** Bytes of records on disk. */
  readonly bytesMax: number
  /** Bytes of new records that wait to be written. */
  readonly waitingBytesMax: number
  readonly found: readonly ShelfFound[]
}

type State =
  { readonly kind: 'usable' } | { readonly kind: 'full' } | { readonly kind: 'failed'; readonly retryAt: number }

interface Waiting {
  readonly record: SealedRecord
  /** What it takes of the room for what waits: its bytes, or nothing if it is a lane's. */
  readonly room: number
}

export class Appender {
  readonly #options: AppenderOptions
  readonly #shelves = new Map<string, Shelf>()
  readonly #queue = new Fifo<Waiting>()
  #queueBytes = 0
  #underWay: readonly SealedRecord[] | undefined
  #underWayBytes = 0
  /** Of all that waits or is under way. */
  #room = 0
  #underWayRoom = 0
  /** Somebody may have been turned away since as much waited as may. */
  #wasCrowded = false
  #state: State = { kind: 'usable' }
  #backOffMs = RETRY_MS
  #entries = 0
  #bytes = 0
  #marking = false
  #markAt = Infinity
  readonly #changed = new Set<Shelf>()
  readonly #commands = new Fifo<AppenderCommand>()

  constructor(options: AppenderOptions) {
    this.#options = options
    for (const found of options.found) {
      const { entries, bytes } = this.#add(found)
      this.#entries += entries
      this.#bytes += bytes
    }
  }

  /** What is on disk and still needed, about. */
  get entries(): number {
    return this.#entries
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether a record that comes now will be written, and soon. */
  get usable(): boolean {
    return this.#state.kind === 'usable' && !this.crowded
  }

  /** Whether there is room for so much more, behind what is on its way here. */
  takes(bytes: number, coming = 0): boolean {
    if (this.#state.kind !== 'usable' || this.crowdedWith(coming)) return false
    return this.#bytes + this.#queueBytes + coming + bytes <= this.#options.bytesMax
  }

  /** Whether as much waits for the disk as may. */
  get crowded(): boolean {
    return this.crowdedWith(0)
  }

  /** Whether it would, with so much more that is on its way here. */
  crowdedWith(bytes: number): boolean {
    return this.#room + bytes >= this.#options.waitingBytesMax
  }

  get idle(): boolean {
    return this.#underWay === undefined && this.#queue.size === 0
  }

  get shelves(): Iterable<Shelf> {
    return this.#shelves.values()
  }

  shelf(topic: string, partition: number): Shelf | undefined {
    return this.#shelves.get(`${topic}/${partition}`)
  }

  /**
   * To be written to disk; the answer is `durable` or `refused`.
   * @param ofLane a lane holds it, within its own bound
   */
  handleRecord(record: SealedRecord, ofLane = false): void {
    record.journal = 'appending'
    if (this.#state.kind !== 'usable') {
      this.#refuse(record)
      return
    }
    const room = ofLane ? 0 : record.bytes
    this.#queue.push({ record, room })
    this.#queueBytes += record.bytes
    this.#room += room
    if (this.crowded) this.#wasCrowded = true
  }

  handleAppended(now: number): void {
    const records = this.#endOfWrite()
    this.#backOffMs = RETRY_MS
    for (const record of records) {
      record.journal = 'durable'
      const shelf = this.#shelfOf(record)
      this.#count(shelf, () => shelf.handleDurable(record))
      this.#changes(shelf, now)
      this.#commands.push({ kind: 'durable', record })
    }
    if (this.#state.kind === 'failed') this.#becomeUsable()
  }

  /** @param inDoubt some of it may be on disk, where a later life would find it. */
  handleAppendFailed(reason: string, inDoubt: boolean, now: number): void {
    const records = this.#endOfWrite()
    for (const record of [...records].reverse()) {
      const shelf = this.#shelfOf(record)
      this.#count(shelf, () => shelf.takeBack(record))
    }
    if (this.#state.kind !== 'failed') this.#commands.push({ kind: 'tell', fact: { kind: 'journal-failed', reason } })
    this.#state = { kind: 'failed', retryAt: now + this.#backOffMs }
    this.#backOffMs = Math.min(this.#backOffMs * 2, RETRY_MS_MAX)
    for (const record of records) {
      record.perhapsJournaled ||= inDoubt
      this.#refuse(record)
    }
    this.#refuseAll()
  }

  handleMarked(): void {
    this.#marking = false
  }

  /** They are to be marked again, sooner or later. */
  handleMarkFailed(marks: readonly Mark[], now: number): void {
    this.#marking = false
    for (const mark of marks) {
      const shelf = this.shelf(mark.topic, mark.partition)!
      shelf.handleUnmarked(mark)
      this.#changed.add(shelf)
    }
    this.#markAt = now + RETRY_MS
  }

  /** A copy of a record that is on disk is final in a lane. */
  handleFinal(record: SealedRecord, lane: 0 | 1, now: number): void {
    if (record.journal !== 'durable') return
    const shelf = this.#shelfOf(record)
    this.#count(shelf, () => shelf.handleFinal(record, lane))
    this.#changes(shelf, now)
    this.#lookForRoom()
  }

  /** Places whose entries cannot be read, or have become dead letters: nobody will write them. */
  handleGone(shelf: Shelf, first: number, last: number, now: number): void {
    this.#count(shelf, () => {
      for (let place = first; place <= last; place++) shelf.handleGone(place)
    })
    this.#changes(shelf, now)
    this.#lookForRoom()
  }

  poll(now: number): AppenderCommand | undefined {
    const command = this.#commands.shift()
    if (command !== undefined) return command
    if (this.#underWay === undefined) {
      const append = this.#nextAppend(now)
      if (append !== undefined) return append
    }
    return this.#commands.shift() ?? this.#nextMark(now)
  }

  deadline(): number | undefined {
    const retryAt = this.#state.kind === 'failed' && this.#underWay === undefined ? this.#state.retryAt : Infinity
    const due = Math.min(retryAt, this.#marking ? Infinity : this.#markAt)
    return due === Infinity ? undefined : due
  }

  handleDeadline(): void {
    // `poll` looks at the time.
  }

  /** Everything that is still to be marked, now. */
  close(): Mark[] {
    return [...this.#collectMarks()]
  }

  #nextAppend(now: number): AppenderCommand | undefined {
    if (this.#state.kind === 'failed') {
      if (now < this.#state.retryAt) return undefined
      this.#underWay = []
      return { kind: 'append', records: [] }
    }
    const records: SealedRecord[] = []
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      const { record, room } = next
      if (record.settled) {
        // Both clusters have answered meanwhile: there is nothing left to keep, and its payload is gone.
        this.#refuseNext()
        continue
      }
      if (records.length >= APPEND_RECORDS_MAX || this.#underWayBytes > APPEND_BYTES_MAX) break
      if (this.#bytes + record.bytes > this.#options.bytesMax) {
        if (records.length > 0) break
        if (this.#bytes > this.#options.bytesMax * ROOM_AGAIN) {
          this.#becomeFull()
          break
        }
        // The journal is not full; this one is too large for what is left of it.
        this.#commands.push({ kind: 'tell', fact: { kind: 'journal-filled', bytes: this.#bytes } })
        this.#refuseNext()
        continue
      }
      this.#queue.shift()
      this.#queueBytes -= record.bytes
      this.#underWayBytes += record.bytes
      this.#underWayRoom += room
      const shelf = this.#shelfOf(record)
      this.#count(shelf, () => shelf.put(record))
      records.push(record)
    }
    if (records.length === 0) return undefined
    this.#underWay = records
    return { kind: 'append', records }
  }

  #endOfWrite(): readonly SealedRecord[] {
    const records = this.#underWay ?? []
    this.#underWay = undefined
    this.#underWayBytes = 0
    this.#room -= this.#underWayRoom
    this.#underWayRoom = 0
    if (this.#wasCrowded && this.usable) {
      this.#wasCrowded = false
      this.#commands.push({ kind: 'usable' })
    }
    return records
  }

  #lookForRoom(): void {
    if (this.#state.kind === 'full' && this.#bytes <= this.#options.bytesMax * ROOM_AGAIN) this.#becomeUsable()
  }

  #becomeFull(): void {
    this.#state = { kind: 'full' }
    this.#commands.push({ kind: 'tell', fact: { kind: 'journal-filled', bytes: this.#bytes } })
    this.#refuseAll()
  }

  #becomeUsable(): void {
    this.#state = { kind: 'usable' }
    this.#commands.push({ kind: 'tell', fact: { kind: 'journal-usable' } })
    this.#commands.push({ kind: 'usable' })
  }

  #refuseAll(): void {
    while (this.#queue.size > 0) this.#refuseNext()
  }

  #refuseNext(): void {
    const { record, room } = this.#queue.shift()!
    this.#queueBytes -= record.bytes
    this.#room -= room
    this.#refuse(record)
  }

  #refuse(record: SealedRecord): void {
    record.journal = 'none'
    this.#commands.push({ kind: 'refused', record })
  }

  #changes(shelf: Shelf, now: number): void {
    if (!shelf.changed) return
    this.#changed.add(shelf)
    if (this.#markAt === Infinity) this.#markAt = now + MARK_EVERY_MS
  }

  #nextMark(now: number): AppenderCommand | undefined {
    if (this.#marking || now < this.#markAt) return undefined
    const marks = [...this.#collectMarks()]
    if (marks.length === 0) return undefined
    this.#marking = true
    return { kind: 'mark', marks }
  }

  *#collectMarks(): Generator<Mark> {
    this.#markAt = Infinity
    for (const shelf of this.#changed) yield* shelf.marks()
    this.#changed.clear()
  }

  #shelfOf({ topic, partition }: SealedRecord): Shelf {
    return (
      this.shelf(topic, partition) ??
      this.#add({
        topic,
        partition,
        first: 1,
        next: 1,
        bytesFirst: 0,
        bytesNext: 0,
        done: [1, 1],
        forgone: [[], []],
      })
    )
  }

  #add(found: ShelfFound): Shelf {
    const shelf = new Shelf(found)
    this.#shelves.set(`${found.topic}/${found.partition}`, shelf)
    return shelf
  }

  /** Keeps the sums right while a shelf changes. */
  #count(shelf: Shelf, change: () => void): void {
    const { entries, bytes } = shelf
    change()
    this.#entries += shelf.entries - entries
    this.#bytes += shelf.bytes - bytes
  }
}

/** A disk that failed is tried again after this, and after ever longer up to ten times of it. */
const RETRY_MS = 1_000
const RETRY_MS_MAX = 10_000
/** What one append takes: some milliseconds of a disk. */
const APPEND_RECORDS_MAX = 2_000
const APPEND_BYTES_MAX = 4 << 20
/** A full journal takes records again when this part of it is used. */
const ROOM_AGAIN = 0.9
/** Marks that are lost with a crash cost a rewrite, so they can wait for company. */
const MARK_EVERY_MS = 100
