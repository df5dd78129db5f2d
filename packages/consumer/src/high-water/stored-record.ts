import { isSameLease, NO_LEASE, type LeaseRecord } from '../core/lease.js'
import type { Claim, Flush, FlushAnswer, Release, Renewal, Renewed, Wish } from './high-water-store.js'

/**
 * What a store knows of one record besides its fields, and the steps of a store that has it in its hands: those of the
 * Redis scripts, so that all stores can be held to one suite. A step gives the record as it is afterwards, or undefined
 * if nothing changed.
 */
export interface StoredRecord extends LeaseRecord {
  readonly bornMs: number
}

export function leaseOf(record: StoredRecord | undefined): LeaseRecord {
  if (record === undefined) return NO_LEASE
  const { owner, token, number, beat, want, keptFor } = record
  return { owner, token, number, beat, want, keptFor }
}

/** @param wallMs the store's clock, ms since 1970. */
export function acquire(record: StoredRecord | undefined, claim: Claim, wallMs: number): StoredRecord | undefined {
  const lease = leaseOf(record)
  if (!isSameLease(lease, claim.seen)) return undefined
  const token = Math.max(lease.token + 1, wallMs * 1_000, claim.greatestSeen + 1)
  return { ...UNMARKED, owner: claim.owner, token, number: lease.number, bornMs: record?.bornMs ?? wallMs }
}

/** With `record` its fields are to be stored, too. */
export function flush(
  record: StoredRecord | undefined,
  { owner, token, number, confirmed, bornMs, whole }: Flush,
): { readonly answer: FlushAnswer; readonly record?: StoredRecord } {
  if (record === undefined) {
    return whole ? { answer: 'flushed', record: { ...UNMARKED, owner, token, number, bornMs } } : { answer: 'behind' }
  }
  if (token < record.token) return { answer: 'fenced' }
  if (token === record.token && owner !== record.owner) return { answer: 'fenced' }
  if (token > record.token) {
    if (!whole) return { answer: 'behind' }
    return { answer: 'flushed', record: { ...record, ...UNMARKED, owner, token, number } }
  }
  if (number === record.number) return { answer: 'flushed' }
  if (number < record.number) return { answer: 'stale' }
  if (record.number < confirmed && !whole) return { answer: 'behind' }
  return { answer: 'flushed', record: { ...record, number } }
}

export function renew(
  record: StoredRecord | undefined,
  { owner, token, beat }: Renewal,
): { readonly answer: Renewed; readonly record?: StoredRecord } {
  if (record === undefined || record.token < token) return { answer: { kind: 'lesser', lease: leaseOf(record) } }
  if (record.token > token || record.owner !== owner) return { answer: { kind: 'fenced' } }
  const renewed = { ...record, beat: Math.max(record.beat, beat) }
  return { answer: { kind: 'renewed', want: record.want, number: record.number }, record: renewed }
}

export function want(record: StoredRecord | undefined, { by, ...of }: Wish): StoredRecord | undefined {
  return isOf(record, of) ? { ...record, want: by } : undefined
}

export function release(record: StoredRecord | undefined, { keptFor, ...of }: Release): StoredRecord | undefined {
  return isOf(record, of) ? { ...record, owner: '', want: '', keptFor } : undefined
}

function isOf(
  record: StoredRecord | undefined,
  { owner, token }: { readonly owner: string; readonly token: number },
): record is StoredRecord {
  return record?.owner === owner && record.token === token
}

const UNMARKED = { beat: 0, want: '', keptFor: '' } as const
