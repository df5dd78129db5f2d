/**
 * A queue as a ring: `push` and `shift` cost the same however long it is, make no garbage, and keep no hold on what has
 * left. It grows by doubling, and shrinks when it is emptied after an outage.
 */
export class Fifo<T> {
  #ring: (T | undefined)[] = new Array<T | undefined>(CAPACITY_MIN).fill(undefined)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    if (this.#size === this.#ring.length) this.#resize(this.#size * 2)
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = item
    this.#size++
  }

  peek(): T | undefined {
    return this.#ring[this.#head]
  }

  /** The last one that was pushed. */
  get newest(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[(this.#head + this.#size - 1) & (this.#ring.length - 1)]
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size--
    if (this.#size === 0 && this.#ring.length > CAPACITY_KEPT) this.#resize(CAPACITY_MIN)
    return item
  }

  /** Keeps what `wanted` says, in order. */
  filter(wanted: (item: T) => boolean): void {
    this.#replace([...this].filter(wanted))
  }

  sort(compare: (a: T, b: T) => number): void {
    this.#replace([...this].sort(compare))
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.#size; i++) yield this.#ring[(this.#head + i) & (this.#ring.length - 1)] as T
  }

  #replace(items: readonly T[]): void {
    let capacity = CAPACITY_MIN
    while (capacity < items.length) capacity *= 2
    this.#size = 0
    this.#resize(capacity)
    for (const item of items) this.push(item)
  }

  #resize(capacity: number): void {
    const ring = new Array<T | undefined>(capacity).fill(undefined)
    for (let i = 0; i < this.#size; i++) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)]
    this.#ring = ring
    this.#head = 0
  }
}

/** A power of two, like every capacity. */
const CAPACITY_MIN = 16
/** What comes and goes all the time; more is given back. */
const CAPACITY_KEPT = 4_096
