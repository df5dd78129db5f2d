/**
 * Sends in the order of stamping, of which those count that are neither resolved nor rejected.
 *
 * A queue out of which nothing is taken: what is over says so itself. Sends are over nearly in order, so that they are
 * dropped when they have come to the front; should one at the front stay open, the others move up now and then. So it
 * costs next to nothing, and keeps no more than twice what is open and a little.
 */
import { Fifo } from '@tandem/common/internal'

import type { SealedRecord } from './record.js'

export class OpenSends {
  readonly #queue = new Fifo<SealedRecord>()

  /** How many it has in memory, those that are over too. */
  get kept(): number {
    return this.#queue.size
  }

  push(record: SealedRecord): void {
    this.#queue.push(record)
  }

  /** The oldest that is open. */
  peek(): SealedRecord | undefined {
    let first = this.#queue.peek()
    while (first !== undefined && isOver(first)) {
      this.#queue.shift()
      first = this.#queue.peek()
    }
    return first
  }

  /** Takes out what `peek` gave. */
  shift(): void {
    this.#queue.shift()
  }

  /** Some are over; no more than `openMax` of these are open. */
  tidy(openMax: number): void {
    this.peek()
    if (this.#queue.size > 2 * openMax + OVER_KEPT) this.#queue.filter((record) => !isOver(record))
  }

  /** Those that are open at the beginning. */
  [Symbol.iterator](): IterableIterator<SealedRecord> {
    return [...this.#queue].filter((record) => !isOver(record))[Symbol.iterator]()
  }
}

function isOver({ send }: SealedRecord): boolean {
  return send !== 'open'
}

/** So that a short queue is not tidied up all the time. */
const OVER_KEPT = 1_024
