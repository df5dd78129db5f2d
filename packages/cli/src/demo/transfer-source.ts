import type { Transfer } from '../judge/transfer.js'

/**
 * The transfers of a load: between two accounts that differ, of an amount from 1 to 100, the same ones on every run.
 *
 * The generator is a 32-bit xorshift (Marsaglia, 2003: 13, 17, 5), integers only.
 */
export class TransferSource {
  readonly #orders: number[]
  #state: number
  #number = 0

  constructor(options: { readonly accounts: number; readonly seed: number }) {
    this.#orders = new Array<number>(options.accounts).fill(0)
    this.#state = options.seed >>> 0 || 1
  }

  next(): Transfer {
    const accounts = this.#orders.length
    const from = this.#draw(accounts)
    const to = (from + 1 + this.#draw(accounts - 1)) % accounts
    const order = this.#orders[from]! + 1
    this.#orders[from] = order
    return { number: ++this.#number, order, from, to, amount: 1 + this.#draw(AMOUNT_MAX) }
  }

  #draw(below: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state % below
  }
}

const AMOUNT_MAX = 100
