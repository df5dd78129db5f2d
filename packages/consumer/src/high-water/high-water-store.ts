/**
 * Where a group keeps how far it has come: one record per (group, topic, partition), written by one holder at a time.
 *
 * The record has an owner with a token, a flush number, the time of the group's birth there, and named fields whose
 * bytes mean nothing to a store: `f:<cluster>` is a feed's resume offset, `s:<stream>` a stream's sequences. Every call
 * is one atomic step. Source: position.md, The store.
 */
export interface PartitionOfGroup {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

export type Fields = ReadonlyMap<string, Uint8Array>

export interface Claim {
  /** Random id of the claimant. */
  readonly owner: string
  /** Greatest token the claimant has ever seen for this record; 0 for none. */
  readonly greatestSeen: number
}

export interface Holding {
  /**
   * `max(previous + 1, the store's time in µs, greatestSeen + 1)`; the previous one if the claimant holds it already and
   * has not seen it: an attempt whose reply was lost.
   */
  readonly token: number
  /** Number of the last flush that was executed; 0 for none. */
  readonly number: number
  /** When the group was born on this partition, by the store's clock, ms since 1970. */
  readonly bornMs: number
  readonly fields: Fields
}

export interface Flush {
  readonly owner: string
  readonly token: number
  /** One above the last one sent, whether or not that was answered. */
  readonly number: number
  /** The last number that was answered `flushed`. */
  readonly confirmed: number
  /** The group's birth as the holder knows it, for a store that has lost it. */
  readonly bornMs: number
  /** Whether `fields` is the whole position, not only what changed. */
  readonly whole: boolean
  readonly fields: Fields
}

/**
 * - `flushed`: stored, or was stored already by the same number (a retry after a lost reply).
 * - `stale`: a later flush was executed before; this one must not.
 * - `behind`: the store lost what it had confirmed; send the whole position.
 * - `fenced`: a greater token was there.
 */
export type FlushAnswer = 'flushed' | 'stale' | 'behind' | 'fenced'

export interface HighWaterStore {
  /** What `status()` and the demo call it. */
  readonly name: string
  /** Takes the record for this owner. Rejects with `TANDEM_HIGH_WATER_STORE_FAILED` if the store does not answer. */
  acquire(partition: PartitionOfGroup, claim: Claim): Promise<Holding>
  /** Rejects with `TANDEM_HIGH_WATER_STORE_FAILED` if no answer came; the flush may have been executed. */
  flush(partition: PartitionOfGroup, flush: Flush): Promise<FlushAnswer>
  /** Gives the record up if it is still this owner's. */
  release(partition: PartitionOfGroup, holder: { readonly owner: string; readonly token: number }): Promise<void>
}
