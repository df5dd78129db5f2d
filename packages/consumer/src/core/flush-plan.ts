/**
 * What the next flush of one partition carries, and under which number.
 *
 * One flush is in flight at a time. Each has a number one above the last sent, answered or not, and carries everything
 * that no answer has confirmed: so a lost reply costs nothing, and one that is executed late is refused as stale. After
 * `behind` the whole position is sent, since the store forgot what it had confirmed.
 * Source: position.md, The store.
 */
export interface PlannedFlush {
  readonly number: number
  readonly confirmed: number
  readonly whole: boolean
  readonly fields: ReadonlyMap<string, Uint8Array>
}

export class FlushPlan {
  #unconfirmed = new Map<string, Uint8Array>()
  #sent: number
  #confirmed: number
  #inFlight: PlannedFlush | undefined
  #whole = false

  /** @param number the last flush that the store executed before. */
  constructor(number: number) {
    this.#sent = number
    this.#confirmed = number
  }

  /** Number of the last flush that was confirmed. */
  get confirmed(): number {
    return this.#confirmed
  }

  /** Whether the next flush must carry every field. */
  get whole(): boolean {
    return this.#whole
  }

  /** Whether nothing waits for a confirmation. */
  get settled(): boolean {
    return this.#inFlight === undefined && this.#unconfirmed.size === 0 && !this.#whole
  }

  /** Number of the next flush. */
  get next(): number {
    return this.#sent + 1
  }

  handleChanged(field: string, bytes: Uint8Array): void {
    this.#unconfirmed.set(field, bytes)
  }

  /** The next flush, unless one is in flight or nothing changed. */
  poll(): PlannedFlush | undefined {
    if (this.#inFlight !== undefined || (this.#unconfirmed.size === 0 && !this.#whole)) return undefined
    this.#inFlight = {
      number: ++this.#sent,
      confirmed: this.#confirmed,
      whole: this.#whole,
      fields: new Map(this.#unconfirmed),
    }
    return this.#inFlight
  }

  handleFlushed(flush: PlannedFlush): void {
    if (flush !== this.#inFlight) return
    this.#inFlight = undefined
    this.#confirmed = flush.number
    if (flush.whole) this.#whole = false
    for (const [field, bytes] of flush.fields) {
      if (this.#unconfirmed.get(field) === bytes) this.#unconfirmed.delete(field)
    }
  }

  handleBehind(flush: PlannedFlush): void {
    if (flush !== this.#inFlight) return
    this.#inFlight = undefined
    this.handleForgotten()
  }

  /** The store is known to have less than it had confirmed. */
  handleForgotten(): void {
    this.#whole = true
  }

  /** The store has what was given up: only the whole position leaves anything out. */
  handleShrunk(): void {
    this.handleForgotten()
  }

  /** No answer, or one that says that this number came too late: what it carried goes with the next. */
  handleUnanswered(flush: PlannedFlush): void {
    if (flush === this.#inFlight) this.#inFlight = undefined
  }
}
