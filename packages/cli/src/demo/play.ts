import { join } from 'node:path'

import { json } from '@tandem/common'
import type { Clock } from '@tandem/common/internal'
import { Consumer, type ConsumerStatus, type FeedStatus } from '@tandem/consumer'
import { Producer } from '@tandem/producer'
import { pino } from 'pino'

import { LineFile } from '../judge/line-file.js'
import { waitUntilFinished } from './convergence.js'
import type { DemoOptions } from './demo-options.js'
import type { Display } from './display.js'
import { Load } from './load.js'
import { RateMeter } from './rate-meter.js'
import type { Snapshot } from './snapshot.js'
import { TOPIC, type Stage } from './stage.js'
import { Subscriber } from './subscriber.js'
import type { Teardown } from './teardown.js'
import { TransferSource } from './transfer-source.js'

/** What the play leaves for the judge. */
export interface PlayAccount {
  readonly sent: number
  readonly acknowledgementFile: string
  readonly effectFile: string
  /** What it gave up waiting for; nothing if all came to its end. */
  readonly unfinished: readonly string[]
  readonly duplicatesDropped: number
  readonly circuitOpened: number
  readonly feedAway: number
}

/**
 * The demo itself: a producer writes transfers, a consumer books them, and east goes away for a third of the load.
 */
export class Play {
  readonly #options: DemoOptions
  readonly #stage: Stage
  readonly #outsides: { readonly clock: Clock; readonly teardown: Teardown; readonly display: Display }
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #load: Load
  readonly #subscriber: Subscriber
  readonly #acknowledgements: LineFile
  readonly #effects: LineFile
  readonly #rate = new RateMeter()
  /** Aborts when something fails that nobody awaits. */
  readonly #failed = new AbortController()
  #phase = 'both clusters are up'
  #fault: Promise<void> = Promise.resolve()
  #circuitOpened = 0
  #feedAway = 0
  #read = { count: -1, atMs: 0 }
  #showing: NodeJS.Timeout | undefined

  constructor(
    options: DemoOptions,
    stage: Stage,
    outsides: { readonly clock: Clock; readonly teardown: Teardown; readonly display: Display },
  ) {
    this.#options = options
    this.#stage = stage
    this.#outsides = outsides
    const { folder, highWater, groupId, east, west } = stage
    this.#acknowledgements = new LineFile(join(folder, 'acknowledgements.jsonl'))
    this.#effects = new LineFile(join(folder, 'effects.jsonl'))
    const logger = pino({ base: null }, pino.destination({ dest: join(folder, 'tandem.log'), sync: true }))
    const clusters = Object.fromEntries(
      [east, west].map(({ name, bootstrapServers }) => [name, { 'bootstrap.servers': bootstrapServers }]),
    )
    const topics = { [TOPIC]: { codec: json } }
    this.#producer = new Producer({
      producerId: 'ledger',
      clusters,
      topics,
      backlogBytesMax: BACKLOG_BYTES_MAX,
      logger,
    })
    this.#consumer = new Consumer({ groupId, clusters, topics, highWater: highWater.store, logger })
    this.#subscriber = new Subscriber((effect) => this.#effects.append(effect))
    this.#load = new Load({
      messages: options.messages,
      rate: options.rate,
      source: new TransferSource({ accounts: ACCOUNTS, seed: SEED }),
      send: (transfer) => this.#producer.send({ topic: TOPIC, key: `account-${transfer.from}`, value: transfer }),
      acknowledge: (acknowledgement) => this.#acknowledgements.append(acknowledgement),
      clock: outsides.clock,
    })
  }

  async run(interrupted: AbortSignal): Promise<PlayAccount> {
    const signal = AbortSignal.any([interrupted, this.#failed.signal])
    this.#watch()
    await this.#producer.connect()
    this.#subscribe()
    await this.#load.run(signal, (count) => this.#handleSent(count))
    await this.#fault
    this.#phase = 'everything is sent, east catches up'
    const unfinished = await waitUntilFinished(() => this.#unfinished(), {
      timeoutMs: FINISH_MS,
      clock: this.#outsides.clock,
      signal,
    })
    return this.#close(unfinished)
  }

  /** Events are counted and the table drawn from now on, until the play closes. */
  #watch(): void {
    const { clock, teardown, display } = this.#outsides
    this.#producer.events$.subscribe(({ kind }) => void (kind === 'circuit-opened' && this.#circuitOpened++))
    this.#consumer.events$.subscribe(({ kind }) => void (kind === 'feed-away' && this.#feedAway++))
    const startedAt = clock.now()
    this.#showing = setInterval(() => display.show(this.#snapshot(clock.now() - startedAt)), SHOW_EVERY_MS)
    teardown.add(() => clearInterval(this.#showing))
    // What is interrupted need not be written to the end.
    teardown.add(() => this.#producer.close({ timeoutMs: ABANDON_MS }))
    teardown.add(() => this.#consumer.close())
  }

  #subscribe(): void {
    this.#consumer.deliveries$.subscribe({
      next: (delivery) => {
        try {
          this.#subscriber.handle(delivery)
        } catch (error) {
          this.#failed.abort(error)
        }
      },
      error: (error: unknown) => this.#failed.abort(error),
    })
  }

  #handleSent(count: number): void {
    const { messages, fault } = this.#options
    if (count === Math.floor(messages / 3)) this.#act(() => this.#stage.east.takeAway(fault), 'east is away')
    if (count === Math.floor((2 * messages) / 3)) this.#act(() => this.#stage.east.bringBack(), 'east is back')
  }

  #act(act: () => Promise<void>, phase: string): void {
    if (this.#options.fault === 'none') return
    this.#phase = phase
    // One after the other: a cluster can come back only when it has gone.
    this.#fault = this.#fault.then(act)
    this.#fault.catch((error: unknown) => this.#failed.abort(error))
  }

  /** What is still to come, each in words. */
  #unfinished(): string[] {
    const left: string[] = []
    const producer = this.#producer.status()
    const consumer = this.#consumer.status()
    if (this.#load.open > 0) left.push(`${this.#load.open} sends have no answer`)
    for (const [name, { circuit, backlog, voids }] of Object.entries(producer.clusters)) {
      if (circuit !== 'closed') left.push(`the circuit of ${name} is ${circuit}`)
      if (backlog.records > 0) left.push(`${backlog.records} records wait for ${name}`)
      if (voids > 0) left.push(`${voids} voids wait for ${name}`)
      if (feedState(consumer, name) === 'away') left.push(`the feed of ${name} is away`)
    }
    const owed = this.#load.acknowledged - this.#subscriber.delivered
    if (owed > 0) left.push(`${owed} acknowledged messages are not delivered`)
    // A second copy that is still to be read could yet be delivered twice.
    if (!this.#isQuiet(consumer.delivered + consumer.duplicatesDropped)) left.push('the consumer is still reading')
    return left
  }

  /** Whether what the consumer has read has not grown for a while. */
  #isQuiet(read: number): boolean {
    const now = this.#outsides.clock.now()
    if (read !== this.#read.count) this.#read = { count: read, atMs: now }
    return now - this.#read.atMs >= QUIET_MS
  }

  #snapshot(elapsedMs: number): Snapshot {
    const producer = this.#producer.status()
    const consumer = this.#consumer.status()
    return {
      elapsedMs,
      messages: this.#options.messages,
      sent: this.#load.sent,
      rate: this.#rate.rate(elapsedMs, this.#load.sent),
      acknowledged: this.#load.acknowledged,
      delivered: this.#subscriber.delivered,
      late: this.#subscriber.late,
      duplicatesDropped: consumer.duplicatesDropped,
      clusters: [this.#stage.east, this.#stage.west].map(({ name, condition }) => ({
        name,
        condition,
        circuit: producer.clusters[name]?.circuit ?? '',
        backlog: producer.clusters[name]?.backlog.records ?? 0,
        feed: feedState(consumer, name),
        held: feedsOf(consumer, name).reduce((sum, { held }) => sum + held, 0),
      })),
      phase: this.#phase,
    }
  }

  async #close(unfinished: readonly string[]): Promise<PlayAccount> {
    const { duplicatesDropped } = this.#consumer.status()
    clearInterval(this.#showing)
    await this.#producer.close()
    await this.#consumer.close()
    this.#acknowledgements.close()
    this.#effects.close()
    const refused = [...this.#load.refusals].map(([reason, count]) => `${count} sends were rejected (${reason})`)
    const { foreign } = this.#subscriber
    return {
      sent: this.#load.sent,
      acknowledgementFile: this.#acknowledgements.path,
      effectFile: this.#effects.path,
      unfinished: [...unfinished, ...refused, ...(foreign > 0 ? [`${foreign} deliveries were no transfer`] : [])],
      duplicatesDropped,
      circuitOpened: this.#circuitOpened,
      feedAway: this.#feedAway,
    }
  }
}

function feedsOf(status: ConsumerStatus, cluster: string): FeedStatus[] {
  return status.partitions.flatMap(({ feeds }) => feeds[cluster] ?? [])
}

/** The worst of its partitions. */
function feedState(status: ConsumerStatus, cluster: string): string {
  const states = feedsOf(status, cluster).map(({ state }) => state)
  return (['away', 'paused', 'live'] as const).find((state) => states.includes(state)) ?? 'starting'
}

/** Enough to spread over all partitions evenly. */
export const ACCOUNTS = 200
const SEED = 20_251
/** After this the demo gives up, and says on what. */
const FINISH_MS = 120_000
/** Several times what an idle feed waits for records. */
const QUIET_MS = 1000
/** For the end of a play that was interrupted. */
const ABANDON_MS = 500
const SHOW_EVERY_MS = 100
/** Room for what the cluster that is away lacks: about 250,000 transfers, so that its log is whole again in the end. */
const BACKLOG_BYTES_MAX = 256 << 20
