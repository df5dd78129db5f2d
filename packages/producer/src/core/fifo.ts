/** A queue whose `shift` costs the same however long it is, and that keeps no hold on what has left it. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  /** The last one that was pushed. */
  get newest(): T | undefined {
    return this.#items.length === this.#head ? undefined : this.#items[this.#items.length - 1]
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) this.#compact()
    return item
  }

  clear(): void {
    this.#items.length = 0
    this.#head = 0
  }

  /** Keeps what `wanted` says, in order. */
  filter(wanted: (item: T) => boolean): void {
    this.#compact()
    this.#items = (this.#items as T[]).filter(wanted)
  }

  sort(compare: (a: T, b: T) => number): void {
    this.#compact()
    ;(this.#items as T[]).sort(compare)
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i] as T
  }

  #compact(): void {
    this.#items.splice(0, this.#head)
    this.#head = 0
  }
}

/** Below this the empty places cost less than moving what is behind them. */
const COMPACT_AT = 1_024
