/**
 * Business keys that were seen lately: at most `keysMax`, each until nobody has asked for it for `ageMsMax`.
 *
 * It keeps with a key whose it is, so that a delivery that comes again is not taken for a duplicate of itself. Whatever
 * is forgotten here lets a duplicate pass; nothing here makes anything be dropped that was not seen.
 *
 * The order of asking is a queue of its own beside the map, from which what was asked for again is passed over: to look
 * for the first entry of a Map of which the first ones were deleted takes as long as there were such.
 */
import { Fifo } from '@tandem/common/internal'

interface SeenKey {
  readonly key: string
  readonly owner: string
  readonly at: number
}

export class SeenKeys {
  readonly #keysMax: number
  readonly #ageMsMax: number
  readonly #keys = new Map<string, SeenKey>()
  /** In the order in which they were asked for; those that were again since stand in it once more. */
  readonly #asked = new Fifo<SeenKey>()

  constructor(options: { readonly keysMax: number; readonly ageMsMax: number }) {
    this.#keysMax = options.keysMax
    this.#ageMsMax = options.ageMsMax
  }

  get size(): number {
    return this.#keys.size
  }

  /** What is held in memory for them. */
  get entries(): number {
    return this.#asked.size
  }

  /** Whether somebody else has brought the key; if nobody has, it is `owner`'s from now on. */
  handleSeen(key: string, owner: string, now: number): boolean {
    this.#forget(now - this.#ageMsMax)
    const known = this.#keys.get(key)
    const seen = { key, owner: known?.owner ?? owner, at: now }
    this.#keys.set(key, seen)
    this.#asked.push(seen)
    if (this.#keys.size > this.#keysMax) this.#forgetOne()
    if (this.#asked.size > 2 * this.#keysMax) this.#asked.filter((one) => this.#isCurrent(one))
    return known !== undefined && known.owner !== owner
  }

  #forget(before: number): void {
    for (let first = this.#asked.peek(); first !== undefined && first.at <= before; first = this.#asked.peek()) {
      this.#asked.shift()
      if (this.#isCurrent(first)) this.#keys.delete(first.key)
    }
  }

  #forgetOne(): void {
    let first = this.#asked.shift()
    while (first !== undefined && !this.#isCurrent(first)) first = this.#asked.shift()
    if (first !== undefined) this.#keys.delete(first.key)
  }

  #isCurrent(seen: SeenKey): boolean {
    return this.#keys.get(seen.key) === seen
  }
}
