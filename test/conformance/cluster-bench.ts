import type { ClusterClient, ClusterClientHandler, LogReader } from '@tandem/producer/internal'
import type { FeedClient, FeedClientHandler, FeedRecord } from '@tandem/consumer/internal'

import type { LogEntry } from '../simulation/simulated-log.js'

/**
 * A Kafka cluster with a topic of two empty partitions, and what can be done to it: a real one, in real time, or a
 * simulated one, in its own. What a suite says of a client by means of this must hold on both.
 */
export interface ClusterBench {
  /** New for each bench. */
  readonly topic: string
  /** The cluster's clock now, ms since 1970; a real one's is that of this machine. */
  readonly wallMs: number

  createClusterClient(options: ClientOptions, handler: ClusterClientHandler): ClusterClient
  createFeedClient(options: Pick<ClientOptions, 'connectTimeoutMs'>, handler: FeedClientHandler): FeedClient
  createLogReader(): LogReader

  /** Puts records into a log, past the clients under test. */
  write(partition: number, entries: readonly LogEntry[]): Promise<void>
  /** What a log holds, read past the clients under test. */
  read(partition: number): Promise<readonly FeedRecord[]>
  /** Resolves when retention has removed everything, all of it written with the timestamp `LONG_AGO`. */
  expire(partition: number): Promise<void>

  /** Its processes are stopped. */
  hang(): Promise<void>
  /** They go on. */
  resume(): Promise<void>
  /** Its processes are killed. */
  kill(): Promise<void>
  /** They are started again, on what was stored. */
  restart(): Promise<void>

  /** Lets time pass until it is so. @throws Error: it was not within `ms`, 30 s if left out. */
  until(what: string, good: () => boolean, ms?: number): Promise<void>
  /** Lets time pass in which nothing is to happen. */
  pass(ms: number): Promise<void>
  /** How long something took, as far as the bench's time knows. */
  readonly now: number
}

export interface ClientOptions {
  readonly connectTimeoutMs: number
  readonly messageBytesMax: number
}

/** How to come by benches: each case opens one of its own. */
export interface Benches {
  /**
   * @param options.recordBytesMax the cluster refuses what is clearly larger; if left out, nothing ordinary.
   * @param options.expires whether retention removes what is old, at any moment; otherwise everything stays.
   */
  open(options?: { readonly recordBytesMax?: number; readonly expires?: boolean }): Promise<ClusterBench>
}

/** A timestamp behind every retention time. */
export const LONG_AGO = Date.UTC(2020, 0, 1)

/** A record with a text and nothing else. */
export function entry(text: string, timestampMs = 0): LogEntry {
  return { key: null, value: Buffer.from(text), timestampMs, headers: [] }
}

/** Beyond a time that was given, on a machine that does much else. */
export const SLACK_MS = 5_000
