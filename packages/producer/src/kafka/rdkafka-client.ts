/**
 * `ClusterClient` on node-rdkafka 3.6.1.
 *
 * Read in its source, and the reason for what looks odd here:
 * - `disconnect` frees the native client on a pool thread while `poll` on this one takes no lock: polling stops first,
 *   and a discarded client is not touched again. It is not discarded while it connects either, but as soon as that is
 *   over: both would be at work on the same client.
 * - Its native part holds on to our callbacks, and by them to itself, until they are taken back. `disconnect` does so;
 *   for a client that never connected it is done here, or every attempt of a long outage would stay in memory.
 * - An error event has lost its code: as with reports, the text is all there is.
 * - A client that does not get through says no more than that. Why, is in its log (common's failure-reason.ts), which
 *   comes from a thread of librdkafka's without a poll.
 * - A report that never comes leaks the handle of its opaque, so that is a number.
 * - Topic properties in the global configuration are lost, since a topic configuration is always set.
 * - Values that are neither integers nor text are misread: all are passed as text (`clusterProperties`).
 * - No bytes at all may be handed over as a null pointer, which means null: a tombstone, or no key. Always on Node 20 if
 *   the memory behind them is empty, too.
 * - A topic may be asked about without being made: `allow.auto.create.topics` is false.
 */
import rdkafka from 'node-rdkafka'

import {
  describeCluster,
  FailureReason,
  OptionsInvalidError,
  type ClientLogLine,
  type ClusterDescription,
} from '@tandem/common/internal'

import type { WireRecord } from '../core/record.js'
import type { WriteFailure } from '../core/write-failure.js'
import type { ClientStatistics, ClusterClient, ClusterClientHandler, ClusterClientOptions } from './cluster-client.js'
import { produceFailure, reportFailure } from './refusals.js'
import { StatisticsReader } from './statistics-reader.js'
import { VoidProbe } from './void-probe.js'

export class RdkafkaClient implements ClusterClient {
  readonly #handler: ClusterClientHandler
  readonly #connectTimeoutMs: number
  readonly #failure: FailureReason
  readonly #probe: VoidProbe | undefined
  #client: NativeProducer | undefined
  #connecting = false
  /** Reports of this turn of the loop are coming in. */
  #reporting = false
  #discarded = false
  #whenDiscarded: (() => void) | undefined

  constructor(options: ClusterClientOptions, handler: ClusterClientHandler) {
    this.#handler = handler
    this.#connectTimeoutMs = options.connectTimeoutMs
    this.#failure = new FailureReason(options.properties)
    const { globals, topics } = nativeProperties(options)
    try {
      this.#client = new rdkafka.Producer(globals, topics) as unknown as NativeProducer
    } catch (cause) {
      const reason = this.#failure.of(cause)
      throw new OptionsInvalidError(
        `option clusters.${options.cluster}: librdkafka says: ${reason}`,
        { path: `clusters.${options.cluster}`, reason },
        cause,
      )
    }
    if (options.probe !== undefined) {
      this.#probe = new VoidProbe(options.probe, (id, record) => this.produce(id, record))
    }
    this.#client.on('delivery-report', (error, report) => this.#handleReport(error, report))
    this.#client.on('event.error', (error) => this.#handleError(error))
    this.#client.on('event.log', (line) => this.#failure.handleLog(line))
    if (options.statisticsIntervalMs !== undefined) {
      const reader = new StatisticsReader()
      this.#client.on('event.stats', ({ message }) => this.#handleStatistics(reader.read(message)))
    }
  }

  connect(): void {
    this.#connecting = true
    this.#client!.connect({ allTopics: false, timeout: this.#connectTimeoutMs }, (error) => {
      this.#connecting = false
      if (this.#discarded) {
        this.#disconnect()
      } else if (error) {
        this.#handler.handleConnectFailed(this.#failure.of(error))
      } else {
        this.#failure.handleSuccess()
        this.#client!.setPollInterval(POLL_EVERY_MS)
        this.#handler.handleConnected()
      }
    })
  }

  describe(
    topics: readonly string[],
    timeoutMs: number,
    done: (description: ClusterDescription | undefined, reason: string) => void,
  ): void {
    this.#describe(topics, timeoutMs, (description, reason) => {
      if (description === undefined || this.#probe === undefined) return done(description, reason)
      this.#probe.ask(description.topics, PROBE_PATIENCE_MS, (probed) => {
        if (!this.#discarded) done({ ...description, topics: probed }, '')
      })
    })
  }

  #describe(
    topics: readonly string[],
    timeoutMs: number,
    done: (description: ClusterDescription | undefined, reason: string) => void,
  ): void {
    if (topics.length > ASKED_ONE_BY_ONE_MAX) {
      this.#metadata('', true, timeoutMs, topics, done)
      return
    }
    const described: ClusterDescription[] = []
    const next = (): void => {
      this.#metadata(topics[described.length] ?? '', false, timeoutMs, topics, (answer, reason) => {
        if (answer === undefined) return done(undefined, reason)
        described.push(answer)
        if (described.length < topics.length) next()
        else done({ brokers: answer.brokers, topics: described.flatMap((each) => each.topics) }, '')
      })
    }
    next()
  }

  produce(id: number, record: WireRecord): WriteFailure | undefined {
    const { topic, partition, value, key, timestampMs, headers } = record
    try {
      this.#client!.produce(topic, partition, pointed(value), pointed(key), timestampMs, id, headers)
      return undefined
    } catch (error) {
      return produceFailure((error as { code?: number }).code, messageOf(error))
    }
  }

  discard(done?: () => void): void {
    if (this.#discarded) return
    this.#discarded = true
    this.#whenDiscarded = done
    if (!this.#connecting) this.#disconnect()
  }

  /** `allTopics` is true in node-rdkafka unless it is said otherwise, also beside a topic. */
  #metadata(
    topic: string,
    allTopics: boolean,
    timeoutMs: number,
    wanted: readonly string[],
    done: (description: ClusterDescription | undefined, reason: string) => void,
  ): void {
    this.#client!.getMetadata({ topic, allTopics, timeout: timeoutMs }, (error, metadata) => {
      if (this.#discarded) return
      if (error) return done(undefined, this.#failure.of(error))
      this.#failure.handleSuccess()
      done(describeCluster(metadata, wanted), '')
    })
  }

  /** The last thing that is done to a client. */
  #disconnect(): void {
    const client = this.#client!
    this.#client = undefined
    const done = this.#whenDiscarded ?? (() => undefined)
    if (!client.isConnected()) {
      client.getClient().configureCallbacks(false, client._cb_configs)
      setImmediate(done)
      return
    }
    client.setPollInterval(0)
    client.disconnect(0, () => done())
  }

  #handleReport(error: Error | null, report: { readonly opaque: unknown; readonly offset?: number }): void {
    if (this.#discarded) return
    const failure = error === null || error === undefined ? undefined : reportFailure(messageOf(error))
    const id = report.opaque as number
    if (id < 0) {
      this.#probe!.handleReport(id, failure)
      return
    }
    this.#handler.handleReport(id, report.offset ?? -1, failure)
    if (this.#reporting) return
    // node-rdkafka brings up to a hundred in one turn of the loop, by a call each.
    this.#reporting = true
    setImmediate(() => {
      this.#reporting = false
      if (!this.#discarded) this.#handler.handleAllReported()
    })
  }

  #handleStatistics(statistics: ClientStatistics | undefined): void {
    if (!this.#discarded && statistics !== undefined) this.#handler.handleStatistics?.(statistics)
  }

  #handleError(error: { readonly message: string }): void {
    const { kind, reason } = reportFailure(error.message)
    if (!this.#discarded && kind === 'fatal') this.#handler.handleFatal(reason)
  }
}

/** Bytes that are somewhere in memory, also if there are none. */
function pointed(bytes: Uint8Array | null): Uint8Array | null {
  return bytes?.length === 0 ? NO_BYTES : bytes
}

/** What the protocol depends on, over what the user gave. */
export function nativeProperties(options: ClusterClientOptions): {
  globals: Record<string, string | boolean>
  topics: Record<string, string>
} {
  const globals: Record<string, string | boolean> = { ...TUNED }
  const topics: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.properties)) {
    if (TOPIC_PROPERTIES.has(name)) topics[name] = value
    else globals[name] = value
  }
  Object.assign(globals, OWNED, {
    'statistics.interval.ms': String(options.statisticsIntervalMs ?? 0),
    'message.max.bytes': String(options.messageBytesMax + RECORD_SLACK_BYTES),
    dr_cb: true,
  })
  return { globals, topics: { ...topics, ...OWNED_TOPIC } }
}

/** What is used of node-rdkafka; its own types do not know headers of text only, nor a value of Uint8Array. */
interface NativeProducer {
  connect(options: { allTopics: boolean; timeout: number }, done: (error: Error | null) => void): void
  getMetadata(
    options: { topic: string; allTopics: boolean; timeout: number },
    done: (error: Error | null, metadata: Parameters<typeof describeCluster>[0]) => void,
  ): void
  produce(
    topic: string,
    partition: number,
    value: Uint8Array | null,
    key: Uint8Array | null,
    timestampMs: number,
    opaque: number,
    headers: WireRecord['headers'],
  ): void
  setPollInterval(ms: number): void
  isConnected(): boolean
  disconnect(timeoutMs: number, done: () => void): void
  on(
    event: 'delivery-report',
    listener: (error: Error | null, report: { opaque: unknown; offset?: number }) => void,
  ): void
  on(event: 'event.error', listener: (error: { message: string }) => void): void
  on(event: 'event.log', listener: (line: ClientLogLine) => void): void
  on(event: 'event.stats', listener: (statistics: { message: string }) => void): void
  getClient(): { configureCallbacks(add: boolean, callbacks: unknown): void }
  readonly _cb_configs: unknown
}

function messageOf(error: unknown): string {
  return error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
    ? String(error.message)
    : String(error)
}

/** Defaults that suit two lanes and that a user may change. */
const TUNED = {
  // A client that lost its broker tries again this often; a lane that is away has its own, longer back-off.
  'reconnect.backoff.max.ms': '1000',
}

/** Properties of the protocol: see the reasons where they are refused (`clusterProperties`). */
const OWNED = {
  'enable.idempotence': 'true',
  'max.in.flight': '5',
  // Longer than a circuit takes to open, so that the circuit judges by its own clock and not by these.
  'socket.timeout.ms': '10000',
  'metadata.recovery.strategy': 'none',
  'allow.auto.create.topics': 'false',
  'queue.buffering.max.ms': '5',
  // The tracks bound what is in the client.
  'queue.buffering.max.messages': '10000000',
  'queue.buffering.max.kbytes': '2147483647',
}

const OWNED_TOPIC = {
  acks: 'all',
  // At most this long a record of a partition without a leader stays in the client before it is the track's again.
  'message.timeout.ms': '20000',
  'request.timeout.ms': '10000',
}

/** Those that librdkafka takes from a topic configuration only. */
const TOPIC_PROPERTIES = new Set(['compression.level', 'queuing.strategy', 'produce.offset.report'])

const NO_BYTES = Buffer.from('x').subarray(0, 0)
/** More topics are asked for together with all others: one answer, though a large one. */
const ASKED_ONE_BY_ONE_MAX = 20
/** A cluster that is well answers in milliseconds; one that is not is not waited for. */
const PROBE_PATIENCE_MS = 1_000
/** Stamp, names of headers and the framing of a record, above what `messageBytesMax` counts. */
const RECORD_SLACK_BYTES = 4_096
/** Reports wait no longer than this; they come in batches anyway, about as often as batches are sent. */
export const POLL_EVERY_MS = 5
