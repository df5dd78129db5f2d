/** A world for the wiring tests: a clock that is moved by hand, two feeds that bring what the test says, and a store. */
import { encodeStamp, STAMP_HEADER, type Clock, type TandemEvent } from '@tandem/common/internal'
import type { Observable, Subscription } from 'rxjs'

import { Consumer } from './consumer.js'
import type { Delivery } from './delivery.js'
import type { LeaseRecord } from './core/lease.js'
import type { Member } from './core/shares.js'
import type { StoredSequence } from './core/stored-stream.js'
import { MemoryHighWaterStore } from './high-water/memory-high-water-store.js'
import type {
  Acquired,
  Claim,
  FinishedCounters,
  Flush,
  FlushAnswer,
  Holding,
  PartitionOfGroup,
  Release,
  Renewal,
  Renewed,
  Roll,
} from './high-water/high-water-store.js'
import { decodePosition } from './high-water/position-codec.js'
import {
  UNCOMMITTED,
  type FeedClient,
  type FeedClientHandler,
  type FeedPosition,
  type FeedRecord,
} from './kafka/feed-client.js'
import type { ConsumerOptions } from './options.js'

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  /** By how much the machine's clock was set forward. */
  wallBy = 0
  #now = 0
  #timers: { readonly atMs: number; readonly task: () => void }[] = []

  now(): number {
    return this.#now
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now + this.wallBy
  }

  schedule(atMs: number, task: () => void): () => void {
    const timer = { atMs, task }
    this.#timers.push(timer)
    return () => (this.#timers = this.#timers.filter((one) => one !== timer))
  }

  get timers(): number {
    return this.#timers.length
  }

  /** The process stands still: time passes, and timers wait. */
  stop(ms: number): void {
    this.#now += ms
  }

  /** Lets time pass, and what waits for promises come between timers. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#timers = this.#timers.filter((one) => one !== next)
      this.#now = Math.max(this.#now, next.atMs)
      next.task()
      await settled()
    }
    this.#now = until
  }
}

/** Until promises, and the answers of fake clients, have had their turns. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export interface FakeCluster {
  up: boolean
  /** Of the topic; 0 if it does not have it. */
  partitions: number
  /** What the group has committed, by partition. */
  readonly committed: Map<number, number>
  /** Why, if it does. */
  refusesCommits?: string | undefined
}

export class FakeFeedClient implements FeedClient {
  /** What throws. */
  broken: 'pause' | 'poll' | 'queryEnd' | 'record' | undefined
  answersAfterMs = 0
  /** Key of a message, by its counter. */
  keyOf: (counter: number) => Buffer | null = () => null
  /** Headers of a message beside its stamp, by its counter. */
  headersOf: (counter: number) => Readonly<Record<string, Buffer>>[] = () => []
  readonly #clock: Clock
  readonly #handler: FeedClientHandler
  readonly #cluster: FakeCluster
  readonly #logs = new Map<number, FeedRecord[]>()
  /** Where each partition is read on. */
  readonly #next = new Map<number, number>()

  constructor(handler: FeedClientHandler, cluster: FakeCluster, clock: Clock) {
    this.#clock = clock
    this.#handler = handler
    this.#cluster = cluster
  }

  connect(): void {
    const ids = Array.from({ length: this.#cluster.partitions }, (_, partition) => partition)
    const partitions = ids.map((partition) => ({ partition, leader: 1, replicas: 1, inSync: 1 }))
    setImmediate(() => {
      if (!this.#cluster.up) this.#handler.handleConnectFailed('down')
      else this.#handler.handleConnected({ brokers: [], topics: [{ name: 't', partitions }] })
    })
  }

  /** Brings messages `first` … `last` of epoch 1 of one partition. */
  bring(partition: number, first: number, last = first, kind: 'data' | 'void' = 'data'): void {
    const log = this.#logOf(partition)
    for (let counter = first; counter <= last; counter++) {
      const offset = log.length
      const stamp = { producerId: 'p', epoch: 1, incarnation: 1, keyRange: partition, first: counter, count: 1 }
      log.push({
        topic: 't',
        partition,
        offset,
        key: this.keyOf(counter),
        value: Buffer.from(`${counter}`),
        timestampMs: 0,
        headers: [
          { [STAMP_HEADER]: Buffer.from(encodeStamp({ kind, ...stamp })) },
          ...this.headersOf(counter),
          ...(this.broken === 'record' ? [{ odd: undefined as never }] : []),
        ],
      })
    }
    this.#read(partition)
  }

  /** Brings a record without a stamp, or with that one. */
  bringForeign(partition: number, text: string, stamp?: string): void {
    const log = this.#logOf(partition)
    log.push({
      topic: 't',
      partition,
      offset: log.length,
      key: null,
      value: Buffer.from(text),
      timestampMs: 0,
      headers: stamp === undefined ? [] : [{ [STAMP_HEADER]: Buffer.from(stamp) }],
    })
    this.#read(partition)
  }

  assign(positions: readonly FeedPosition[]): void {
    for (const { partition, offset } of positions) {
      this.#next.set(partition, offset)
      setImmediate(() => this.#read(partition))
    }
  }

  unassign(): void {}

  pause(): void {
    if (this.broken === 'pause') throw new Error('Local: Erroneous state')
  }

  resume(): void {}

  poll(): void {
    if (this.broken === 'poll') throw new Error('Local: Erroneous state')
  }

  queryStart(_partition: object, done: (offset: number) => void): void {
    this.#answer(() => done(0))
  }

  queryEnd({ partition }: { partition: number }, done: (offset: number) => void): void {
    if (this.broken === 'queryEnd') throw new Error('Local: Erroneous state')
    this.#answer(() => done(this.#logOf(partition).length))
  }

  queryTime(_partition: object, _timeMs: number, done: (offset: number) => void): void {
    setImmediate(() => done(0))
  }

  queryCommitted({ partition }: { partition: number }, done: (offset: number) => void): void {
    this.#answer(() => done(this.#cluster.committed.get(partition) ?? UNCOMMITTED))
  }

  commit(positions: readonly FeedPosition[], done: (failure: string | undefined) => void): void {
    const { refusesCommits } = this.#cluster
    if (refusesCommits === undefined) {
      for (const { partition, offset } of positions) this.#cluster.committed.set(partition, offset)
    }
    this.#answer(() => done(refusesCommits))
  }

  close(done: () => void): void {
    setImmediate(done)
  }

  #logOf(partition: number): FeedRecord[] {
    const known = this.#logs.get(partition)
    if (known !== undefined) return known
    const log: FeedRecord[] = []
    this.#logs.set(partition, log)
    return log
  }

  #read(partition: number): void {
    const log = this.#logOf(partition)
    const records = log.slice(this.#next.get(partition) ?? 0)
    this.#next.set(partition, log.length)
    if (records.length > 0) this.#handler.handleBatch(records, [])
  }

  #answer(answer: () => void): void {
    if (this.answersAfterMs === 0) setImmediate(answer)
    else if (this.answersAfterMs < Infinity) this.#clock.schedule(this.#clock.now() + this.answersAfterMs, answer)
  }
}

/** Answers as the memory store does, unless a partition is to fail, or it is to say nothing. */
export class FailingStore extends MemoryHighWaterStore {
  override volatile = false
  readonly failing = new Set<number>()
  /** Partitions that were acquired and not released. */
  readonly held = new Set<number>()
  taken = 0
  away = false
  /** What it has as booked of every partition. */
  booked: readonly FinishedCounters[] = []
  /** What each flush said was finished. */
  readonly flushed: (readonly FinishedCounters[])[] = []
  #mute = false
  #muteWhenTaken = false
  #unsaid: (() => void)[] = []

  /** Calls are carried out, and nobody hears of it. */
  hush(): void {
    this.#mute = true
  }

  /** The same, from the first lease on that it gives. */
  hushWhenTaken(): void {
    this.#muteWhenTaken = true
  }

  speak(): void {
    this.#mute = this.#muteWhenTaken = false
    const unsaid = this.#unsaid
    this.#unsaid = []
    for (const say of unsaid) say()
  }

  override async look(id: PartitionOfGroup): Promise<LeaseRecord> {
    return this.#answer(() => super.look(id))
  }

  override async acquire(id: PartitionOfGroup, claim: Claim): Promise<Acquired> {
    this.#mute ||= this.#muteWhenTaken
    const acquired = await this.#answer(() => super.acquire(id, claim))
    if (acquired.kind === 'held') return acquired
    this.held.add(id.partition)
    this.taken++
    return { ...acquired, holding: { ...acquired.holding, booked: this.booked } }
  }

  override async flush(id: PartitionOfGroup, flush: Flush): Promise<FlushAnswer> {
    if (this.failing.has(id.partition)) throw new Error('away')
    this.flushed.push(flush.finished)
    return this.#answer(() => super.flush(id, flush))
  }

  override async renew(id: PartitionOfGroup, renewal: Renewal): Promise<Renewed> {
    return this.#answer(() => super.renew(id, renewal))
  }

  override async meet(groupId: string, roll: Roll): Promise<ReadonlyMap<string, Member>> {
    return this.#answer(() => super.meet(groupId, roll))
  }

  override async release(id: PartitionOfGroup, release: Release): Promise<void> {
    await this.#answer(() => super.release(id, release))
    this.held.delete(id.partition)
  }

  async #answer<T>(call: () => Promise<T>): Promise<T> {
    if (this.away) throw new Error('away')
    const answer = await call()
    if (this.#mute) await new Promise<void>((resolve) => this.#unsaid.push(resolve))
    return answer
  }
}

/** A consumer of a topic with two partitions, whose feeds bring what the test says. */
export class Bench {
  readonly clock = new ManualClock()
  readonly store = new FailingStore(this.clock)
  readonly consumer: Consumer<Buffer>
  readonly clusters: { readonly east: FakeCluster; readonly west: FakeCluster } = {
    east: { up: true, partitions: 2, committed: new Map() },
    west: { up: true, partitions: 2, committed: new Map() },
  }
  /** Clients in the order in which they were made. */
  readonly feeds: FakeFeedClient[] = []
  readonly deliveries: Delivery<Buffer>[] = []
  readonly events: TandemEvent['kind'][] = []
  readonly told: TandemEvent[] = []
  subscription: Subscription | undefined
  readonly #out: string[] = []
  completed = false
  failure: unknown

  constructor(options: Partial<ConsumerOptions> = {}, threadPoolSize = 16) {
    const properties = { 'bootstrap.servers': 'nowhere:9' }
    this.consumer = new Consumer<Buffer>(
      {
        groupId: 'g',
        clusters: { east: properties, west: properties },
        topics: ['t'],
        highWater: this.store,
        ...options,
      },
      {
        clock: this.clock,
        createId: () => 'owner',
        hostName: 'somewhere',
        threadPoolSize,
        expiry: { everyMs: 3_600_000, ageMs: 86_400_000 },
        createFeedClient: ({ cluster }, handler) => {
          const feed = new FakeFeedClient(handler, this.clusters[cluster as 'east' | 'west'], this.clock)
          this.feeds.push(feed)
          return feed
        },
      },
    )
  }

  /** @param pipe what is between `deliveries$` and whoever collects what comes out. */
  async start(
    pipe: (deliveries$: Observable<Delivery<Buffer>>) => Observable<Delivery<Buffer>> = (same) => same,
  ): Promise<this> {
    this.consumer.events$.subscribe((event) => {
      this.events.push(event.kind)
      this.told.push(event)
    })
    this.subscription = pipe(this.consumer.deliveries$).subscribe({
      next: (delivery) => {
        this.deliveries.push(delivery)
        this.#out.push(`${delivery.position.counter}${delivery.redelivered ? 'r' : ''}`)
      },
      error: (error: unknown) => (this.failure = error),
      complete: () => (this.completed = true),
    })
    await this.clock.pass(10)
    return this
  }

  /** Another instance takes a partition, whatever the lease says. */
  async takeOver(partition: number): Promise<Holding> {
    const id = { groupId: 'g', topic: 't', partition }
    const acquired = await this.store.acquire(id, { owner: 'other', greatestSeen: 0, seen: await this.store.look(id) })
    if (acquired.kind === 'held') throw new Error('it was another one than was seen')
    return acquired.holding
  }

  /** What the store has of the only stream of a partition; it is taken over for that. */
  async stored(partition: number): Promise<StoredSequence | undefined> {
    const { fields } = await this.takeOver(partition)
    return decodePosition(fields).streams[0]?.sequences[0]
  }

  /** Both feeds bring messages `first` … `last`. */
  async bring(partition: number, first: number, last = first): Promise<void> {
    for (const feed of this.feeds) feed.bring(partition, first, last)
    await this.clock.pass(0)
  }

  get out(): string {
    return this.#out.join(' ')
  }

  count(kind: TandemEvent['kind']): number {
    return this.events.filter((one) => one === kind).length
  }
}
