import type { Effect } from '../judge/effects.js'
import { NumberSet } from '../judge/number-set.js'
import { asTransfer } from '../judge/transfer.js'

/** What the subscriber needs of a delivery. */
export interface Delivered {
  readonly value: unknown
  readonly late: boolean
  ack(): void
}

/**
 * The application at the end: books each delivery, and acknowledges once its effect is on file.
 *
 * It trusts every delivery, as an application does: whether one came twice is for the judge to find.
 */
export class Subscriber {
  readonly #record: (effect: Effect) => void
  readonly #numbers = new NumberSet()
  #late = 0
  #foreign = 0

  constructor(record: (effect: Effect) => void) {
    this.#record = record
  }

  /** Distinct messages so far. */
  get delivered(): number {
    return this.#numbers.size
  }

  get late(): number {
    return this.#late
  }

  /** Deliveries that are no transfer. */
  get foreign(): number {
    return this.#foreign
  }

  handle(delivery: Delivered): void {
    const transfer = asTransfer(delivery.value)
    if (transfer === undefined) {
      this.#foreign++
    } else {
      this.#record({ ...transfer, late: delivery.late })
      this.#numbers.add(transfer.number)
      if (delivery.late) this.#late++
    }
    delivery.ack()
  }
}
