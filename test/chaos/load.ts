import type { Transfer } from '@tandem/cli/internal'

/** The message of a number, as every load of a scenario makes it. */
export function transferOf(number: number, accounts: number): Transfer {
  const from = number % accounts
  return { number, order: number, from, to: (from + 7) % accounts, amount: 1 + (number % 100) }
}

export function keyOf({ from }: Transfer): string {
  return `account-${from}`
}
