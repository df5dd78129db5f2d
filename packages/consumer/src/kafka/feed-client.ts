import type { ClusterDescription } from '@tandem/common/internal'

/**
 * The consumer's client of one cluster, as the wiring needs it.
 *
 * Callbacks instead of promises and emitters, so that the simulator can stand in for it in virtual time. A client lives
 * once: it connects, is used, and is closed. No call calls back before it has returned; after `close` nothing does but
 * `close`'s own `done`. Once connected it finds its brokers again by itself, however long they were away.
 */
export interface FeedClient {
  /** Answers by `handleConnected` or `handleConnectFailed`, in bounded time. */
  connect(): void
  /**
   * Begins to read these partitions at these offsets; others go on as they are. One that is assigned moves there, and
   * nothing comes any more of where it was, also not from a poll that is under way.
   */
  assign(positions: readonly FeedPosition[]): void
  /** Reads these no more: nothing of them comes, also not from a poll that is under way. */
  unassign(partitions: readonly FeedPartition[]): void
  pause(partitions: readonly FeedPartition[]): void
  resume(partitions: readonly FeedPartition[]): void
  /** Asks for one batch; one `handleBatch` follows, also if there was nothing. */
  poll(): void
  /** Where the log begins; undefined, here and below, if no answer came in time. */
  queryStart(partition: FeedPartition, done: (offset: number | undefined) => void): void
  /** The offset of the next record to be written. */
  queryEnd(partition: FeedPartition, done: (offset: number | undefined) => void): void
  /** First offset at or after a time, ms since 1970; the end of the log if there is none. */
  queryTime(partition: FeedPartition, timeMs: number, done: (offset: number | undefined) => void): void
  /** What the group has committed of it; `UNCOMMITTED` if nothing. */
  queryCommitted(partition: FeedPartition, done: (offset: number | undefined) => void): void
  /**
   * Commits under the group's name. One at a time: `done` comes before the next one, with a reason if that failed, and
   * may be long in coming.
   */
  commit(positions: readonly FeedPosition[], done: (failure: string | undefined) => void): void
  close(done: () => void): void
}

export interface FeedClientHandler {
  handleConnected(description: ClusterDescription): void
  handleConnectFailed(reason: string): void
  /** One poll is over. `ends` were reached after the records of the same partition that stand before it. */
  handleBatch(records: readonly FeedRecord[], ends: readonly FeedPosition[]): void
  /** A connection was lost, or a partition has another leader: a log may not be what it was. */
  handleSilence(): void
  /**
   * One poll is over, with an error that the client does not mend by itself or cannot attribute. Ends that it reached
   * are lost: node-rdkafka deletes what it knows of them. None of its records is, since there were none.
   */
  handlePollFailed(reason: string): void
}

export interface FeedClientOptions {
  readonly cluster: string
  readonly groupId: string
  /** librdkafka properties as the user gave them, checked: none that tandem owns, all as text. */
  readonly properties: Readonly<Record<string, string>>
  readonly topics: readonly string[]
  readonly connectTimeoutMs: number
}

export type FeedClientFactory = (options: FeedClientOptions, handler: FeedClientHandler) => FeedClient

export interface FeedPartition {
  readonly topic: string
  readonly partition: number
}

export interface FeedPosition extends FeedPartition {
  readonly offset: number
}

/** In place of an offset that was never committed, or is not the group's to see. */
export const UNCOMMITTED = -1

/** A record as it was read. */
export interface FeedRecord extends FeedPosition {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestampMs: number
  /** One object with a single property per header, in order: node-rdkafka's form. */
  readonly headers: readonly Readonly<Record<string, Buffer>>[]
}
