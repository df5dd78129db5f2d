/**
 * What one feed of a sequence has voided: intervals with the offset of their record.
 *
 * Per feed and counter the first of {data, void} decides (rule 1), so a counter that stands here stays with the void
 * that came first. Neighbours are not merged: a rewind forgets by offset.
 */
export interface VoidEntry {
  readonly first: number
  readonly last: number
  readonly offset: number
  /** Polling time at which it was read; 0 if it came from the store. */
  readonly time: number
}

export class Voids {
  #entries: VoidEntry[] = []

  get size(): number {
    return this.#entries.length
  }

  add(first: number, last: number, offset: number, time: number): void {
    for (const [from, to] of [...this.missing(first, last)]) {
      this.#entries.splice(this.#find(from), 0, { first: from, last: to, offset, time })
    }
  }

  at(counter: number): VoidEntry | undefined {
    const entry = this.#entries[this.#find(counter)]
    return entry !== undefined && entry.first <= counter ? entry : undefined
  }

  /** Where the next void at or above `counter` begins, or Infinity. */
  nextFrom(counter: number): number {
    const entry = this.#entries[this.#find(counter)]
    return entry === undefined ? Infinity : Math.max(counter, entry.first)
  }

  /** The parts of first…last that this feed has not voided. */
  *missing(first: number, last: number): Generator<readonly [first: number, last: number]> {
    let next = first
    for (let i = this.#find(first); i < this.#entries.length && this.#entries[i]!.first <= last; i++) {
      const entry = this.#entries[i]!
      if (entry.first > next) yield [next, entry.first - 1]
      next = entry.last + 1
    }
    if (next <= last) yield [next, last]
  }

  /** Forgets every entry of which nothing is wanted any more. */
  prune(wanted: (entry: VoidEntry) => boolean): void {
    if (this.#entries.length > 0) this.#entries = this.#entries.filter(wanted)
  }

  [Symbol.iterator](): Iterator<VoidEntry> {
    return this.#entries[Symbol.iterator]()
  }

  /** Index of the first entry whose last is at or above `counter`. */
  #find(counter: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.last >= counter) high = middle
      else low = middle + 1
    }
    return low
  }
}
