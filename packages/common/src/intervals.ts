/**
 * A set of counters, kept as sorted, disjoint, closed intervals.
 *
 * Counters come almost in order, so nearly every call touches the last interval or the first: `add` and `has` look
 * there before they search. Two parallel arrays, no object per interval: the arbiter asks millions of times a second.
 */
export interface Interval {
  readonly first: number
  readonly last: number
}

export class Intervals {
  readonly #firsts: number[] = []
  readonly #lasts: number[] = []

  static of(...intervals: readonly (readonly [first: number, last: number])[]): Intervals {
    const set = new Intervals()
    for (const [first, last] of intervals) set.add(first, last)
    return set
  }

  /** Number of intervals, not of counters. */
  get size(): number {
    return this.#firsts.length
  }

  /** Highest counter of the set; 0 if empty. */
  get max(): number {
    return this.#lasts.length === 0 ? 0 : this.#lasts[this.#lasts.length - 1]!
  }

  /** Number of counters. */
  get count(): number {
    let count = 0
    for (let i = 0; i < this.#firsts.length; i++) count += this.#lasts[i]! - this.#firsts[i]! + 1
    return count
  }

  /** End of the contiguous run that begins at 1; 0 if 1 is missing. */
  get contiguous(): number {
    return this.#firsts[0] === 1 ? this.#lasts[0]! : 0
  }

  has(counter: number): boolean {
    const i = this.#find(counter)
    return i < this.#firsts.length && this.#firsts[i]! <= counter
  }

  /** Whether all of first…last is in the set. */
  covers(first: number, last: number): boolean {
    const i = this.#find(first)
    return i < this.#firsts.length && this.#firsts[i]! <= first && last <= this.#lasts[i]!
  }

  /** Last counter of the run that holds `counter`, or undefined if it is not in the set. */
  runEnd(counter: number): number | undefined {
    const i = this.#find(counter)
    return i < this.#firsts.length && this.#firsts[i]! <= counter ? this.#lasts[i] : undefined
  }

  /** Lowest counter of the set that is at or above `counter`, or Infinity. */
  nextFrom(counter: number): number {
    const i = this.#find(counter)
    return i < this.#firsts.length ? Math.max(counter, this.#firsts[i]!) : Infinity
  }

  add(first: number, last: number): void {
    const firsts = this.#firsts
    const lasts = this.#lasts
    const end = lasts.length - 1
    if (end < 0 || first > lasts[end]! + 1) {
      firsts.push(first)
      lasts.push(last)
      return
    }
    if (first >= firsts[end]!) {
      if (last > lasts[end]!) lasts[end] = last
      return
    }
    // All intervals from `from` up to `to` (exclusive) touch first…last and become one.
    const from = this.#find(first - 1)
    let to = from
    let low = first
    let high = last
    while (to < firsts.length && firsts[to]! <= last + 1) {
      low = Math.min(low, firsts[to]!)
      high = Math.max(high, lasts[to]!)
      to++
    }
    firsts.splice(from, to - from, low)
    lasts.splice(from, to - from, high)
  }

  remove(first: number, last: number): void {
    const firsts = this.#firsts
    const lasts = this.#lasts
    const from = this.#find(first)
    let to = from
    const keptFirsts: number[] = []
    const keptLasts: number[] = []
    while (to < firsts.length && firsts[to]! <= last) {
      if (firsts[to]! < first) {
        keptFirsts.push(firsts[to]!)
        keptLasts.push(first - 1)
      }
      if (lasts[to]! > last) {
        keptFirsts.push(last + 1)
        keptLasts.push(lasts[to]!)
      }
      to++
    }
    if (to === from) return
    firsts.splice(from, to - from, ...keptFirsts)
    lasts.splice(from, to - from, ...keptLasts)
  }

  /** Takes out so many of the shortest intervals, but never the lowest one; returns them in order. */
  dropShortest(count: number): Interval[] {
    const others = [...this].slice(1).sort((a, b) => a.last - a.first - (b.last - b.first) || a.first - b.first)
    const dropped = others.slice(0, count).sort((a, b) => a.first - b.first)
    const firsts = new Set(dropped.map(({ first }) => first))
    const kept = [...this].filter(({ first }) => !firsts.has(first))
    this.#firsts.length = 0
    this.#lasts.length = 0
    for (const { first, last } of kept) this.add(first, last)
    return dropped
  }

  /** The parts of first…last that are not in the set now, in order. */
  missing(first: number, last: number): Interval[] {
    const parts: Interval[] = []
    let next = first
    for (let i = this.#find(first); i < this.#firsts.length && this.#firsts[i]! <= last; i++) {
      if (this.#firsts[i]! > next) parts.push({ first: next, last: this.#firsts[i]! - 1 })
      next = this.#lasts[i]! + 1
    }
    if (next <= last) parts.push({ first: next, last })
    return parts
  }

  *[Symbol.iterator](): Generator<Interval> {
    for (let i = 0; i < this.#firsts.length; i++) yield { first: this.#firsts[i]!, last: this.#lasts[i]! }
  }

  clone(): Intervals {
    const copy = new Intervals()
    copy.#firsts.push(...this.#firsts)
    copy.#lasts.push(...this.#lasts)
    return copy
  }

  /** `[first, last, first, last, …]`, for storing. */
  toArray(): number[] {
    const flat: number[] = []
    for (let i = 0; i < this.#firsts.length; i++) flat.push(this.#firsts[i]!, this.#lasts[i]!)
    return flat
  }

  static fromArray(flat: readonly number[]): Intervals {
    const set = new Intervals()
    for (let i = 0; i + 1 < flat.length; i += 2) set.add(flat[i]!, flat[i + 1]!)
    return set
  }

  toString(): string {
    return [...this].map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(' ')
  }

  /** Index of the first interval whose last is at or above `counter`. */
  #find(counter: number): number {
    const lasts = this.#lasts
    let high = lasts.length
    if (high === 0 || lasts[high - 1]! < counter) return high
    if (lasts[0]! >= counter) return 0
    let low = 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (lasts[middle]! >= counter) high = middle
      else low = middle + 1
    }
    return low
  }
}
