import type { Intervals } from '@tandem/common/internal'

import type { Mark } from './marks.js'
import type { Sequence } from './sequence.js'

/**
 * The resume offset of one feed: just behind everything that is finished, as the same flush stores it.
 *
 * Records are remembered in the order of their offsets until every counter in them is finished or rejected, or, for a
 * void and for data that this feed voided before, until that void is stored. Asked once per flush, each record is
 * looked at about once. What is settled behind one
 * that is not (a handler may be stuck for an hour) is dropped from time to time, so that no more is remembered than what
 * is held, owed an answer or voided. Source: position.md, What is finished.
 */
export interface OpenRecord<R> {
  readonly offset: number
  readonly sequence: Sequence<R>
  readonly first: number
  readonly last: number
  /** Of the record before it: its offset, and the digest of all up to it. */
  readonly beforeOffset: number
  readonly beforeDigest: number
}

export class OpenRecords<R> {
  readonly #feed: number
  #records: OpenRecord<R>[] = []
  #head = 0
  /** Size at which to look through all of them. */
  #sweepAt = SWEEP_MIN

  constructor(feed: number) {
    this.#feed = feed
  }

  get size(): number {
    return this.#records.length - this.#head
  }

  open(record: OpenRecord<R>): void {
    this.#records.push(record)
  }

  /** By which the log is known again if it is read from the record at this offset on; that one is open. */
  markBefore(offset: number): Mark | undefined {
    for (let i = this.#head; i < this.#records.length; i++) {
      const { offset: at, beforeOffset, beforeDigest } = this.#records[i]!
      if (at === offset) return { offset: beforeOffset, digest: beforeDigest }
    }
    return undefined
  }

  /** The log is read again from this offset on, where those at or above it are met again if it still has them. */
  rewind(offset: number): void {
    this.#records = this.#records.slice(this.#head).filter((record) => record.offset < offset)
    this.#head = 0
  }

  /** What was finished of a sequence and is not known any more need not be read again. */
  forget(sequence: Sequence<R>, counters: Intervals): void {
    const isForgotten = (record: OpenRecord<R>): boolean =>
      record.sequence === sequence && counters.covers(record.first, record.last)
    this.#records = this.#records.slice(this.#head).filter((record) => !isForgotten(record))
    this.#head = 0
  }

  /** First offset that must be read again after a crash; `nextOffset` if all that was read is settled. */
  resumeOffset(nextOffset: number): number {
    const records = this.#records
    while (this.#head < records.length) {
      const { offset, sequence, first, last } = records[this.#head]!
      if (!sequence.settles(this.#feed, offset, first, last)) {
        this.#compact()
        if (this.size >= this.#sweepAt) this.#sweep()
        return offset
      }
      this.#head++
    }
    this.#compact()
    return nextOffset
  }

  #compact(): void {
    if (this.#head * 2 < this.#records.length) return
    this.#records = this.#records.slice(this.#head)
    this.#head = 0
  }

  #sweep(): void {
    this.#records = this.#records
      .slice(this.#head)
      .filter(({ offset, sequence, first, last }) => !sequence.settles(this.#feed, offset, first, last))
    this.#head = 0
    this.#sweepAt = Math.max(SWEEP_MIN, this.#records.length * 2)
  }
}

/** As large as a window by default: sweeping costs a look at each, and is worth it when half of them may go. */
const SWEEP_MIN = 10_000
