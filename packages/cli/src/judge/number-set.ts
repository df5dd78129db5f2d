/**
 * A set of message numbers, one bit each: 160,000 messages fit into 20 kB, whatever order they come in.
 *
 * Numbers come from payloads, and a payload may be anybody's: `isMessageNumber` is asked before `add`, so that one
 * absurd number cannot claim the memory of a set that holds all below it.
 */
export class NumberSet {
  #bits = new Uint8Array(1024)
  #size = 0

  get size(): number {
    return this.#size
  }

  has(number: number): boolean {
    const byte = this.#bits[number >>> 3]
    return byte !== undefined && (byte & (1 << (number & 7))) !== 0
  }

  /** Whether `number` is new. */
  add(number: number): boolean {
    if (!isMessageNumber(number)) throw new RangeError(`message number ${number}: not within 1…${NUMBER_MAX}`)
    if (this.has(number)) return false
    const index = number >>> 3
    if (index >= this.#bits.length) this.#grow(index)
    this.#bits[index] = this.#bits[index]! | (1 << (number & 7))
    this.#size++
    return true
  }

  /** In ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (let index = 0; index < this.#bits.length; index++) {
      const byte = this.#bits[index]!
      if (byte === 0) continue
      for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) yield index * 8 + bit
    }
  }

  #grow(index: number): void {
    const bits = new Uint8Array(Math.max(this.#bits.length * 2, index + 1))
    bits.set(this.#bits)
    this.#bits = bits
  }
}

/** Whether `value` can number a message of a judged load: an integer from 1 to `NUMBER_MAX`. */
export function isMessageNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= NUMBER_MAX
}

/** A set of this many takes 16 MB; no load of ours comes near it. */
export const NUMBER_MAX = 2 ** 27
