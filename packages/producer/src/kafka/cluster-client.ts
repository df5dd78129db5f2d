import type { ClusterDescription } from '@tandem/common/internal'

import type { WireRecord } from '../core/record.js'
import type { WriteFailure } from '../core/write-failure.js'
import type { VoidProbeOptions } from './void-probe.js'

/**
 * One Kafka client that writes to one cluster, as a lane's outside needs it.
 *
 * Callbacks instead of promises and emitters, so that the simulator can stand in for it in virtual time. A client
 * lives once: it connects, is used, and is discarded. None of its calls calls back before it has returned, and after
 * `discard` nothing calls back but `discard`'s own `done`.
 */
export interface ClusterClient {
  /** Answers by `handleConnected` once a broker has answered, or by `handleConnectFailed`, in bounded time. */
  connect(): void

  /** Asks for brokers and topics. A topic that the cluster does not have is left out. */
  describe(
    topics: readonly string[],
    timeoutMs: number,
    done: (description: ClusterDescription | undefined, reason: string) => void,
  ): void

  /**
   * Hands a record over. A failure given back at once means that it was not handed over; otherwise one
   * `handleReport` with this `id` follows, unless the client is discarded first.
   */
  produce(id: number, record: WireRecord): WriteFailure | undefined

  /** Lets go of the client without waiting for anything; `done` when its threads are gone, which may take long. */
  discard(done?: () => void): void
}

export interface ClusterClientHandler {
  handleConnected(): void
  handleConnectFailed(reason: string): void
  /** `offset` is negative if the cluster acknowledged without saying where; `failure` if it did not acknowledge. */
  handleReport(id: number, offset: number, failure: WriteFailure | undefined): void
  /**
   * Follows soon upon reports, one or many: those were all for now. There may be a hundred thousand a second, and what
   * follows from them is done once for all.
   */
  handleAllReported(): void
  /** The client itself says that it is of no use any more. */
  handleFatal(reason: string): void
  /** What the client says of itself, every `statisticsIntervalMs`. */
  handleStatistics?(statistics: ClientStatistics): void
}

/** Sums over the brokers of the cluster. */
export interface ClientStatistics {
  /** Of the broker that was slowest lately, 99 of 100 answers took no longer; undefined if none answered. */
  readonly roundTripP99Ms: number | undefined
  readonly requestsInFlight: number
  readonly requestsWaiting: number
  readonly queueMessages: number
  readonly queueBytes: number
  /** By how much these have grown since the last statistics of the same client. */
  readonly grown: ClientTotals
}

export interface ClientTotals {
  readonly transmitErrors: number
  readonly receiveErrors: number
  readonly requestTimeouts: number
  readonly requestRetries: number
  readonly connects: number
  readonly disconnects: number
}

export interface ClusterClientOptions {
  readonly cluster: string
  /** librdkafka properties as the user gave them, checked: none that tandem owns, all as text. */
  readonly properties: Readonly<Record<string, string>>
  readonly connectTimeoutMs: number
  /** Largest value, key and headers together, of any topic. */
  readonly messageBytesMax: number
  /** Each topic that is described is tried out first, with what no consumer is given; not if left out. */
  readonly probe?: VoidProbeOptions | undefined
  /** How often `handleStatistics` is called; never, if left out. */
  readonly statisticsIntervalMs?: number | undefined
}

/** @throws OptionsInvalidError if librdkafka does not know one of the properties. */
export type ClusterClientFactory = (options: ClusterClientOptions, handler: ClusterClientHandler) => ClusterClient
