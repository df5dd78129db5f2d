import type { Claim, Flush, FlushAnswer } from './high-water-store.js'

/**
 * What a store knows of one record besides its fields, and the steps of a store that has it in its hands: those of the
 * Redis scripts, so that all stores can be held to one suite.
 */
export interface StoredRecord {
  owner: string
  token: number
  number: number
  readonly bornMs: number
}

/** @param wallMs the store's clock, ms since 1970. */
export function acquire(record: StoredRecord | undefined, claim: Claim, wallMs: number): StoredRecord {
  const { token: previous, ...kept } = record ?? { owner: '', token: 0, number: 0, bornMs: wallMs }
  const again = kept.owner === claim.owner && previous > claim.greatestSeen
  const token = again ? previous : Math.max(previous + 1, wallMs * 1_000, claim.greatestSeen + 1)
  return { ...kept, token, owner: claim.owner }
}

/** What a flush comes to; with `record` if it is executed: then that and its fields are to be stored. */
export function flush(
  record: StoredRecord | undefined,
  { owner, token, number, confirmed, bornMs, whole }: Flush,
): { readonly answer: FlushAnswer; readonly record?: StoredRecord } {
  if (record === undefined) {
    return whole ? { answer: 'flushed', record: { owner, token, number, bornMs } } : { answer: 'behind' }
  }
  if (token < record.token) return { answer: 'fenced' }
  if (token === record.token && owner !== record.owner) return { answer: 'fenced' }
  if (token > record.token) {
    if (!whole) return { answer: 'behind' }
  } else {
    if (number === record.number) return { answer: 'flushed' }
    if (number < record.number) return { answer: 'stale' }
    if (record.number < confirmed && !whole) return { answer: 'behind' }
  }
  return { answer: 'flushed', record: { ...record, owner, token, number } }
}
