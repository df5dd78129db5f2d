import type { SequenceId } from '@tandem/common/internal'

import type { LeaseRecord } from '../core/lease.js'
import type { Member } from '../core/shares.js'

/**
 * Where a group keeps how far it has come: one record per (group, topic, partition), written by one holder at a time.
 *
 * The record has the lease of its holder (owner, token, number of the last flush, number of the last renewal), the time
 * of the group's birth there, and named fields whose bytes mean nothing to a store: `f:<cluster>` is a feed's resume
 * offset, `s:<stream>` a stream's sequences. Every call is one atomic step, and may be repeated, or be carried out long
 * after it was given up. Source: position.md, The store and Leases.
 */
export interface PartitionOfGroup {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

export type Fields = ReadonlyMap<string, Uint8Array>

export interface Claim {
  /** Id of the claimant: random, and its own. */
  readonly owner: string
  /** Greatest token the claimant has ever seen for this record; 0 for none. */
  readonly greatestSeen: number
  /** What the claimant saw: it takes nothing else. */
  readonly seen: LeaseRecord
}

/** `held`: the lease is not as the claimant saw it, and nothing was changed. */
export type Acquired =
  { readonly kind: 'acquired'; readonly holding: Holding } | { readonly kind: 'held'; readonly lease: LeaseRecord }

export interface Holding {
  /** `max(previous + 1, the store's time in µs, greatestSeen + 1)` */
  readonly token: number
  /** Number of the last flush that was executed; 0 for none. */
  readonly number: number
  /** When the group was born on this partition, by the store's clock, ms since 1970. */
  readonly bornMs: number
  readonly fields: Fields
  /**
   * What is finished besides, though no flush has said so: positions that transactions of the user's have written
   * together with their effects. Nothing of it is delivered again, and the next flush that may carry it does.
   */
  readonly booked?: readonly FinishedCounters[]
}

/** Counters of one sequence that are finished, from `first` to `last`. */
export interface FinishedCounters extends SequenceId {
  readonly first: number
  readonly last: number
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
  /** What `fields` say is finished: with them, it need not be kept as booked any longer. */
  readonly finished: readonly FinishedCounters[]
}

/**
 * - `flushed`: stored, or was stored already by the same number (a retry after a lost reply).
 * - `stale`: a later flush was executed before; this one must not.
 * - `behind`: the store lost what it had confirmed; send the whole position.
 * - `fenced`: a greater token was there.
 */
export type FlushAnswer = 'flushed' | 'stale' | 'behind' | 'fenced'

export interface Renewal {
  readonly owner: string
  readonly token: number
  /** Number of this renewal, above that of the last one. */
  readonly beat: number
}

/**
 * - `renewed`: the lease is still that of owner and token, and the beat is at least the one that was sent; `want` is who
 *   asks for it, or empty; `number` is that of the last flush that it has: a store that fell back shows it here, although
 *   nothing is flushed.
 * - `lesser`: there is no record, or one with a lower token: the store lost something.
 * - `fenced`: a greater token was there, or another owner under the same.
 */
export type Renewed =
  | { readonly kind: 'renewed'; readonly want: string; readonly number: number }
  | { readonly kind: 'lesser'; readonly lease: LeaseRecord }
  | { readonly kind: 'fenced' }

/** Who is there. */
export interface Roll {
  /** The instance that tells and asks. */
  readonly instance: string
  /** What it says of itself; undefined when it leaves. */
  readonly member: Member | undefined
  /** Others, that are to be struck off. */
  readonly gone: readonly string[]
}

/**
 * Each call rejects if it has no answer, in bounded time: with `TANDEM_HIGH_WATER_STORE_FAILED`, or as the store likes; it
 * is asked again. `TANDEM_HIGH_WATER_STORE_UNUSABLE` says that no time mends it, and ends a start at once.
 *
 * An own store **for a single holder**, which is never to share partitions with another instance, needs no leases. It
 * keeps `acquire` and `flush` as they are described, and gives the least that the others may: `look` resolves to
 * `NO_LEASE`, so that nothing is waited for; `acquire` takes whatever `seen` says, under a token above the last one;
 * `renew` resolves to `renewed` with an empty `want` and the number of the last flush, or to `fenced` if a greater token is there, which a second instance,
 * started by mistake, would have put there; `want` and `release` do nothing; `meet` resolves to an empty map.
 */
export interface HighWaterStore {
  /** What `status()` and the demo call it. */
  readonly name: string
  /**
   * It forgets everything with its process, and that is meant: a group without a record begins where `from` points,
   * whatever the clusters have as its commits.
   */
  readonly volatile?: boolean
  /** Whose the record is; `NO_LEASE` if there is none. */
  look(partition: PartitionOfGroup): Promise<LeaseRecord>
  /** Takes the record if its lease (owner, token, number and beat) is as it was seen; takes marks away. */
  acquire(partition: PartitionOfGroup, claim: Claim): Promise<Acquired>
  /** The flush may have been executed, too, if no answer came. */
  flush(partition: PartitionOfGroup, flush: Flush): Promise<FlushAnswer>
  /** Shows that the holder is alive. */
  renew(partition: PartitionOfGroup, renewal: Renewal): Promise<Renewed>
  /** Marks a lease, if it is still that of owner and token: `by` asks for it. */
  want(partition: PartitionOfGroup, wish: Wish): Promise<void>
  /** Gives the record up if it is still that of owner and token, and keeps it for somebody, or for anybody (empty). */
  release(partition: PartitionOfGroup, release: Release): Promise<void>
  /** Puts an instance down, or strikes it off, and says who is there. A hint: nothing depends on it being whole. */
  meet(groupId: string, roll: Roll): Promise<ReadonlyMap<string, Member>>
  /**
   * May be left out: what may make it lose what it was given, in words; nothing, if all is well. Asked at the start and
   * every minute, and told as `store-unsafe`.
   */
  hazards?(): Promise<readonly string[]>
}

export interface Wish {
  readonly owner: string
  readonly token: number
  readonly by: string
}

export interface Release {
  readonly owner: string
  readonly token: number
  readonly keptFor: string
}
