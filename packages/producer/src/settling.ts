/** Who waits for the fate of a record's second copy (`receipt.settled()`). */
import type { SealedRecord } from './core/record.js'
import type { Shelf } from './core/shelf.js'

export class Settling {
  readonly #shelfOf: (record: SealedRecord) => Shelf
  readonly #waiting = new Map<SealedRecord, (() => void)[]>()
  #closed = false

  /** @param shelfOf where the journal has a record that has a place in it. */
  constructor(shelfOf: (record: SealedRecord) => Shelf) {
    this.#shelfOf = shelfOf
  }

  has(record: SealedRecord): boolean {
    return this.#waiting.has(record)
  }

  /** Calls `done` when both copies of the record are final, or nothing more is waited for. */
  whenSettled(record: SealedRecord, done: () => void): void {
    if (record.settled || this.#closed) return done()
    const shelf = record.place === 0 ? undefined : this.#shelfOf(record)
    const live = shelf?.find(record.place) ?? record
    if (live !== record) {
      // A copy of it was read back since nobody had it in memory; what becomes of that one, became of this one.
      this.whenSettled(live, () => {
        record.adopt(live)
        done()
      })
      return
    }
    if (shelf !== undefined) {
      shelf.catchUp(record)
      if (record.settled) return done()
      shelf.keep(record)
    }
    const waiting = this.#waiting.get(record)
    if (waiting === undefined) this.#waiting.set(record, [done])
    else waiting.push(done)
  }

  handleSettled(record: SealedRecord): void {
    const waiting = this.#waiting.get(record)
    if (waiting === undefined) return
    this.#waiting.delete(record)
    for (const done of waiting) done()
  }

  close(): void {
    this.#closed = true
    for (const record of [...this.#waiting.keys()]) this.handleSettled(record)
  }
}
