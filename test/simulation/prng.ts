/**
 * Chance, from a seed: the same seed draws the same numbers on every machine.
 *
 * sfc32, seeded through splitmix32; integers only, so that no rounding can differ. `fork` gives a part of the world a
 * generator of its own: drawing more there leaves the draws elsewhere as they were, and a shrunk schedule stays alike.
 */
export class Prng {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    let state = seed | 0
    const split = (): number => {
      state = (state + 0x9e3779b9) | 0
      let word = state ^ (state >>> 16)
      word = Math.imul(word, 0x21f0aaad)
      word ^= word >>> 15
      word = Math.imul(word, 0x735a2d97)
      return word ^ (word >>> 15)
    }
    this.#a = split()
    this.#b = split()
    this.#c = split()
    for (let i = 0; i < WARM_UP; i++) this.next()
  }

  /** 0 … 2^32 - 1. */
  next(): number {
    const result = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result
    this.#c |= 0
    return result >>> 0
  }

  /** 0 … bound - 1. The bias towards small ones is below bound / 2^32. */
  below(bound: number): number {
    return this.next() % bound
  }

  /** low … high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True `percent` times out of a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  fork(): Prng {
    return new Prng(this.next())
  }
}

/** Until a seed of few bits has spread over the state. */
const WARM_UP = 12
