import type { ClusterDescription } from '@tandem/common/internal'
import type {
  ClusterClient,
  ClusterClientHandler,
  ClusterClientOptions,
  WireRecord,
  WriteFailure,
} from '@tandem/producer/internal'

import { LEADERLESS, type SimulatedCluster } from './cluster.js'
import { RECONNECT_MS, SimulatedConnection } from './simulated-connection.js'
import type { SimulatedLog } from './simulated-log.js'
import type { SimulatedProcess } from './simulated-process.js'

/**
 * What RdkafkaClient is to a real cluster: an idempotent producer with a queue per partition.
 *
 * Kept from librdkafka: reports come in order within a partition; a batch whose connection broke is sent again, and the
 * broker knows it again if it had it already. Nothing fails before `message.timeout.ms`, whether the broker is dead or
 * hung; then a record is reported as timed out, though the log may hold it, or may yet: a hung broker finds in its
 * sockets what it was sent. One record that is refused condemns its batch. Discarded, a client leaves in the sockets of
 * the cluster what it had sent: it may be appended later.
 */
interface Handed {
  readonly id: number
  readonly record: WireRecord
  readonly handedAtMs: number
}

/** What the broker knows again, once it has appended it. */
interface Batch {
  handed: Handed[]
  readonly offsets: Map<number, number>
  /** Whether it is sent for the second time at least. */
  sentBefore: boolean
}

interface Line {
  readonly log: SimulatedLog
  waiting: Handed[]
  inFlight: Batch | undefined
  lingering: boolean
  /** Whether it is looked at again for what has timed out. */
  watched: boolean
}

type Answer =
  { readonly kind: 'appended'; readonly again: boolean } | { readonly kind: 'refused' } | { readonly kind: 'no-leader' }

export class SimulatedClusterClient implements ClusterClient {
  readonly #options: ClusterClientOptions
  readonly #handler: ClusterClientHandler
  readonly #cluster: SimulatedCluster
  readonly #connection: SimulatedConnection
  readonly #writeRecordsMax: number
  readonly #lines = new Map<SimulatedLog, Line>()

  constructor(
    options: ClusterClientOptions,
    handler: ClusterClientHandler,
    where: {
      readonly cluster: SimulatedCluster
      readonly process: SimulatedProcess
      /** Records of one batch. */
      readonly writeRecordsMax: number
    },
  ) {
    this.#options = options
    this.#handler = handler
    this.#cluster = where.cluster
    this.#connection = new SimulatedConnection(where.cluster, where.process, 'cluster client')
    this.#writeRecordsMax = where.writeRecordsMax
  }

  connect(): void {
    this.#connection.contact(this.#options.connectTimeoutMs, (reached) => {
      if (reached) this.#handler.handleConnected()
      else this.#handler.handleConnectFailed('local: broker transport failure')
    })
  }

  describe(
    topics: readonly string[],
    timeoutMs: number,
    done: (description: ClusterDescription | undefined, reason: string) => void,
  ): void {
    let open = true
    const finish = (description: ClusterDescription | undefined, reason: string): void => {
      if (!open) return
      open = false
      cancelTimeout()
      done(description, reason)
    }
    const cancelTimeout = this.#connection.after(timeoutMs, () => finish(undefined, 'local: timed out'))
    this.#connection.ask(
      'query',
      () => this.#cluster.describe(topics),
      (description) => finish(description, description === undefined ? 'local: broker transport failure' : ''),
    )
  }

  produce(id: number, record: WireRecord): WriteFailure | undefined {
    if (bytesOf(record) > this.#options.messageBytesMax + RECORD_SLACK_BYTES)
      return { kind: 'refused', reason: 'message size too large' }
    const line = this.#lineOf(this.#cluster.log(record.topic, record.partition))
    // librdkafka copies what it is handed; the record may be let go of before this is sent.
    const { topic, partition, key, value, timestampMs, headers } = record
    const copy = { topic, partition, key, value, timestampMs, headers }
    line.waiting.push({ id, record: copy, handedAtMs: this.#cluster.timeline.now })
    this.#linger(line)
    this.#watch(line)
    return undefined
  }

  discard(done: () => void = () => undefined): void {
    this.#connection.close(done)
  }

  #lineOf(log: SimulatedLog): Line {
    let line = this.#lines.get(log)
    if (line === undefined) {
      line = { log, waiting: [], inFlight: undefined, lingering: false, watched: false }
      this.#lines.set(log, line)
    }
    return line
  }

  #linger(line: Line): void {
    if (line.lingering || line.inFlight !== undefined) return
    line.lingering = true
    this.#connection.after(LINGER_MS, () => {
      line.lingering = false
      const handed = line.waiting.slice(0, this.#writeRecordsMax)
      line.waiting = line.waiting.slice(handed.length)
      line.inFlight = { handed, offsets: new Map(), sentBefore: false }
      this.#send(line, line.inFlight)
    })
  }

  #send(line: Line, batch: Batch): void {
    const sent = batch.handed
    this.#connection.ask(
      'write',
      () => this.#append(line.log, batch, sent),
      (answer) => this.#handleAnswer(line, batch, answer),
    )
  }

  /** In the cluster, which gets all that was sent, whatever has timed out since. */
  #append(log: SimulatedLog, batch: Batch, sent: readonly Handed[]): Answer {
    if (log.leader === LEADERLESS) return { kind: 'no-leader' }
    if (batch.offsets.size > 0) return { kind: 'appended', again: true }
    // Of brokers that were frozen it is known that they take for a repetition what they never had (librdkafka #4134).
    if (batch.sentBefore && this.#cluster.prng.chance(this.#cluster.hollowPercent))
      return { kind: 'appended', again: true }
    if (sent.some(({ record }) => this.#cluster.refuses(record))) return { kind: 'refused' }
    for (const { id, record } of sent) {
      batch.offsets.set(id, this.#cluster.append(log.topic, log.partition, record).offset)
    }
    return { kind: 'appended', again: false }
  }

  /** `undefined` if the connection broke. */
  #handleAnswer(line: Line, batch: Batch, answer: Answer | undefined): void {
    if (batch !== line.inFlight) return // all of it has timed out
    switch (answer?.kind) {
      case 'appended': {
        const lie = batch.offsets.size === 0
        const hollow = lie || (answer.again && this.#cluster.prng.chance(this.#cluster.hollowPercent))
        this.#report(line, batch.handed, undefined, (id) => (hollow ? -1 : batch.offsets.get(id)!))
        break
      }
      case 'refused':
        this.#report(line, batch.handed, { kind: 'batch-refused', reason: 'message size too large' })
        break
      case 'no-leader':
      case undefined:
        this.#connection.after(RECONNECT_MS, () => {
          if (batch !== line.inFlight) return
          batch.sentBefore = true
          this.#send(line, batch)
        })
        return
      default:
        answer satisfies never
    }
  }

  /** librdkafka looks once a second for what has timed out. */
  #watch(line: Line): void {
    if (line.watched) return
    const { now } = this.#cluster.timeline
    const oldest = line.inFlight?.handed[0] ?? line.waiting[0]
    if (oldest === undefined) return
    line.watched = true
    const atMs = Math.ceil((oldest.handedAtMs + MESSAGE_TIMEOUT_MS) / WATCH_MS) * WATCH_MS
    this.#connection.after(Math.max(atMs - now, 0), () => {
      line.watched = false
      this.#expire(line)
      this.#watch(line)
    })
  }

  #expire(line: Line): void {
    const batch = line.inFlight
    const expired = ({ handedAtMs }: Handed): boolean => {
      return this.#cluster.timeline.now - handedAtMs >= MESSAGE_TIMEOUT_MS
    }
    const timedOut = [...(batch?.handed ?? []).filter(expired), ...line.waiting.filter(expired)]
    if (timedOut.length === 0) return
    if (batch !== undefined) batch.handed = batch.handed.filter((handed) => !expired(handed))
    line.waiting = line.waiting.filter((handed) => !expired(handed))
    const busy = batch !== undefined && batch.handed.length > 0
    this.#report(line, timedOut, { kind: 'transient', reason: 'message timed out' }, undefined, busy)
  }

  #report(
    line: Line,
    handed: readonly Handed[],
    failure: WriteFailure | undefined,
    offsetOf: (id: number) => number = () => -1,
    busy = false,
  ): void {
    if (!busy) {
      line.inFlight = undefined
      if (line.waiting.length > 0) this.#linger(line)
    }
    for (const { id } of handed) {
      // The one before may have had this client discarded.
      if (!this.#connection.closed) this.#handler.handleReport(id, offsetOf(id), failure)
    }
    if (!this.#connection.closed) this.#handler.handleAllReported()
  }
}

/** What librdkafka measures before it takes a record. */
function bytesOf({ key, value, headers }: WireRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) {
    for (const [name, text] of Object.entries(header)) bytes += Buffer.byteLength(name) + Buffer.byteLength(text)
  }
  return bytes
}

/** As rdkafka-client.ts sets them. */
const RECORD_SLACK_BYTES = 4_096
const LINGER_MS = 5
const MESSAGE_TIMEOUT_MS = 20_000
const WATCH_MS = 1_000
