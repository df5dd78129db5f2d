import type { Transfer } from './transfer.js'

/**
 * Balances of all accounts after some transfers.
 *
 * A lost transfer and one that was applied twice both show here, even if every other count were wrong: two books
 * balance only if they booked the same amounts on the same accounts.
 */
export class Books {
  readonly #opening: number
  readonly #balances: number[] = []

  /** @param opening what each of the `accounts` holds at first. */
  constructor(options: { readonly accounts: number; readonly opening: number }) {
    this.#opening = options.opening
    for (let account = 0; account < options.accounts; account++) this.#balances.push(options.opening)
  }

  /** Sum of all balances before the first transfer; transfers must not change it. */
  get openingSum(): number {
    return this.#opening * this.#balances.length
  }

  get sum(): number {
    return this.#balances.reduce((sum, balance) => sum + balance, 0)
  }

  /** Books both sides. An account that does not exist takes its side into nowhere, and the sum tells. */
  apply(transfer: Transfer): void {
    this.#add(transfer.from, -transfer.amount)
    this.#add(transfer.to, transfer.amount)
  }

  /** Whether every account holds the same in both, and both still hold what they opened with. */
  balances(other: Books): boolean {
    if (this.#balances.length !== other.#balances.length) return false
    if (this.sum !== this.openingSum || other.sum !== other.openingSum) return false
    return this.#balances.every((balance, account) => balance === other.#balances[account])
  }

  #add(account: number, amount: number): void {
    const balance = this.#balances[account]
    if (balance !== undefined) this.#balances[account] = balance + amount
  }
}
