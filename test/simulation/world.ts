import { SimulatedCluster } from './cluster.js'
import { Prng } from './prng.js'
import { SimulatedConsumer, type Seen, type SimulatedConsumerOptions } from './simulated-consumer.js'
import { SimulatedEpochStore } from './simulated-epoch-store.js'
import { SimulatedHighWaterStore } from './simulated-high-water-store.js'
import { SimulatedDisk } from './simulated-journal.js'
import { SimulatedProcess } from './simulated-process.js'
import { SimulatedProducer, type Sent, type SimulatedProducerOptions } from './simulated-producer.js'
import { Timeline } from './timeline.js'

/**
 * Everything that tandem can touch, in one process and in virtual time: two clusters, a store, and processes.
 *
 * The producers and consumers in it are the shipped ones, cores and wiring; what is simulated is only what their
 * adapters touch. All chance comes from `seed`, each part drawing from a generator of its own, so that a run repeats
 * byte for byte. Whoever drives it calls `run` or `until`, injects faults in between, and looks at `seen`.
 */
export interface WorldSettings {
  readonly seed: number
  /** Topics with their partitions, the same in both clusters. */
  readonly topics: Readonly<Record<string, number>>
  readonly brokers: number
  /** What a message takes one way. */
  readonly latencyMs: readonly [low: number, high: number]
  /** What a consumer's poll waits if there is nothing; a long one makes quiet times cheap. */
  readonly pollTimeoutMs: number
  /** How often consumers look for what they can forget, and how old that has to be. */
  readonly expiry: { readonly everyMs: number; readonly ageMs: number }
  /** Records that one read of a feed brings of one partition. */
  readonly readRecordsMax: number
  /** Records that one request of a producer brings to one partition. */
  readonly writeRecordsMax: number
  /** Calls to the store that a process makes in one moment travel together: what makes many of them cheap. */
  readonly bundledCalls: boolean
}

export class World {
  readonly settings: WorldSettings
  readonly timeline = new Timeline()
  readonly east: SimulatedCluster
  readonly west: SimulatedCluster
  readonly store: SimulatedHighWaterStore
  readonly epochs: SimulatedEpochStore
  readonly disk: SimulatedDisk
  /** Every call of `send()`, in order. */
  readonly sent: Sent[] = []
  /** Every delivery of every consumer, in order. */
  readonly seen: Seen[] = []
  readonly #prng: Prng

  constructor(settings: Partial<WorldSettings> = {}) {
    this.settings = { ...DEFAULTS, ...settings }
    this.#prng = new Prng(this.settings.seed)
    this.east = this.#createCluster('east')
    this.west = this.#createCluster('west')
    const { timeline } = this
    const { latencyMs, bundledCalls: bundled } = this.settings
    this.store = new SimulatedHighWaterStore({ timeline, prng: this.fork(), latencyMs, wallMs: WALL_MS, bundled })
    this.epochs = new SimulatedEpochStore({ timeline, prng: this.fork(), latencyMs, wallMs: WALL_MS })
    this.disk = new SimulatedDisk({ timeline, prng: this.fork(), latencyMs: DISK_LATENCY_MS })
  }

  get now(): number {
    return this.timeline.now
  }

  /** What clocks that were never moved add to the world's time. */
  get wallMs(): number {
    return WALL_MS
  }

  get topics(): string[] {
    return Object.keys(this.settings.topics)
  }

  /** In the order in which producers and consumers name them. */
  get clusters(): readonly [SimulatedCluster, SimulatedCluster] {
    return [this.east, this.west]
  }

  cluster(name: string): SimulatedCluster {
    const cluster = this.clusters.find((one) => one.name === name)
    if (cluster === undefined) throw new Error(`no cluster ${name}`)
    return cluster
  }

  clusterProperties(): Record<string, Record<string, string>> {
    const properties: Record<string, Record<string, string>> = {}
    for (const { name } of this.clusters) properties[name] = { 'bootstrap.servers': `${name}-0.test:9092` }
    return properties
  }

  createProcess(name: string): SimulatedProcess {
    return new SimulatedProcess({ name, timeline: this.timeline, prng: this.fork(), wallMs: WALL_MS })
  }

  createProducer(options: SimulatedProducerOptions): SimulatedProducer {
    return new SimulatedProducer(this, options)
  }

  createConsumer(options: SimulatedConsumerOptions): SimulatedConsumer {
    return new SimulatedConsumer(this, options)
  }

  handleSent(sent: Sent): void {
    this.sent.push(sent)
  }

  handleDelivered(seen: Seen): void {
    this.seen.push(seen)
  }

  /** Lets `ms` pass. */
  async run(ms: number): Promise<void> {
    await this.timeline.run(ms)
  }

  /** Lets time pass until `done`, at most `ms`; returns whether it came to that. */
  until(done: () => boolean, ms: number): Promise<boolean> {
    return this.timeline.run(ms, done)
  }

  /** Chance for one part of the world. */
  fork(): Prng {
    return this.#prng.fork()
  }

  #createCluster(name: string): SimulatedCluster {
    const { topics, brokers, latencyMs } = this.settings
    const { timeline } = this
    return new SimulatedCluster({ name, timeline, prng: this.fork(), topics, brokers, latencyMs, wallMs: WALL_MS })
  }
}

const DEFAULTS: WorldSettings = {
  seed: 1,
  topics: { entries: 1 },
  brokers: 3,
  latencyMs: [1, 3],
  pollTimeoutMs: 50,
  expiry: { everyMs: 3_600_000, ageMs: 86_400_000 },
  readRecordsMax: 500,
  writeRecordsMax: 500,
  bundledCalls: false,
}

/** What a write that is forced to a disk takes. */
const DISK_LATENCY_MS = [1, 10] as const

/** 2026-01-01, so that timestamps and epochs look like some. */
const WALL_MS = Date.UTC(2026, 0, 1)
