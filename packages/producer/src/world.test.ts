/** A world for the wiring tests: a clock that is moved by hand, and two clusters that are healthy until told otherwise. */
import { decodeStamp, type Clock, type ClusterDescription, type TandemEvent, type Stamp } from '@tandem/common/internal'

import type { WireRecord } from './core/record.js'
import type { WriteFailure } from './core/write-failure.js'
import type { ClusterClient, ClusterClientHandler, ClusterClientOptions } from './kafka/cluster-client.js'
import type { ProducerOptions } from './options.js'
import type { ProducerOutsides } from './outsides.js'
import { Producer } from './producer.js'

export class ManualClock implements Clock {
  #now = 1_000
  #tasks: { atMs: number; task: () => void }[] = []

  now(): number {
    return this.#now
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now
  }

  schedule(atMs: number, task: () => void): () => void {
    const entry = { atMs: Math.max(atMs, this.#now), task }
    this.#tasks.push(entry)
    return () => (this.#tasks = this.#tasks.filter((other) => other !== entry))
  }

  /** Lets time pass, task by task, with promises settled between them. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    await settlePromises()
    for (let served = 0; ; served++) {
      const next = this.#earliest(until)
      if (next === undefined) break
      if (served > 100_000) throw new Error('timers without end')
      this.#now = Math.max(this.#now, next.atMs)
      this.#tasks = this.#tasks.filter((entry) => entry !== next)
      next.task()
      await settlePromises()
    }
    this.#now = until
  }

  /** The process stands still: time passes, and nothing happens until it is over. */
  standStill(ms: number): void {
    this.#now += ms
  }

  #earliest(until: number): { atMs: number; task: () => void } | undefined {
    let earliest: { atMs: number; task: () => void } | undefined
    for (const entry of this.#tasks) {
      if (entry.atMs <= until && (earliest === undefined || entry.atMs < earliest.atMs)) earliest = entry
    }
    return earliest
  }
}

/** One record of a fake log. */
export interface LogRecord extends WireRecord {
  readonly offset: number
  readonly stamp: Stamp
}

export class FakeCluster {
  readonly topics = new Map<string, number>([['entries', 4]])
  readonly logs = new Map<string, LogRecord[]>()
  state: 'up' | 'hung' | 'down' = 'up'
  /** How long it takes to answer. */
  delayMs = 1
  /** Values longer than this are refused. */
  valueBytesMax = Infinity
  /** What a client has to know to get in. */
  password: string | undefined
  /** Partitions that have no leader. */
  readonly leaderless = new Set<number>()
  clientsMade = 0
  discards = 0
  produced = 0
  /** What waits for the cluster to be healthy again. */
  #waiting: (() => void)[] = []

  constructor(
    readonly name: string,
    readonly clock: Clock,
    public broker = name,
  ) {}

  hang(): void {
    this.state = 'hung'
  }

  resume(): void {
    this.state = 'up'
    const waiting = this.#waiting
    this.#waiting = []
    for (const task of waiting) this.soon(task)
  }

  soon(task: () => void): void {
    this.clock.schedule(this.clock.now() + this.delayMs, () =>
      this.state === 'up' ? task() : this.#waiting.push(task),
    )
  }

  describe(topics: readonly string[]): ClusterDescription {
    return {
      brokers: [{ id: 1, host: this.broker, port: 9092 }],
      topics: topics.flatMap((name) => {
        const count = this.topics.get(name) ?? 0
        if (count === 0) return []
        return [
          {
            name,
            partitions: Array.from({ length: count }, (_, partition) => ({
              partition,
              leader: this.leaderless.has(partition) ? -1 : 1,
              replicas: 3,
              inSync: 3,
            })),
          },
        ]
      }),
    }
  }

  append(record: WireRecord): number {
    const header = record.headers.find((candidate) => 'tandem' in candidate)
    const stamp = decodeStamp(Buffer.from(header!['tandem']!))
    const log = this.log(record.partition, record.topic)
    log.push({ ...plain(record), offset: log.length, stamp })
    return log.length - 1
  }

  log(partition: number, topic = 'entries'): LogRecord[] {
    const key = `${topic}/${partition}`
    if (!this.logs.has(key)) this.logs.set(key, [])
    return this.logs.get(key)!
  }

  /** All records of a topic, by partition. */
  records(topic = 'entries'): LogRecord[] {
    return Array.from({ length: this.topics.get(topic)! }, (_, partition) => this.log(partition, topic)).flat()
  }

  /** Values that the log holds, each once, in some order. */
  values(topic = 'entries'): string[] {
    const data = this.records(topic).filter(({ stamp }) => stamp.kind === 'data')
    return [...new Set(data.map(({ value }) => String(value)))].sort()
  }

  /** `3-5` for each void. */
  voids(topic = 'entries'): string[] {
    return this.records(topic)
      .filter(({ stamp }) => stamp.kind === 'void')
      .map(({ stamp: { first, count } }) => (count === 1 ? `${first}` : `${first}-${first + count - 1}`))
  }
}

class FakeClient implements ClusterClient {
  #discarded = false

  constructor(
    readonly cluster: FakeCluster,
    readonly options: ClusterClientOptions,
    readonly handler: ClusterClientHandler,
  ) {
    cluster.clientsMade++
  }

  connect(): void {
    this.#ask(
      this.options.connectTimeoutMs,
      () => {
        if (this.options.properties['sasl.password'] === this.cluster.password) this.handler.handleConnected()
        else this.handler.handleConnectFailed('authentication failed')
      },
      () => this.handler.handleConnectFailed('timed out'),
    )
  }

  describe(
    topics: readonly string[],
    timeoutMs: number,
    done: (description: ClusterDescription | undefined, reason: string) => void,
  ): void {
    this.#ask(
      timeoutMs,
      () => done(this.cluster.describe(topics), ''),
      () => done(undefined, 'timed out'),
    )
  }

  produce(id: number, record: WireRecord): WriteFailure | undefined {
    const { cluster } = this
    cluster.produced++
    const copy = plain(record)
    cluster.soon(() => {
      if (cluster.leaderless.has(record.partition)) {
        const fail = (): void => this.#report(id, -1, { kind: 'transient', reason: 'message timed out' })
        this.cluster.clock.schedule(this.cluster.clock.now() + 20_000, () => !this.#discarded && fail())
        return
      }
      if ((copy.value?.length ?? 0) > cluster.valueBytesMax) {
        if (!this.#discarded) {
          this.#report(id, -1, { kind: 'batch-refused', reason: 'message size too large' })
        }
        return
      }
      const offset = cluster.append(copy) // what a discarded client had sent may still be written
      if (!this.#discarded) this.#report(id, offset)
    })
    return undefined
  }

  discard(done?: () => void): void {
    this.#discarded = true
    this.cluster.discards++
    this.cluster.clock.schedule(this.cluster.clock.now(), () => done?.())
  }

  #report(id: number, offset: number, failure?: WriteFailure): void {
    this.handler.handleReport(id, offset, failure)
    this.handler.handleAllReported()
  }

  #ask(timeoutMs: number, answer: () => void, silence: () => void): void {
    let over = false
    const once = (task: () => void): void => {
      if (over || this.#discarded) return
      over = true
      task()
    }
    this.cluster.soon(() => once(answer))
    this.cluster.clock.schedule(this.cluster.clock.now() + timeoutMs, () => once(silence))
  }
}

export class World {
  readonly clock = new ManualClock()
  readonly east = new FakeCluster('east', this.clock)
  readonly west = new FakeCluster('west', this.clock)
  readonly events: TandemEvent[] = []

  producer(
    options: Partial<ProducerOptions> = {},
    change: (outsides: ProducerOutsides) => Partial<ProducerOutsides> = () => ({}),
  ): Producer {
    const outsides: ProducerOutsides = {
      clock: this.clock,
      clusterClient: (given, handler) =>
        new FakeClient(given.cluster === 'east' ? this.east : this.west, given, handler),
      journal: () => {
        throw new Error('no journal')
      },
      logReader: () => {
        throw new Error('no log reader')
      },
      random: () => 500,
      host: 'here',
      threadPoolSize: 16,
    }
    const producer = new Producer(
      {
        producerId: 'p',
        clusters: { east: { 'bootstrap.servers': 'east' }, west: { 'bootstrap.servers': 'west' } },
        topics: { entries: {} },
        epochs: { take: () => Promise.resolve({ epoch: 7 }) },
        ...options,
      },
      { ...outsides, ...change(outsides) },
    )
    producer.events$.subscribe((event) => this.events.push(event))
    return producer
  }

  async connected(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    const producer = this.producer(options)
    const connected = outcome(producer.connect())
    await this.clock.pass(2_000)
    if ((await connected) !== undefined) throw (await connected) as Error
    return producer
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind)
  }

  async pass(ms: number): Promise<void> {
    await this.clock.pass(ms)
  }
}

/** What a promise resolves to, or the error that it rejects with. */
export function outcome<T>(promise: Promise<T>): Promise<T | Error> {
  return promise.catch((error: unknown) => error as Error)
}

/** Whether a promise has been settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open')
  // Made before the turn of the loop: one that is made after it would always lose the race.
  const result = outcome(promise)
  await settlePromises()
  return (await Promise.race([result, Promise.resolve(open)])) !== open
}

export function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function plain({ topic, partition, key, value, timestampMs, headers }: WireRecord): WireRecord {
  return { topic, partition, key, value, timestampMs, headers }
}
