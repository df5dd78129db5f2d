import type { Books } from './books.js'
import { NumberSet } from './number-set.js'
import { asTransfer, type Transfer } from './transfer.js'

/** One line of the effect file: a delivery that the subscriber applied. */
export interface Effect extends Transfer {
  /** Whether the delivery was flagged late. */
  readonly late: boolean
}

/**
 * What the effect file says, in the order in which it was written.
 *
 * A repeated effect counts as that and nothing else: it says nothing about order, since the first one has. Late
 * ones are out of order by announcement; the others of a key must come in the order of its payloads (I3).
 */
export class Effects {
  readonly numbers = new NumberSet()
  readonly books: Books
  readonly #orders = new Map<number, number>()
  #duplicated = 0
  #outOfOrder = 0
  #late = 0

  constructor(books: Books) {
    this.books = books
  }

  /** Effects beyond the first of their number. */
  get duplicated(): number {
    return this.#duplicated
  }

  /** Effects, neither late nor repeated, whose key had shown a higher order before. */
  get outOfOrder(): number {
    return this.#outOfOrder
  }

  /** Effects flagged late, each number once. */
  get late(): number {
    return this.#late
  }

  add(effect: Effect): void {
    // Repeated ones are booked too: that is what a subscriber that trusts the delivery would have done.
    this.books.apply(effect)
    if (!this.numbers.add(effect.number)) {
      this.#duplicated++
      return
    }
    if (effect.late) {
      this.#late++
      return
    }
    const highest = this.#orders.get(effect.from) ?? 0
    if (effect.order < highest) this.#outOfOrder++
    else this.#orders.set(effect.from, effect.order)
  }
}

/** The effect in one parsed line, or undefined if it is none. */
export function asEffect(value: unknown): Effect | undefined {
  const transfer = asTransfer(value)
  if (transfer === undefined) return undefined
  const { late } = value as Record<string, unknown>
  return typeof late === 'boolean' ? { ...transfer, late } : undefined
}
