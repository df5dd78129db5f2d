/**
 * What one feed brought of one sequence beyond its frontier (rule 5), in the order of counters.
 *
 * Records come nearly in order, so an insertion is nearly always a push; they leave from the front as the frontier
 * passes them. A record that one held already covers is a rewritten copy and is not kept twice.
 */
export interface HeldRecord<R> {
  readonly first: number
  readonly last: number
  readonly offset: number
  readonly bytes: number
  readonly record: R
}

export class Held<R> {
  #records: HeldRecord<R>[] = []
  #head = 0

  get size(): number {
    return this.#records.length - this.#head
  }

  get front(): HeldRecord<R> | undefined {
    return this.#records[this.#head]
  }

  /** False if what is held covers it already. */
  insert(record: HeldRecord<R>): boolean {
    const records = this.#records
    const end = records.length
    if (this.#head === end || records[end - 1]!.last < record.first) {
      records.push(record)
      return true
    }
    let low = this.#head
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if (records[middle]!.first > record.first) high = middle
      else low = middle + 1
    }
    if (low > this.#head && records[low - 1]!.last >= record.last) return false
    if (low < end && records[low]!.first === record.first && records[low]!.last >= record.last) return false
    records.splice(low, 0, record)
    return true
  }

  /** Takes out the front record. */
  shift(): HeldRecord<R> | undefined {
    const record = this.#records[this.#head]
    if (record === undefined) return undefined
    this.#records[this.#head] = undefined as never
    this.#head++
    if (this.#head === this.#records.length) {
      this.#records = []
      this.#head = 0
    } else if (this.#head >= COMPACT_MIN && this.#head * 2 >= this.#records.length) {
      this.#records = this.#records.slice(this.#head)
      this.#head = 0
    }
    return record
  }

  /** Whether the data of any counter in first…last is held: it came before a void that comes now (rule 1). */
  *without(first: number, last: number): Generator<readonly [first: number, last: number]> {
    let next = first
    for (let i = this.#head; i < this.#records.length; i++) {
      const record = this.#records[i]!
      if (record.last < next) continue
      if (record.first > last) break
      if (record.first > next) yield [next, record.first - 1]
      next = record.last + 1
    }
    if (next <= last) yield [next, last]
  }
}

/** Below this many gaps at the front, compacting costs more than it frees. */
const COMPACT_MIN = 1_024
