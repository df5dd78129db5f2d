import { encodeStamp, STAMP_HEADER, type Clock, type TandemEvent } from '@tandem/common/internal'
import { expect } from 'chai'

import { Consumer } from './consumer.js'
import type { Delivery } from './delivery.js'
import { MemoryHighWaterStore } from './high-water/memory-high-water-store.js'
import type { Flush, FlushAnswer, PartitionOfGroup } from './high-water/high-water-store.js'
import { decodePosition } from './high-water/position-codec.js'
import type { FeedClient, FeedClientHandler, FeedRecord } from './kafka/feed-client.js'
import type { ConsumerOptions } from './options.js'

/** Time that passes when the test says so. */
class ManualClock implements Clock {
  #now = 0
  #timers: { readonly atMs: number; readonly task: () => void }[] = []

  now(): number {
    return this.#now
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now
  }

  schedule(atMs: number, task: () => void): () => void {
    const timer = { atMs, task }
    this.#timers.push(timer)
    return () => (this.#timers = this.#timers.filter((one) => one !== timer))
  }

  get timers(): number {
    return this.#timers.length
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
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

class FakeFeedClient implements FeedClient {
  readonly #handler: FeedClientHandler
  readonly #offsets = new Map<number, number>()

  constructor(handler: FeedClientHandler) {
    this.#handler = handler
  }

  connect(): void {
    const partitions = [0, 1].map((partition) => ({ partition, leader: 1, replicas: 1, inSync: 1 }))
    setImmediate(() => this.#handler.handleConnected({ brokers: [], topics: [{ name: 't', partitions }] }))
  }

  /** Brings messages `first` … `last` of epoch 1 of one partition. */
  bring(partition: number, first: number, last = first): void {
    const records: FeedRecord[] = []
    for (let counter = first; counter <= last; counter++) {
      const offset = this.#offsets.get(partition) ?? 0
      this.#offsets.set(partition, offset + 1)
      const stamp = { producerId: 'p', epoch: 1, incarnation: 1, keyRange: partition, first: counter, count: 1 }
      records.push({
        topic: 't',
        partition,
        offset,
        key: null,
        value: Buffer.from(`${counter}`),
        timestampMs: 0,
        headers: [{ [STAMP_HEADER]: Buffer.from(encodeStamp({ kind: 'data', ...stamp })) }],
      })
    }
    this.#handler.handleBatch(records, [])
  }

  assign(): void {}
  pause(): void {}
  resume(): void {}
  poll(): void {}

  queryEnd({ partition }: { partition: number }, done: (ends: { low: number; high: number }) => void): void {
    setImmediate(() => done({ low: 0, high: this.#offsets.get(partition) ?? 0 }))
  }

  queryTime(_partition: object, _timeMs: number, done: (offset: number) => void): void {
    setImmediate(() => done(0))
  }

  close(done: () => void): void {
    setImmediate(done)
  }
}

/** Answers as the memory store does, unless a partition is to fail. */
class FailingStore extends MemoryHighWaterStore {
  readonly failing = new Set<number>()

  override flush(id: PartitionOfGroup, flush: Flush): Promise<FlushAnswer> {
    if (this.failing.has(id.partition)) return Promise.reject(new Error('away'))
    return super.flush(id, flush)
  }
}

/** A consumer of a topic with two partitions, whose feeds bring what the test says. */
class Bench {
  readonly clock = new ManualClock()
  readonly store = new FailingStore(this.clock)
  readonly consumer: Consumer<Buffer>
  readonly feeds: FakeFeedClient[] = []
  readonly deliveries: Delivery<Buffer>[] = []
  readonly events: TandemEvent['kind'][] = []
  readonly #out: string[] = []
  completed = false

  constructor(options: Partial<ConsumerOptions> = {}) {
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
        createFeedClient: (_options, handler) => {
          const feed = new FakeFeedClient(handler)
          this.feeds.push(feed)
          return feed
        },
      },
    )
  }

  async start(): Promise<this> {
    this.consumer.events$.subscribe(({ kind }) => this.events.push(kind))
    this.consumer.deliveries$.subscribe({
      next: (delivery) => {
        this.deliveries.push(delivery)
        this.#out.push(`${delivery.position.counter}${delivery.redelivered ? 'r' : ''}`)
      },
      complete: () => (this.completed = true),
    })
    await this.clock.pass(10)
    return this
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

describe('consumer', () => {
  it('stores what is acknowledged while closing waits for the rest', async () => {
    const bench = await new Bench().start()
    await bench.bring(0, 1, 2)
    void bench.consumer.close()
    bench.deliveries[1]!.ack()
    await bench.clock.pass(500)
    expect(bench.completed, 'it still waits for 1').to.equal(false)
    const claim = { owner: 'next', greatestSeen: 0 }
    const { fields } = await bench.store.acquire({ groupId: 'g', topic: 't', partition: 0 }, claim)
    const [stream] = decodePosition(fields).streams
    expect(stream?.sequences[0]?.finished.toArray()).to.deep.equal([2, 2])
  })

  describe('acknowledgements', () => {
    it('does not hand out again what was acknowledged after it was refused', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1)
      bench.deliveries[0]!.nack(new Error('busy'))
      bench.deliveries[0]!.ack()
      await bench.clock.pass(5_000)
      expect(bench.out).to.equal('1')
      expect(bench.consumer.status()).to.include({ unacknowledged: 0, delivered: 1 })
    })

    it('hands out once again what was refused twice, and after the default delay if the one given is no number', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1)
      bench.deliveries[0]!.nack(undefined, { delayMs: NaN })
      bench.deliveries[0]!.nack(undefined, { delayMs: 0 })
      await bench.clock.pass(999)
      expect(bench.out).to.equal('1')
      await bench.clock.pass(1)
      expect(bench.out).to.equal('1 1r')
    })

    it('frees the window of a partition that was lost, whatever handlers do with what they have of it', async () => {
      const bench = await new Bench({ unacknowledgedMax: 3 }).start()
      await bench.bring(0, 1, 3)
      const [kept, refused, acknowledged] = bench.deliveries
      refused!.nack(undefined, { delayMs: 60_000 })
      await bench.store.acquire({ groupId: 'g', topic: 't', partition: 0 }, { owner: 'other', greatestSeen: 0 })
      await bench.clock.pass(500)
      expect(kept!.signal.aborted).to.equal(true)
      expect(bench.consumer.status().unacknowledged).to.equal(0)
      acknowledged!.ack()
      expect(bench.consumer.status().unacknowledged).to.equal(0)
      await bench.bring(1, 1, 3)
      expect(bench.out).to.equal('1 2 3 1 2 3')
    })
  })

  describe('closing', () => {
    it('does not wait for what was refused, since nobody has it, and leaves no timer', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1, 2)
      bench.deliveries[0]!.nack(undefined, { delayMs: 3_600_000 })
      const closed = bench.consumer.close()
      bench.deliveries[1]!.nack()
      await bench.clock.pass(50)
      expect(bench.completed).to.equal(true)
      await closed
      expect(bench.clock.timers).to.equal(0)
      expect(bench.out).to.equal('1 2')
    })

    it('waits for what is in a handler', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1)
      void bench.consumer.close()
      await bench.clock.pass(5_000)
      expect(bench.completed).to.equal(false)
      bench.deliveries[0]!.ack()
      await bench.clock.pass(50)
      expect(bench.completed).to.equal(true)
    })
  })

  describe('a store that does not answer', () => {
    it('is told of once, and has returned when it has answered for each partition', async () => {
      const bench = await new Bench().start()
      bench.store.failing.add(0).add(1)
      await bench.bring(0, 1)
      bench.deliveries[0]!.ack()
      await bench.clock.pass(1_000)
      expect(bench.count('store-away')).to.equal(1)
      expect(bench.count('store-returned')).to.equal(0)
      expect(bench.consumer.status().store).to.equal('away')
      bench.store.failing.delete(1)
      await bench.bring(1, 1)
      bench.deliveries[1]!.ack()
      await bench.clock.pass(1_000)
      expect(bench.count('store-returned')).to.equal(0)
      bench.store.failing.delete(0)
      await bench.clock.pass(1_000)
      expect(bench.count('store-away')).to.equal(1)
      expect(bench.count('store-returned')).to.equal(1)
    })
  })
})
