/**
 * When a batch is complete: it has `countMax` deliveries, or its first one has waited for `waitMs`, or nothing more can
 * come. The last is so when the window is full and all that fills it is in this batch: whoever is to acknowledge it has
 * to see it first. So a batch of more than the window takes does not stall, it is as large as the window.
 *
 * It holds unacknowledged deliveries only, never more than the window lets out.
 */
export class Batch<T> {
  readonly #countMax: number
  readonly #waitMs: number
  #deliveries: T[] = []
  #since = 0
  #complete: T[][] = []

  constructor(options: { readonly countMax: number; readonly waitMs: number }) {
    this.#countMax = options.countMax
    this.#waitMs = options.waitMs
  }

  /** @param window how many are unacknowledged, and whether no more will come before some of them are not. */
  handleDelivered(delivery: T, window: { readonly unacknowledged: number; readonly full: boolean }, now: number): void {
    if (this.#deliveries.length === 0) this.#since = now
    this.#deliveries.push(delivery)
    const { length } = this.#deliveries
    if (length >= this.#countMax || (window.full && window.unacknowledged <= length)) this.handleEnded()
  }

  /** Nothing more comes: what is there is a batch. */
  handleEnded(): void {
    if (this.#deliveries.length > 0) this.#complete.push(this.#deliveries)
    this.#deliveries = []
  }

  /** Takes out what is `gone`: it is to be given back. */
  take(gone: (delivery: T) => boolean): readonly T[] {
    const taken: T[] = []
    const left: T[] = []
    for (const delivery of this.#deliveries) (gone(delivery) ? taken : left).push(delivery)
    this.#deliveries = left
    return taken
  }

  poll(): readonly T[] | undefined {
    return this.#complete.shift()
  }

  deadline(): number | undefined {
    return this.#deliveries.length === 0 ? undefined : this.#since + this.#waitMs
  }

  handleDeadline(now: number): void {
    if (now >= (this.deadline() ?? Infinity)) this.handleEnded()
  }
}
