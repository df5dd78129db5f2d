/**
 * Between the cores and the journal on disk: writes what the appender says, reads back what a lane asks for, and gives
 * each copy that was read back to the record that others still hold. No opinion of its own.
 */
import { isTandemError, type Clock, type TandemFact } from '@tandem/common/internal'

import type { Appender } from './core/appender.js'
import type { Lane } from './core/lane.js'
import { SealedRecord, type LaneIndex } from './core/record.js'
import type { KnownSequences, ProducerIdentity } from './core/sequencer.js'
import type { Mark, Shelf } from './core/shelf.js'
import type { Journal, JournalEntry, JournalRun } from './journal/journal.js'

export interface JournalLinkOptions {
  readonly journal: Journal
  readonly appender: Appender
  readonly lanes: readonly [Lane, Lane]
  readonly identity: ProducerIdentity
  /** Of earlier lives, and of this one as read back. */
  readonly sequences: KnownSequences
  readonly clock: Clock
  readonly tell: (fact: TandemFact) => void
  /** Nothing has its bytes any more, and nothing more will become of it. */
  readonly lost: (record: SealedRecord) => void
  /** Something happened: let the cores come to rest. */
  readonly run: () => void
}

export class JournalLink {
  readonly #options: JournalLinkOptions
  #underWay: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: JournalLinkOptions) {
    this.#options = options
  }

  append(records: readonly SealedRecord[]): void {
    const { journal, appender, clock } = this.#options
    const wallAhead = clock.wall() - clock.now()
    const entries = records.map((record) => this.#entryOf(record, wallAhead))
    this.#call(
      () => journal.append(entries),
      () => appender.handleAppended(this.#now()),
      (reason, error) => appender.handleAppendFailed(reason, isInDoubt(error), this.#now()),
    )
  }

  mark(marks: readonly Mark[]): void {
    const { journal, appender } = this.#options
    this.#call(
      () => journal.mark(marks),
      () => appender.handleMarked(),
      () => appender.handleMarkFailed(marks, this.#now()),
    )
  }

  load(index: LaneIndex, from: { topic: string; partition: number; place: number }): void {
    const { journal, lanes } = this.#options
    const { topic, partition } = from
    this.#call(
      () => journal.read(from, { entriesMax: READ_ENTRIES_MAX, bytesMax: lanes[index].readBytesMax }),
      (run) => lanes[index].handleLoaded(topic, partition, this.#readBack(index, topic, partition, run), run.next),
      (reason) => {
        this.#options.tell({ kind: 'journal-failed', reason })
        lanes[index].handleLoadFailed(topic, partition, this.#now())
      },
    )
  }

  /**
   * A lane will not write a record that is on disk, which is noted there for good before it is voided. If the disk does
   * not take that, there is no void: consumers wait out the hole, as they do for one that cannot be written.
   */
  forgo(lane: LaneIndex, record: SealedRecord): void {
    const { journal, lanes, tell } = this.#options
    const { topic, partition, place } = record
    this.#call(
      () => journal.forgo({ topic, partition, place, lane }),
      () => lanes[lane].voidRefused(record),
      (reason) => tell({ kind: 'journal-failed', reason }),
    )
  }

  /** What is left of an entry whose message becomes a dead letter; nothing, if it has none. */
  leftOf(record: SealedRecord): JournalEntry | undefined {
    if (record.journal !== 'durable') return undefined
    const { clock } = this.#options
    return { ...this.#entryOf(record, clock.wall() - clock.now()), key: null, value: null, headers: [] }
  }

  /** Waits for what is under way, and marks what is done. */
  async close(): Promise<void> {
    this.#closed = true
    const { journal, appender } = this.#options
    await this.#underWay
    const marks = appender.close()
    if (marks.length > 0) await journal.mark(marks).catch(() => undefined) // then it is written again
  }

  #call<T>(call: () => Promise<T>, done: (result: T) => void, failed: (reason: string, error: unknown) => void): void {
    const answer = call().then(
      (result) => {
        if (this.#closed) return
        done(result)
        this.#options.run()
      },
      (error: unknown) => {
        if (this.#closed) return
        failed(error instanceof Error ? error.message : String(error), error)
        this.#options.run()
      },
    )
    this.#underWay = Promise.all([this.#underWay, answer]).then(() => undefined) // or each result would keep all before it
  }

  /** What of a run the lane is still to write. */
  #readBack(lane: LaneIndex, topic: string, partition: number, run: JournalRun): SealedRecord[] {
    const { appender } = this.#options
    const shelf = appender.shelf(topic, partition)!
    const records: SealedRecord[] = []
    for (const entry of run.entries) {
      const record = this.#recordOf(lane, shelf, entry)
      if (record !== undefined) records.push(record)
    }
    let rescued = false
    for (const { first, last, reason } of run.damaged) {
      let from = first
      for (let place = first; place <= last; place++) {
        const known = shelf.find(place)
        if (known === undefined || known.released) continue
        // What the disk has lost of it, another lane or its sender still has in memory.
        if (from < place) this.#passOver(shelf, from, place - 1, reason)
        from = place + 1
        if (known.copies[lane].state !== 'on-disk') continue
        records.push(known)
        rescued = true
      }
      if (from <= last) this.#passOver(shelf, from, last, reason)
    }
    if (rescued) records.sort((a, b) => a.place - b.place)
    return records
  }

  #recordOf(lane: LaneIndex, shelf: Shelf, entry: JournalEntry): SealedRecord | undefined {
    const { place } = entry
    if (shelf.isDone(lane, place)) return undefined
    if (entry.headers.length === 0) {
      // An earlier life put its message among the dead letters.
      this.#options.appender.handleGone(shelf, place, place, this.#now())
      return undefined
    }
    const known = shelf.find(place)
    if (known !== undefined) {
      if (known.copies[lane].state !== 'on-disk') return undefined
      if (!known.needed) known.restore(entry)
      return known
    }
    const { clock, identity, sequences } = this.#options
    const ageMs = Math.max(0, clock.wall() - entry.sealedWallMs)
    const ours = entry.epoch === identity.epoch && entry.incarnation === identity.incarnation
    const record = new SealedRecord({
      ...entry,
      sequence: sequences.of(entry),
      // What earlier lives left is older than anything of this one.
      ordinal: ours ? entry.ordinal : place - EARLIER,
      sealedAt: this.#now() - ageMs,
    })
    record.send = 'resolved' // or rejected, or of another life: it is over
    record.handed = true
    record.journal = 'durable'
    record.place = place
    record.bytesBefore = entry.bytesBefore
    const other = lane === 0 ? 1 : 0
    record.copies[lane].state = 'on-disk'
    record.copies[other].state = 'on-disk'
    // Whether a client once had it was forgotten; its log may hold it.
    for (const copy of record.copies) {
      copy.inDoubt = true
      copy.from = 0
    }
    if (shelf.isAcknowledged(other, place)) {
      record.copies[other].state = 'acknowledged'
      record.copies[lane].elsewhereSince = this.#now() - ageMs
      record.copies[lane].spare = true
    } else if (shelf.isDone(other, place)) record.copies[other].state = 'given-up'
    shelf.keep(record)
    return record
  }

  /** Neither lane has these any more, nor will. Told once, by the lane that comes first. */
  #passOver(shelf: Shelf, first: number, last: number, reason: string): void {
    const { appender, tell } = this.#options
    const { topic, partition } = shelf
    if (shelf.isDone(0, first) && shelf.isDone(1, first)) return
    tell({ kind: 'journal-damaged', topic, partition, first, count: last - first + 1, reason })
    for (let place = first; place <= last; place++) {
      const known = shelf.find(place)
      if (known === undefined) continue
      for (const copy of known.copies) if (!copy.final) copy.state = 'given-up'
      known.settled = true
      this.#options.lost(known)
    }
    appender.handleGone(shelf, first, last, this.#now())
  }

  #entryOf(record: SealedRecord, wallAhead: number): JournalEntry {
    const { epoch, incarnation } = record.sequence.identity
    const { topic, partition, place, first, count, key, value, headers, timestampMs, ordinal, bytesBefore, bytes } =
      record
    return {
      topic,
      partition,
      place,
      epoch,
      incarnation,
      keyRange: record.sequence.keyRange,
      first,
      count,
      key,
      value,
      headers,
      timestampMs,
      ordinal,
      sealedWallMs: Math.floor(record.sealedAt + wallAhead),
      bytesBefore,
      bytes,
    }
  }

  #now(): number {
    return Math.floor(this.#options.clock.now())
  }
}

/** Whether a failed append may have left something, where a later life would find it. */
function isInDoubt(error: unknown): boolean {
  return !isTandemError(error, 'TANDEM_JOURNAL_FAILED') || error.details['undone'] === false
}

/** Places are far fewer; so these are all below any ordinal. */
const EARLIER = 2 ** 50
const READ_ENTRIES_MAX = 1_000
