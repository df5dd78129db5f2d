/**
 * Is the holder of a lease alive? By our own clock and its renewal number alone: no clock of a store decides, and clocks
 * of two machines are never compared.
 *
 * A number that stands still for a whole lease is that of a dead holder, or of one that was stopped: it may be taken
 * from. A number that moves may be one renewal that a dead process left in a socket, and that a store read late. More
 * than one it cannot leave, since it sends the next when the last was answered; so what moves twice is alive.
 * A number that runs back, or a holder that was not there before (a store that fell back, another one who was quicker),
 * proves neither: the watch begins anew.
 */
export interface Holder {
  readonly id: string
  readonly renewal: number
  readonly host: string
}

export class HolderWatch {
  readonly #leaseMs: number
  #seen: Holder | undefined
  #sinceMs = 0
  #moves = 0

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  /** The one who holds the lease, as far as is known. */
  get holder(): Holder | undefined {
    return this.#seen
  }

  get alive(): boolean {
    return this.#moves >= MOVES_OF_THE_LIVING
  }

  /** The store's answer came at `now`. */
  handleHeld(holder: Holder, now: number): void {
    const seen = this.#seen
    if (seen?.id === holder.id && seen.renewal === holder.renewal) return
    if (seen?.id !== holder.id) this.#moves = 0
    else if (holder.renewal > seen.renewal) this.#moves++
    this.#seen = holder
    this.#sinceMs = now
  }

  /** The holder that has stood still for a whole lease; to be asked for before the store is. */
  stillAt(now: number): Holder | undefined {
    return now - this.#sinceMs >= this.#leaseMs ? this.#seen : undefined
  }
}

const MOVES_OF_THE_LIVING = 2
