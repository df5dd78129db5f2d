import { LogCensus, type Transfer } from '@tandem/cli/internal'

/**
 * What one log holds of one life of one producer, which numbered its messages 1, 2, 3 … : besides what every census
 * counts, whether each account's messages stand in order. A copy that was written again does not count.
 */
export class OrderedCensus extends LogCensus {
  readonly #lastOf = new Map<number, number>()
  #disordered = 0

  /** Messages whose first copy stands behind one that was sent after them. */
  get disordered(): number {
    return this.#disordered
  }

  override handleTransfer(transfer: Transfer): void {
    const { number, from } = transfer
    if (!this.numbers.has(number)) {
      const last = this.#lastOf.get(from) ?? 0
      if (number < last) this.#disordered++
      else this.#lastOf.set(from, number)
    }
    super.handleTransfer(transfer)
  }
}
