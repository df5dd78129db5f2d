/**
 * What one track has in the client, in the order in which it was handed over, each under a serial number by which the
 * report about it is known.
 *
 * Reports come nearly in order, thousands under way: so this is a ring, in which a number is a place. A number is used
 * again only when all others were, so that a late report about something else is not taken for one about this; should
 * something stay for so long, it is passed over.
 */
import type { Write } from './record.js'

export class InClient {
  #writes: (Write | undefined)[] = new Array<Write | undefined>(CAPACITY_MIN).fill(undefined)
  /** Whose place it is, also of late: the capacity is a part of `SERIALS`. */
  #serials: number[] = new Array<number>(CAPACITY_MIN).fill(0)
  #size = 0
  /** Of the oldest, if there is one. */
  #oldest = 1
  #last = 0

  get size(): number {
    return this.#size
  }

  /** Takes it up under a number of its own. */
  add(write: Write): number {
    let serial = next(this.#last)
    while (this.#writes[this.#placeOf(serial)] !== undefined) {
      if (this.#writes.length < SERIALS) this.#grow()
      else serial = next(serial)
    }
    const place = this.#placeOf(serial)
    this.#writes[place] = write
    this.#serials[place] = serial
    if (this.#size === 0) this.#oldest = serial
    this.#last = serial
    this.#size++
    return serial
  }

  /** It is there no longer; undefined if it was not. */
  remove(serial: number): Write | undefined {
    const place = this.#placeOf(serial)
    const write = this.#writes[place]
    if (write === undefined || this.#serials[place] !== serial) return undefined
    this.#writes[place] = undefined
    this.#size--
    if (this.#size > 0) while (this.#at(this.#oldest) === undefined) this.#oldest = next(this.#oldest)
    else if (this.#writes.length > CAPACITY_KEPT) this.#resize(CAPACITY_MIN)
    return write
  }

  /** All of them; they are there no longer. */
  removeAll(): Write[] {
    const all = [...this]
    this.#size = 0
    this.#resize(CAPACITY_MIN)
    return all
  }

  get oldest(): Write | undefined {
    return this.#size === 0 ? undefined : this.#at(this.#oldest)
  }

  *[Symbol.iterator](): Generator<Write> {
    for (let serial = this.#oldest, left = this.#size; left > 0; serial = next(serial)) {
      const write = this.#at(serial)
      if (write === undefined) continue
      left--
      yield write
    }
  }

  #at(serial: number): Write | undefined {
    return this.#writes[this.#placeOf(serial)]
  }

  #placeOf(serial: number): number {
    return serial & (this.#writes.length - 1)
  }

  #grow(): void {
    this.#resize(this.#writes.length * 2)
  }

  #resize(capacity: number): void {
    const [writes, serials] = [this.#writes, this.#serials]
    this.#writes = new Array<Write | undefined>(capacity).fill(undefined)
    this.#serials = new Array<number>(capacity).fill(0)
    if (this.#size === 0) return
    for (const [place, write] of writes.entries()) {
      if (write === undefined) continue
      this.#writes[this.#placeOf(serials[place]!)] = write
      this.#serials[this.#placeOf(serials[place]!)] = serials[place]!
    }
  }
}

function next(serial: number): number {
  return (serial + 1) & (SERIALS - 1)
}

/** Numbers go round: far more than a track has in the client, few enough to leave an id of the lane small. */
export const SERIALS = 1 << 15
/** Powers of two, like every capacity. What comes and goes all the time is kept. */
const CAPACITY_MIN = 16
const CAPACITY_KEPT = 8_192
