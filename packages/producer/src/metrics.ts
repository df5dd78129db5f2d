/**
 * What is measured of a producer beside its events: each `send()`, its status, and what its clients say of themselves.
 * Names and meanings stand in common's metrics.ts. Made only when there is a meter.
 */
import {
  isTandemError,
  METRICS,
  Series,
  type Clock,
  type InstrumentInfo,
  type Instruments,
  type MetricName,
  type Observe,
} from '@tandem/common/internal'

import type {
  ClientStatistics,
  ClientTotals,
  ClusterClientFactory,
  ClusterClientHandler,
  ClusterClientOptions,
} from './kafka/cluster-client.js'
import { topicOf } from './message.js'
import type { ProducerStatus } from './status.js'
import type { SendExecutor } from './tracing.js'

export interface ProducerMetricsOptions {
  readonly instruments: Instruments
  readonly clock: Clock
  readonly producerId: string
  readonly clusters: readonly string[]
  /** Of the options. */
  readonly topics: readonly string[]
  readonly status: () => ProducerStatus
}

export class ProducerMetrics {
  readonly #options: ProducerMetricsOptions
  /** Topics that are there, by name; the series of each by error code, '' for none. */
  readonly #topics = new Map<string, Map<string, SendSeries>>()
  readonly #unknownTopics = new Map<string, SendSeries>()
  readonly #clusters = new Map<string, ClusterMetrics>()

  constructor(options: ProducerMetricsOptions) {
    this.#options = options
    for (const topic of options.topics) this.#topics.set(topic, new Map())
    for (const cluster of options.clusters) {
      this.#clusters.set(cluster, new ClusterMetrics(options.producerId, cluster))
    }
  }

  /** From now on the meter may ask for the status. */
  start(): void {
    const gauges = (Object.keys(METRICS) as MetricName[]).filter((name) => METRICS[name].kind === 'gauge')
    this.#options.instruments.observe(gauges, (observe) => this.#observe(observe))
  }

  /** For `new Promise()`: what it executes, measured until it is over. */
  measured(message: unknown, execute: SendExecutor): SendExecutor {
    const { clock } = this.#options
    const topic = topicOf(message)
    const startedAt = clock.now()
    return (resolve, reject) => {
      let over = false
      const end = (code: string): void => {
        if (over) return
        over = true
        this.#handleSent(topic, code, clock.now() - startedAt)
      }
      const fail = (error: unknown): void => {
        end(isTandemError(error) ? error.code : OTHER_ERROR)
        reject(error)
      }
      try {
        execute((receipt) => {
          end('')
          resolve(receipt)
        }, fail)
      } catch (error) {
        fail(error)
      }
    }
  }

  /** Clients that say how they are. */
  clusterClient(factory: ClusterClientFactory): ClusterClientFactory {
    return (options: ClusterClientOptions, handler: ClusterClientHandler) =>
      factory(
        { ...options, statisticsIntervalMs: STATISTICS_EVERY_MS },
        {
          handleConnected: () => handler.handleConnected(),
          handleConnectFailed: (reason) => handler.handleConnectFailed(reason),
          handleReport: (id, offset, failure) => handler.handleReport(id, offset, failure),
          handleAllReported: () => handler.handleAllReported(),
          handleFatal: (reason) => handler.handleFatal(reason),
          handleStatistics: (statistics) => this.#handleStatistics(options.cluster, statistics),
        },
      )
  }

  #handleSent(topic: string, code: string, tookMs: number): void {
    const { instruments } = this.#options
    const stamped = code === '' || code === UNDELIVERED
    if (stamped && !this.#topics.has(topic)) this.#topics.set(topic, new Map())
    const known = this.#topics.get(topic)
    const byCode = known ?? this.#unknownTopics
    let series = byCode.get(code)
    if (series === undefined) byCode.set(code, (series = new SendSeries(known && topic, code)))
    instruments.record(series.duration, tookMs / 1_000)
    if (stamped) instruments.add(series.sent)
  }

  #handleStatistics(cluster: string, statistics: ClientStatistics): void {
    const { instruments, clock } = this.#options
    const metrics = this.#clusters.get(cluster)!
    metrics.statistics = statistics
    metrics.staleAt = clock.now() + STALE_AFTER_MS
    for (const [name, series] of metrics.totals) instruments.add(series, statistics.grown[name])
  }

  #observe(observe: Observe): void {
    const { status, clock, producerId } = this.#options
    const { clusters, unacknowledged, journal } = status()
    const now = clock.now()
    for (const [cluster, { attributes, statistics, staleAt }] of this.#clusters) {
      const { away, circuits, backlog, oldestUnacknowledgedMs, voids, onDisk, exposure } = clusters[cluster]!
      observe('tandem_producer_away', away ? 1 : 0, attributes)
      observe('tandem_producer_circuits_open', circuits.open + circuits['half-open'], attributes)
      observe('tandem_producer_backlog_records', backlog.records, attributes)
      observe('tandem_producer_backlog_bytes', backlog.bytes, attributes)
      observe('tandem_producer_oldest_unacknowledged_seconds', (oldestUnacknowledgedMs ?? 0) / 1_000, attributes)
      observe('tandem_producer_voids', voids, attributes)
      observe('tandem_producer_on_disk_records', onDisk, attributes)
      observe('tandem_producer_exposure_messages', exposure.messages, attributes)
      observe('tandem_producer_exposure_bytes', exposure.bytes, attributes)
      observe('tandem_producer_exposure_oldest_seconds', (exposure.oldestMs ?? 0) / 1_000, attributes)
      if (statistics === undefined || now >= staleAt) continue
      const { roundTripP99Ms, requestsInFlight, requestsWaiting, queueMessages, queueBytes } = statistics
      if (roundTripP99Ms !== undefined) {
        observe('tandem_client_round_trip_p99_seconds', roundTripP99Ms / 1_000, attributes)
      }
      observe('tandem_client_requests_in_flight', requestsInFlight, attributes)
      observe('tandem_client_requests_waiting', requestsWaiting, attributes)
      observe('tandem_client_queue_messages', queueMessages, attributes)
      observe('tandem_client_queue_bytes', queueBytes, attributes)
    }
    const attributes = { producer_id: producerId }
    observe('tandem_producer_window_messages', unacknowledged.messages, attributes)
    observe('tandem_producer_window_bytes', unacknowledged.bytes, attributes)
    observe('tandem_producer_window_waiting', unacknowledged.waiting, attributes)
    if (journal === undefined) return
    observe('tandem_producer_journal_entries', journal.entries, attributes)
    observe('tandem_producer_journal_bytes', journal.bytes, attributes)
    observe('tandem_producer_journal_usable', journal.usable ? 1 : 0, attributes)
  }
}

/** Sends to one topic that ended in one way. */
class SendSeries {
  readonly duration: Series
  readonly sent: Series

  constructor(topic: string | undefined, code: string) {
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      ...(topic === undefined ? {} : { 'messaging.destination.name': topic }),
      ...(code === '' ? {} : { 'error.type': code }),
    }
    this.duration = new Series(DURATION, { ...attributes, 'messaging.operation.type': 'send' })
    this.sent = new Series(infoOf('messaging.client.sent.messages', 'counter'), attributes)
  }
}

class ClusterMetrics {
  readonly attributes: { readonly producer_id: string; readonly cluster: string }
  readonly totals: readonly (readonly [keyof ClientTotals, Series])[]
  statistics: ClientStatistics | undefined
  /** From then on they are too old: the client is gone. */
  staleAt = -Infinity

  constructor(producerId: string, cluster: string) {
    this.attributes = { producer_id: producerId, cluster }
    this.totals = Object.entries(TOTALS).map(
      ([name, metric]) => [name as keyof ClientTotals, new Series(infoOf(metric, 'counter'), this.attributes)] as const,
    )
  }
}

function infoOf(name: MetricName, kind: InstrumentInfo['kind']): InstrumentInfo {
  const { meaning, unit } = METRICS[name]
  return { name, kind, meaning, unit }
}

const TOTALS: Readonly<Record<keyof ClientTotals, MetricName>> = {
  transmitErrors: 'tandem_client_transmit_errors_total',
  receiveErrors: 'tandem_client_receive_errors_total',
  requestTimeouts: 'tandem_client_request_timeouts_total',
  requestRetries: 'tandem_client_request_retries_total',
  connects: 'tandem_client_connects_total',
  disconnects: 'tandem_client_disconnects_total',
}

const DURATION: InstrumentInfo = {
  ...infoOf('messaging.client.operation.duration', 'histogram'),
  // Those of the semantic conventions.
  bounds: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
}

const UNDELIVERED = 'TANDEM_UNDELIVERED'
/** OpenTelemetry's word for an error without a name. */
const OTHER_ERROR = '_OTHER'
/** Less often than a meter usually collects; a large client's statistics take some milliseconds to read. */
const STATISTICS_EVERY_MS = 5_000
/** Two may be missed. */
const STALE_AFTER_MS = 3 * STATISTICS_EVERY_MS
