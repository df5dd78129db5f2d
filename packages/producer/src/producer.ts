/**
 * The producer's public face and its life: idle, connecting, connected, closing, closed. What happens to a message in
 * between is `pipeline.ts`; what a message must be like is `message.ts`.
 */
import type { Observable } from 'rxjs'

import {
  AbortedError,
  ClosedError,
  clustersUnreachable,
  isTandemError,
  JournalFailedError,
  MessageInvalidError,
  NotConnectedError,
  OptionsInvalidError,
  readOptions,
  received,
  Telemetry,
  type OpenSpan,
  type OptionsGiven,
  type OptionsSpec,
  type TandemError,
  type TandemEvent,
  type TandemFact,
} from '@tandem/common/internal'

import type { Lane } from './core/lane.js'
import { Opening } from './core/opening.js'
import type { LaneIndex } from './core/record.js'
import {
  DEAD_LETTER_OPTIONS,
  deadLetterMessage,
  type DeadDelivery,
  type DeadDeliveryFailure,
  type DeadLetterOptions,
} from './dead-letter-topic.js'
import type { EpochTaken } from './epoch/epoch-store.js'
import { LeaseRenewal } from './epoch/lease-renewal.js'
import { takeEpoch } from './epoch/take-epoch.js'
import type { ImportReport } from './letter-import.js'
import { encodeValue, readMessage, type Message } from './message.js'
import { ProducerMetrics } from './metrics.js'
import {
  isTopicName,
  readProducerOptions,
  TOPIC_ALLOWED,
  withClusterProperties,
  type ProducerOptions,
  type ProducerSettings,
} from './options.js'
import { realOutsides, type ProducerOutsides } from './outsides.js'
import { Pipeline, type PipelineOptions } from './pipeline.js'
import type { Receipt } from './receipt.js'
import { Send, type SendTerms } from './send.js'
import type { ClosingReport, ClusterStatus, ProducerStatus } from './status.js'
import { ProducerTracing, type SendExecutor } from './tracing.js'

export type ProducerEvent = TandemEvent

export type CloseOptions = OptionsGiven<typeof CLOSE_OPTIONS>
export type ClusterProperties = Readonly<Record<string, unknown>>
export type ImportOptions = OptionsGiven<typeof IMPORT_OPTIONS>
export type SendOptions = OptionsGiven<typeof SEND_OPTIONS>

/**
 * Writes every message to two independent Kafka clusters, numbered within its key range.
 *
 * ```ts
 * const producer = new Producer({ producerId: 'ledger-7', clusters: { east, west } })
 * await producer.connect()
 * const receipt = await producer.send({ topic: 'entries', key: 'acct-1', value: 'text' })
 * ```
 *
 * @throws OptionsInvalidError, ClusterSharedError from the constructor.
 */
export class Producer {
  /** What happens to the clusters and to messages; completes when the producer is closed. */
  readonly events$: Observable<ProducerEvent>
  #settings: ProducerSettings
  readonly #outsides: ProducerOutsides
  readonly #telemetry: Telemetry
  /** Not there if nobody measures. */
  readonly #metrics: ProducerMetrics | undefined
  /** Not there if nobody traces. */
  readonly #tracing: ProducerTracing | undefined
  #life: Life = { kind: 'idle' }

  constructor(options: ProducerOptions, outsides: ProducerOutsides = realOutsides) {
    this.#settings = readProducerOptions(options)
    this.#outsides = outsides
    const { logger, meter, tracer, producerId, clusters, topics } = this.#settings
    const { clock } = outsides
    this.#telemetry = new Telemetry({ clock, logger, meter, tracer })
    this.events$ = this.#telemetry.events$
    const { instruments, spans } = this.#telemetry
    const names = { producerId, clusters: clusters.map(({ name }) => name) }
    if (spans.on) this.#tracing = new ProducerTracing({ spans, clock, ...names })
    if (!instruments.on) return
    const metrics = new ProducerMetrics({
      instruments,
      clock,
      ...names,
      topics: Object.keys(topics),
      status: () => this.status(),
    })
    this.#metrics = metrics
    this.#outsides = { ...outsides, clusterClient: metrics.clusterClient(outsides.clusterClient) }
  }

  /**
   * Takes an epoch, opens the journal if there is one, then connects to both clusters; resolves as soon as one is ready.
   *
   * Rejects within `connectTimeoutMs`, and may then be called again, with
   * - EpochStoreFailedError, ClustersUnreachableError: try again.
   * - ProducerIdHeldError: another live process has the producerId.
   * - JournalFailedError, JournalLockedError: the disk, or another process, is in the way; try again.
   * - TopicMissingError, PartitionsUnequalError, TopicCompactedError, ClusterSharedError, OptionsInvalidError,
   *   JournalForeignError, JournalVersionError: something is to be mended.
   */
  connect(): Promise<void> {
    switch (this.#life.kind) {
      case 'idle': {
        const attempt = new AbortController()
        const abort = (error: Error): void => attempt.abort(error)
        const life: Connecting = { kind: 'connecting', done: Promise.resolve(), attempt, abort }
        this.#life = life
        return (life.done = this.#connect(life))
      }
      case 'connecting':
        return this.#life.done
      case 'connected':
        return Promise.resolve()
      case 'closing':
      case 'closed':
        return Promise.reject(closed())
      default:
        throw this.#life satisfies never
    }
  }

  /**
   * Sends one message. Two calls with one key keep their order, awaited or not.
   *
   * Resolves by `acknowledge`. Rejects with (of those that have an `outcome`, it says whether it may be delivered)
   * - MessageInvalidError, MessageOversizedError, CodecFailedError, TopicMissingError, PartitionsUnequalError,
   *   TopicCompactedError, NotConnectedError, ClosedError: nothing happened.
   * - ShedError: no room, nothing happened; try again later.
   * - AbortedError: its signal or its own time, before it was stamped. Nothing happened.
   * - UndeliveredError: `outcome` says whether it may yet be delivered.
   *
   * @param options.timeoutMs 1 to 3,600,000 ms from the call, instead of `sendTimeoutMs`.
   * @param options.signal aborted, it rejects at once, with the signal's reason as `cause`.
   */
  send(message: Message, options?: SendOptions): Promise<Receipt> {
    return options === undefined ? this.#send(message, COMMON) : this.#sendFor(message, options)
  }

  /**
   * Sends many, in order, no more at a time than the window takes. Resolves with one receipt or error per message, in
   * the order of the messages; it never rejects because of one of them.
   */
  async sendMany(messages: readonly Message[]): Promise<(Receipt | TandemError)[]> {
    if (!Array.isArray(messages)) {
      throw new MessageInvalidError(`messages: received ${received(messages)}, allowed is an array of messages`, {
        part: 'messages',
        received: received(messages),
      })
    }
    const results = new Array<Receipt | TandemError>(messages.length)
    let next = 0
    const sendInTurn = async (): Promise<void> => {
      while (next < messages.length) {
        const index = next++
        try {
          results[index] = await this.#send(messages[index] as Message, PATIENT)
        } catch (error) {
          if (!isTandemError(error)) throw error
          results[index] = error
        }
      }
    }
    const atATime = Math.min(messages.length, this.#settings.unacknowledgedMax, SEND_MANY_AT_A_TIME)
    await Promise.all(Array.from({ length: atATime }, sendInTurn))
    return results
  }

  /**
   * A topic of dead letters, for `inKeyOrder` of `@tandem/consumer`, or to be called with a delivery.
   *
   * What it gives writes a delivery to `topic` as `send()` does, but without a codec: key, value and headers stay byte
   * for byte, and headers as of Kafka Connect and Spring say where it came from and why. It resolves and rejects like
   * `send()`; after `'unknown'` and another try it may be there twice.
   *
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
   */
  deadLetter(
    topic: string,
    options: DeadLetterOptions = {},
  ): (delivery: DeadDelivery, failure: DeadDeliveryFailure) => Promise<Receipt> {
    if (!isTopicName(topic)) {
      const [got, allowed] = [received(topic), TOPIC_ALLOWED]
      throw new OptionsInvalidError(`deadLetter: received the topic ${got}, allowed is ${allowed}`, {
        path: 'deadLetter',
        received: got,
        allowed,
      })
    }
    const settings = readOptions(DEAD_LETTER_OPTIONS, options, 'deadLetter')
    return (delivery, failure) => this.#send(deadLetterMessage(topic, delivery, failure, settings), AS_IT_IS)
  }

  /**
   * Sends again what lies among the dead letters and is in neither log. For each letter both logs are asked first, after
   * a void that makes their word final; what one of them has is, or will be, delivered anyway. A message that is sent
   * again is a new one, behind everything of its key that was sent meanwhile.
   *
   * Resolves with how many letters came to which end: `sent` and `found` are gone, the others are kept, and may be
   * imported again. A call while one is under way gets the same report. It needs the right to read the topics.
   *
   * Rejects with
   * - OptionsInvalidError: wrong options, or there is no journal.
   * - NotConnectedError, ClosedError: nothing happened.
   * - JournalFailedError: the letters could not be read (any further).
   *
   * @param options.timeoutMs 1 to 86,400,000 ms; default 60,000. Then nothing more is begun.
   * @param options.signal aborted, it is as if the time were over.
   */
  async importDeadLetters(options: ImportOptions = {}): Promise<ImportReport> {
    const { timeoutMs, signal } = readOptions(IMPORT_OPTIONS, options, 'importDeadLetters')
    const life = this.#life
    if (life.kind === 'idle' || life.kind === 'connecting') throw notConnected()
    if (life.kind !== 'connected') throw closed()
    const { mode } = this.#settings.journal
    if (mode === 'off') {
      const allowed = 'a mode that keeps dead letters'
      throw new OptionsInvalidError(`option producer.journal.mode: received ${mode}, allowed is ${allowed}`, {
        path: 'producer.journal.mode',
        received: mode,
        allowed,
      })
    }
    life.importing ??= life.pipeline.importLetters(timeoutMs, signal).finally(() => (life.importing = undefined))
    return life.importing
  }

  /**
   * Changes the librdkafka properties of one cluster while it is written to: new credentials, certificates, brokers.
   * They replace all that was given before.
   *
   * Resolves when a client with them is in use. The one before stays in use until then; what it holds at the change is
   * written again. While the cluster is away, or before `connect()`, they are simply those of the next attempt.
   *
   * Rejects with
   * - OptionsInvalidError, ClusterSharedError: nothing has changed.
   * - NotConnectedError while `connect()` is under way, ClosedError: nothing has changed.
   * - ClustersUnreachableError: no client got ready with them. The one before goes on, and later ones have its
   *   properties, too.
   */
  setClusterProperties(cluster: string, properties: ClusterProperties): Promise<void> {
    return new Promise((resolve, reject) => {
      const changed = withClusterProperties(this.#settings, cluster, properties)
      const index = changed.clusters[0].name === cluster ? 0 : 1
      const life = this.#life
      if (life.kind === 'closing' || life.kind === 'closed') throw closed()
      if (life.kind === 'connecting') throw notConnected()
      if (life.kind === 'idle') {
        this.#settings = changed
        resolve()
        return
      }
      life.pipeline.replaceProperties(index, changed.clusters[index].properties, (error) => {
        if (error !== undefined) return reject(error)
        this.#settings = changed
        resolve()
      })
    })
  }

  status(): ProducerStatus {
    const pipeline = 'pipeline' in this.#life ? this.#life.pipeline : undefined
    return {
      state: this.#life.kind,
      epoch: pipeline?.identity.epoch,
      incarnation: pipeline?.identity.incarnation,
      unacknowledged: pipeline?.window ?? { messages: 0, bytes: 0, waiting: 0 },
      clusters: Object.fromEntries(
        this.#settings.clusters.map(({ name }, index) => [
          name,
          clusterStatus(pipeline, index as LaneIndex, this.#outsides.clock.now()),
        ]),
      ),
      journal: pipeline?.journalStatus,
    }
  }

  /**
   * Takes nothing more, lets what was taken be written for at most `timeoutMs`, and ends. A second call gets the same
   * report.
   *
   * Waits until every send is answered as `acknowledge` asks, and until each cluster that is not away has its copies
   * too. A cluster that is away is not waited for, as it would mostly be in vain: `missing` says what it lacks. Who wants
   * to wait for it, awaits `receipt.settled()` before. What is left
   * is put into the journal if there is one. Resolves 4 s after `timeoutMs` at the latest, whatever clusters,
   * disk and epoch store do.
   *
   * @param options.timeoutMs 0 to 3,600,000 ms; default 10,000.
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: it rejects, and the producer goes on.
   */
  close(options: CloseOptions = {}): Promise<ClosingReport> {
    let timeoutMs: number
    try {
      timeoutMs = readOptions(CLOSE_OPTIONS, options, 'close').timeoutMs
    } catch (error) {
      return Promise.reject(error)
    }
    const life = this.#life
    const nothing = (): ClosingReport => this.#nothingMissing()
    switch (life.kind) {
      case 'idle':
        return this.#finish(Promise.resolve(nothing()))
      case 'connecting':
        life.abort(closed())
        return this.#finish(life.done.then(nothing, nothing))
      case 'connected': {
        const report = this.#drain(life, timeoutMs)
        this.#life = { kind: 'closing', pipeline: life.pipeline, report }
        void report.then(() => (this.#life = { kind: 'closed', pipeline: life.pipeline, report }))
        return report
      }
      case 'closing':
      case 'closed':
        return life.report
      default:
        throw life satisfies never
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #connect(life: Connecting): Promise<void> {
    const { clock, threadPoolSize } = this.#outsides
    const startedAt = clock.now()
    if (threadPoolSize < THREADS_WANTED) {
      this.#telemetry.tell({ kind: 'threads-scarce', poolSize: threadPoolSize, wanted: THREADS_WANTED })
    }
    let renewal: LeaseRenewal | undefined
    try {
      const incarnation = this.#outsides.random(INCARNATIONS)
      const { epoch, lease } = await this.#takeEpoch(incarnation, life)
      const tell = (fact: TandemFact): void => this.#telemetry.tell(fact)
      renewal = lease === undefined ? undefined : new LeaseRenewal({ lease, clock, tell })
      const leftMs = Math.max(0, startedAt + this.#settings.connectTimeoutMs - clock.now())
      if (this.#life !== life) throw closed()
      const journal = await this.#openJournal({ epoch, incarnation }, leftMs)
      const pipeline = await this.#open({ epoch, incarnation, journal }, leftMs, life)
      if (this.#life === life) this.#life = { kind: 'connected', pipeline, renewal }
      else pipeline.close(() => undefined)
      if (this.#life.kind !== 'connected') throw closed()
      this.#metrics?.start()
    } catch (error) {
      await this.#release(renewal)
      if (this.#life === life) this.#life = { kind: 'idle' }
      throw error
    }
  }

  /** Gives the lease on the producerId back, unless its store takes too long: then the next start waits a little. */
  #release(renewal: LeaseRenewal | undefined): Promise<void> {
    if (renewal === undefined) return Promise.resolve()
    const { clock } = this.#outsides
    return new Promise((resolve) => {
      const cancel = clock.schedule(clock.now() + QUIET_TIMEOUT_MS, resolve)
      void renewal.release().then(() => {
        cancel()
        resolve()
      })
    })
  }

  async #takeEpoch(incarnation: number, life: Connecting): Promise<EpochTaken> {
    const { producerId, epochs, connectTimeoutMs } = this.#settings
    const { clock, host } = this.#outsides
    const { signal } = life.attempt
    const taken = await takeEpoch(
      epochs,
      { producerId, incarnation, host, signal },
      { timeoutMs: connectTimeoutMs, clock },
    )
    if (taken.substituted !== undefined) this.#telemetry.tell({ kind: 'epoch-substituted', reason: taken.substituted })
    return taken
  }

  async #openJournal(
    { epoch, incarnation }: { epoch: number; incarnation: number },
    timeoutMs: number,
  ): Promise<OpenJournal | undefined> {
    const { producerId, clusters, journal } = this.#settings
    if (journal.path === undefined) return undefined
    const { clock } = this.#outsides
    const opened = this.#outsides.journal(journal.path)
    const names = [clusters[0].name, clusters[1].name] as const
    const contents = opened.open({ producerId, epoch, incarnation, clusters: names })
    const timeout = new Promise<never>((_, reject) => {
      const why = `the journal ${journal.path} did not open in ${timeoutMs} ms`
      const cancel = clock.schedule(clock.now() + timeoutMs, () => {
        reject(new JournalFailedError(why, { path: journal.path, timeoutMs }))
        contents.then(() => opened.close()).catch(() => undefined)
      })
      contents.then(cancel, cancel)
    })
    return { journal: opened, contents: await Promise.race([contents, timeout]) }
  }

  /** Brings up a pipeline; one that cannot be used is closed again. */
  #open(
    { epoch, incarnation, journal }: { epoch: number; incarnation: number; journal: OpenJournal | undefined },
    timeoutMs: number,
    life: Connecting,
  ): Promise<Pipeline> {
    const { clock } = this.#outsides
    return new Promise((resolve, reject) => {
      const opening = new Opening({ timeoutMs, now: clock.now() })
      let decided = false
      let cancel = (): void => undefined
      const refuse = (error: Error): void => {
        if (decided) return
        decided = true
        cancel()
        clock.schedule(clock.now(), () => {
          pipeline.close(() => undefined) // now that its cores are at rest again
          void pipeline.journalClosed.then(() => reject(error)) // so that the next attempt finds it unlocked
        })
      }
      const look = (): void => {
        if (decided) return
        cancel()
        const command = opening.poll()
        if (command === undefined) {
          const deadline = opening.deadline()
          if (deadline === undefined) return
          cancel = clock.schedule(deadline, () => {
            opening.handleDeadline(clock.now())
            look()
          })
        } else if (command.kind === 'opened') {
          decided = true
          resolve(pipeline)
        } else {
          const names = this.#settings.clusters.map(({ name }) => name)
          refuse(clustersUnreachable(names, opening.reasons, this.#settings.connectTimeoutMs))
        }
      }
      const pipeline = new Pipeline({
        settings: this.#settings,
        outsides: this.#outsides,
        telemetry: this.#telemetry,
        tracing: this.#tracing,
        identity: { producerId: this.#settings.producerId, epoch, incarnation },
        journal,
        ready: (lane) => {
          opening.handleReady(lane, clock.now())
          look()
        },
        failed: (lane, reason, error) => {
          if (decided) return
          if (error !== undefined) return refuse(error)
          opening.handleFailed(lane, reason, clock.now())
          look()
        },
      })
      life.abort = refuse
      look()
      pipeline.start()
    })
  }

  /** With a time or a signal of its own. */
  #sendFor(message: Message, options: SendOptions): Promise<Receipt> {
    return this.#promise(message, (resolve, reject, span) => {
      const { timeoutMs, signal } = readOptions(SEND_OPTIONS, options, 'send')
      if (signal?.aborted === true) throw aborted('its signal was aborted before', signal.reason)
      const { clock } = this.#outsides
      let send: Send | undefined
      const giveUp = (reason: 'timeout' | 'aborted'): void => {
        if (send === undefined || !('pipeline' in this.#life) || this.#life.pipeline === undefined) return
        if (this.#life.pipeline.handleAborted(send, reason, signal?.reason)) return
        reject(reason === 'timeout' ? aborted(`${timeoutMs} ms are over`) : aborted('its signal', signal?.reason))
      }
      const abort = (): void => giveUp('aborted')
      const cancel =
        timeoutMs === undefined ? () => undefined : clock.schedule(clock.now() + timeoutMs, () => giveUp('timeout'))
      signal?.addEventListener('abort', abort)
      const done = (): void => {
        cancel()
        signal?.removeEventListener('abort', abort)
      }
      const rejectDone = (error: Error): void => {
        done()
        reject(error)
      }
      const resolveDone = (receipt: Receipt): void => {
        done()
        resolve(receipt)
      }
      try {
        const how = { ...COMMON, timed: timeoutMs === undefined, alone: true }
        send = this.#accept(message, how, resolveDone, rejectDone, span)
      } catch (error) {
        rejectDone(error as Error)
      }
    })
  }

  #send(message: Message, how: SendHow): Promise<Receipt> {
    return this.#promise(message, (resolve, reject, span) => {
      try {
        this.#accept(message, how, resolve, reject, span)
      } catch (error) {
        reject(error)
      }
    })
  }

  #promise(message: Message, execute: SendExecutor): Promise<Receipt> {
    const traced = this.#tracing === undefined ? execute : this.#tracing.traced(message, execute)
    return new Promise(this.#metrics === undefined ? traced : this.#metrics.measured(message, traced))
  }

  #accept(
    message: Message,
    how: SendHow,
    resolve: (receipt: Receipt) => void,
    reject: (error: Error) => void,
    span: OpenSpan | undefined,
  ): Send {
    const life = this.#life
    if (life.kind !== 'connected') throw life.kind === 'idle' || life.kind === 'connecting' ? notConnected() : closed()
    const { pipeline } = life
    const read = readMessage(message, this.#outsides.clock.wall())
    const send = new Send(span === undefined ? read : this.#tracing!.inject(read, span), how, resolve, reject)
    send.span = span
    const { codec, messageBytesMax } = pipeline.topicSettings(send.message.topic)
    const value = encodeValue(message.value, how.encoded ? undefined : codec)
    if (!(value instanceof Promise)) {
      send.handleEncoded(value, messageBytesMax)
      pipeline.handleCall(send)
      return send
    }
    // Its place is taken now, at the call, whenever the codec is done.
    pipeline.handleCall(send)
    value
      .then((bytes) => {
        // In one go: a send that is encoded and not yet counted as such would be taken off what waits all the same.
        send.handleEncoded(bytes, messageBytesMax)
        pipeline.handleEncoded(send)
      })
      .catch((error: unknown) => {
        pipeline.handleWithdrawn(send)
        send.admission = 'left'
        reject(error as Error)
      })
    return send
  }

  async #drain({ pipeline, renewal }: Connected, timeoutMs: number): Promise<ClosingReport> {
    const { clock } = this.#outsides
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(clock.now() + timeoutMs, resolve)
      pipeline.whenDrained(() => {
        cancel()
        resolve()
      })
    })
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(clock.now() + PUT_AWAY_TIMEOUT_MS, resolve)
      pipeline.putAway(() => {
        cancel()
        resolve()
      })
    })
    let report = this.#nothingMissing()
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(clock.now() + QUIET_TIMEOUT_MS, resolve)
      report = pipeline.close(() => {
        cancel()
        resolve()
      })
    })
    await this.#release(renewal)
    this.#telemetry.close()
    return report
  }

  #nothingMissing(): ClosingReport {
    return {
      unsettled: [],
      journaled: 0,
      missing: Object.fromEntries(this.#settings.clusters.map(({ name }) => [name, 0])),
    }
  }

  #finish(report: Promise<ClosingReport>): Promise<ClosingReport> {
    this.#life = { kind: 'closed', report }
    this.#telemetry.close()
    return report
  }
}

interface SendHow extends SendTerms {
  /** Its value is bytes already, whatever codec its topic has. */
  readonly encoded: boolean
}

const COMMON: SendHow = { patient: false, timed: true, encoded: false }
const PATIENT: SendHow = { ...COMMON, patient: true }
const AS_IT_IS: SendHow = { ...COMMON, encoded: true }

type OpenJournal = NonNullable<PipelineOptions['journal']>

type Life =
  | { readonly kind: 'idle' }
  | Connecting
  | Connected
  | { readonly kind: 'closing'; readonly pipeline: Pipeline; readonly report: Promise<ClosingReport> }
  | { readonly kind: 'closed'; readonly pipeline?: Pipeline; readonly report: Promise<ClosingReport> }

interface Connected {
  readonly kind: 'connected'
  readonly pipeline: Pipeline
  importing?: Promise<ImportReport> | undefined
  readonly renewal: LeaseRenewal | undefined
}

interface Connecting {
  readonly kind: 'connecting'
  done: Promise<void>
  readonly attempt: AbortController
  abort: (error: Error) => void
}

function clusterStatus(pipeline: Pipeline | undefined, index: LaneIndex, now: number): ClusterStatus {
  const circuits = { closed: 0, open: 0, 'half-open': 0 }
  if (pipeline === undefined) {
    return {
      connected: false,
      away: false,
      circuit: 'closed',
      circuits,
      backlog: { records: 0, bytes: 0 },
      voids: 0,
      oldestUnacknowledgedMs: undefined,
      onDisk: 0,
      exposure: { messages: 0, bytes: 0, oldestMs: undefined },
    }
  }
  const lane = pipeline.lanes[index]
  for (const { circuit } of lane.tracks) circuits[circuit]++
  const oldest = lane.oldestSealedAt()
  const { records, bytes, voids } = lane.load
  return {
    connected: lane.connected,
    away: lane.away,
    circuit: circuits.open > 0 || lane.away ? 'open' : circuits['half-open'] > 0 ? 'half-open' : 'closed',
    circuits,
    backlog: { records, bytes },
    voids,
    oldestUnacknowledgedMs: oldest === undefined ? undefined : now - oldest,
    onDisk: lane.load.onDisk,
    exposure: exposureOf(pipeline.lanes[index === 0 ? 1 : 0], now),
  }
}

/** What another cluster has and this lane's does not. */
function exposureOf(lane: Lane, now: number): ClusterStatus['exposure'] {
  const since = lane.oldestExposedAt()
  const { exposed: messages, exposedBytes: bytes } = lane.load
  return { messages, bytes, oldestMs: since === undefined ? undefined : now - since }
}

function aborted(why: string, cause?: unknown): Error {
  return new AbortedError(`a message was not stamped: ${why}`, {}, cause)
}

function notConnected(): Error {
  return new NotConnectedError('connect() has not resolved yet', {})
}

function closed(): Error {
  return new ClosedError('the producer is closed', {})
}

const SEND_OPTIONS = {
  timeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 1,
    max: 3_600_000,
    optional: true,
    meaning: 'How long this one send() may take from the call on; sendTimeoutMs if left out.',
  },
  signal: {
    kind: 'opaque',
    check: (value: unknown): value is AbortSignal => value instanceof AbortSignal,
    allowed: 'an AbortSignal',
    optional: true,
    meaning: 'Aborted, this send() rejects at once.',
  },
} as const satisfies OptionsSpec

const IMPORT_OPTIONS = {
  timeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 1,
    max: 86_400_000,
    default: 60_000,
    meaning: 'How long an import may take; what it did not come to is left for the next one.',
  },
  signal: {
    kind: 'opaque',
    check: (value: unknown): value is AbortSignal => value instanceof AbortSignal,
    allowed: 'an AbortSignal',
    optional: true,
    meaning: 'Aborted, the import ends as if its time were over.',
  },
} as const satisfies OptionsSpec

const CLOSE_OPTIONS = {
  timeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 0,
    max: 3_600_000,
    default: 10_000,
    meaning: 'How long closing waits for what is still to be written.',
  },
} as const satisfies OptionsSpec
/** Threads of clients that are discarded end in milliseconds if their cluster is well; nobody waits longer for others. */
const QUIET_TIMEOUT_MS = 1_000
/** Thousands of records go to a disk in this time; what does not is said to be missing. */
const PUT_AWAY_TIMEOUT_MS = 2_000
/** A few batches for every broker; the window is for all callers together. */
const SEND_MANY_AT_A_TIME = 5_000
/** Two clusters that hang hold a thread each to connect, and two to be discarded; files and DNS need some too. */
const THREADS_WANTED = 8
const INCARNATIONS = 2 ** 32
