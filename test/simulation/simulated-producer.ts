import type { TandemError, TandemEvent } from '@tandem/common/internal'
import {
  Producer,
  type ImportReport,
  type Message,
  type ProducerOptions,
  type Receipt,
} from '@tandem/producer/internal'

import { SimulatedClusterClient } from './simulated-cluster-client.js'
import { SimulatedLogReader } from './simulated-log-reader.js'
import { clockEpochs } from './simulated-epoch-store.js'
import type { Channel, SimulatedProcess } from './simulated-process.js'
import type { World } from './world.js'

/** A call of `send()`, and what became of it. */
export interface Sent {
  readonly text: string
  readonly producer: SimulatedProducer
  readonly atMs: number
  receipt: Receipt | undefined
  error: TandemError | undefined
  /** When it resolved or rejected. */
  closedAtMs: number | undefined
}

export interface SimulatedProducerOptions {
  readonly producerId: string
  readonly name: string
  /** Anything but what the world provides. */
  readonly options?: Partial<ProducerOptions>
  /** The store that all share, the same with a lease, or the clock of the process. */
  readonly epochs?: 'store' | 'lease' | 'clock' | undefined
}

/** A process that runs the shipped Producer. */
export class SimulatedProducer {
  readonly process: SimulatedProcess
  readonly producer: Producer
  readonly sent: Sent[] = []
  /** What became of imports, in order. */
  readonly imports: (ImportReport | TandemError)[] = []
  readonly events: TandemEvent[] = []
  connected = false
  /** Why `connect()` rejected. */
  failure: unknown
  readonly #world: World
  readonly #channel: Channel = { name: 'application' }

  constructor(world: World, { producerId, name, options, epochs }: SimulatedProducerOptions) {
    this.#world = world
    const process = world.createProcess(name)
    this.process = process
    const prng = world.fork()
    this.producer = new Producer(
      {
        producerId,
        clusters: world.clusterProperties(),
        epochs:
          epochs === 'clock'
            ? clockEpochs(process)
            : world.epochs.connection(process, epochs === 'lease' ? {} : undefined),
        ...options,
      },
      {
        clock: process.clock,
        clusterClient: (clientOptions, handler) => {
          const cluster = world.cluster(clientOptions.cluster)
          const { writeRecordsMax } = world.settings
          return new SimulatedClusterClient(clientOptions, handler, { cluster, process, writeRecordsMax })
        },
        journal: (path) => world.disk.journal(path, process),
        logReader: ({ cluster }) =>
          new SimulatedLogReader({
            cluster: world.cluster(cluster),
            process,
            readRecordsMax: world.settings.readRecordsMax,
          }),
        random: (max) => prng.below(max),
        host: name,
        threadPoolSize: 16,
      },
    )
    this.producer.events$.subscribe((event) => this.events.push(event))
  }

  start(): this {
    this.process.deliver(this.#channel, () => {
      this.producer.connect().then(
        () => (this.connected = true),
        (error: unknown) => (this.failure = error),
      )
    })
    return this
  }

  /** Sends `text`, under a key if there is one. */
  send(text: string, message: Partial<Message> = {}): Sent {
    const sent: Sent = {
      text,
      producer: this,
      atMs: this.#world.now,
      receipt: undefined,
      error: undefined,
      closedAtMs: undefined,
    }
    this.sent.push(sent)
    this.#world.handleSent(sent)
    this.process.deliver(this.#channel, () => {
      this.producer.send({ topic: this.#world.topics[0]!, key: 'k', value: text, ...message }).then(
        (receipt) => {
          sent.receipt = receipt
          sent.closedAtMs = this.#world.now
        },
        (error: TandemError) => {
          sent.error = error
          sent.closedAtMs = this.#world.now
        },
      )
    })
    return sent
  }

  /** Imports its dead letters; the reports are in `imports`. */
  import(timeoutMs: number): void {
    this.process.deliver(this.#channel, () => {
      this.producer.importDeadLetters({ timeoutMs }).then(
        (report) => this.imports.push(report),
        (error: unknown) => this.imports.push(error as TandemError),
      )
    })
  }

  /** Events of one kind so far, or those that match. */
  count(kind: TandemEvent['kind'], matches: (event: TandemEvent) => boolean = () => true): number {
    return this.events.filter((event) => event.kind === kind && matches(event)).length
  }

  kill(): void {
    this.process.kill()
  }

  stop(): void {
    this.process.stop()
  }

  continue(): void {
    this.process.continue()
  }
}
