import { isMessageNumber } from './number-set.js'

/**
 * One message of the judged load: money that moves between two accounts of a ledger.
 *
 * Everything the judge counts by stands in the payload, where tandem cannot reach it: `number` says which message
 * this is, `order` which of its key. The key is the paying account, so `order` counts the payments of `from`.
 */
export interface Transfer {
  /** 1, 2, 3 … over the whole load. */
  readonly number: number
  /** 1, 2, 3 … over the transfers with the same `from`. */
  readonly order: number
  readonly from: number
  readonly to: number
  readonly amount: number
}

/** The transfer in `value`, or undefined if it is none: a log may hold anybody's bytes. */
export function asTransfer(value: unknown): Transfer | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { number, order, from, to, amount } = value as Record<string, unknown>
  if (!isMessageNumber(number) || !isMessageNumber(order)) return undefined
  if (!isAccount(from) || !isAccount(to) || !isAccount(amount)) return undefined
  return { number, order, from, to, amount }
}

/** The transfer in the bytes of a record, or undefined if they hold none. */
export function decodeTransfer(bytes: Uint8Array | null | undefined): Transfer | undefined {
  if (bytes === null || bytes === undefined) return undefined
  try {
    return asTransfer(JSON.parse(decoder.decode(bytes)))
  } catch {
    return undefined
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function isAccount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
