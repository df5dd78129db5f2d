import { encodeStamp, STAMP_HEADER } from '@tandem/common/internal'
import {
  UNCOMMITTED,
  Consumer,
  decodePosition,
  NO_LEASE,
  type Acquired,
  type Delivery,
  type FeedClient,
  type FeedClientHandler,
  type FeedPosition,
  type FeedRecord,
  type Fields,
  type Flush,
  type FlushAnswer,
  type HighWaterStore,
  type LeaseRecord,
  type Member,
  type Renewed,
} from '@tandem/consumer/internal'
import { expect } from 'chai'

import { Timeline } from '../simulation/timeline.js'

/**
 * Three deliveries, and whatever a subscriber and a store may do about them: every row of so many acts, on the shipped
 * wiring in virtual time, and a crash after each.
 *
 * After each act: who was handed what again, what is unacknowledged, the high water, and what the store has as finished
 * and as offsets. After the crash exactly that comes again which was not flushed, in order, and no record is skipped
 * that may be needed.
 */
type Act =
  | { readonly kind: 'ack' | 'nack'; readonly counter: number }
  | { readonly kind: 'flush' | 'reply-lost' | 'refused' | 'executed-late' | 'second' }

const ACTS: readonly Act[] = [
  ...[1, 2, 3].flatMap((counter) => [{ kind: 'ack', counter } as const, { kind: 'nack', counter } as const]),
  ...(['flush', 'reply-lost', 'refused', 'executed-late', 'second'] as const).map((kind) => ({ kind })),
]

/** Counters of each log, and how many records of it come before a hole is gone past. */
export interface Story {
  readonly name: string
  readonly logs: readonly [readonly number[], readonly number[]]
  readonly first: number
  readonly delivered: string
}

export const STORIES: readonly Story[] = [
  {
    name: 'all in order',
    logs: [
      [1, 2, 3],
      [1, 2, 3],
    ],
    first: 3,
    delivered: '1 2 3',
  },
  {
    name: 'one late',
    logs: [
      [1, 3, 2],
      [1, 3],
    ],
    first: 2,
    delivered: '1 3 2!',
  },
]

const FLUSH_MS = 100
const NACK_MS = 1_000

/** Does what the act says; numbers decide which flush is the later one. */
class Store implements HighWaterStore {
  readonly name = 'paper'
  mode: 'flush' | 'reply-lost' | 'refused' | 'executed-late' = 'flush'
  readonly fields: Map<string, Uint8Array>
  #number = 0
  #late: Flush | undefined

  constructor(fields: Fields = new Map()) {
    this.fields = new Map(fields)
  }

  look(): Promise<LeaseRecord> {
    return Promise.resolve(NO_LEASE)
  }

  acquire(): Promise<Acquired> {
    const holding = { token: 1, number: 0, bornMs: 0, fields: new Map(this.fields) }
    return Promise.resolve({ kind: 'acquired', holding })
  }

  flush(_: unknown, flush: Flush): Promise<FlushAnswer> {
    if (this.mode === 'refused') return Promise.reject(new Error('away'))
    if (this.mode === 'executed-late') {
      this.#late = flush
      return Promise.reject(new Error('away'))
    }
    const answer = this.#execute(flush)
    if (this.#late !== undefined) this.#execute(this.#late)
    this.#late = undefined
    return this.mode === 'reply-lost' ? Promise.reject(new Error('away')) : Promise.resolve(answer)
  }

  renew(): Promise<Renewed> {
    return Promise.resolve({ kind: 'renewed', want: '', number: this.#number })
  }

  async want(): Promise<void> {}

  async release(): Promise<void> {}

  meet(): Promise<ReadonlyMap<string, Member>> {
    return Promise.resolve(new Map())
  }

  #execute({ number, fields }: Flush): FlushAnswer {
    if (number < this.#number) return 'stale'
    this.#number = number
    for (const [name, bytes] of fields) this.fields.set(name, bytes)
    return 'flushed'
  }
}

/** Brings what is readable of one written log, in one batch each time there is more. */
class PaperFeed implements FeedClient {
  readonly #timeline: Timeline
  readonly #handler: FeedClientHandler
  readonly #log: readonly FeedRecord[]
  readable: number
  start = -1
  #next = -1
  #asked = false

  constructor(timeline: Timeline, handler: FeedClientHandler, log: readonly FeedRecord[], readable: number) {
    this.#timeline = timeline
    this.#handler = handler
    this.#log = log
    this.readable = readable
  }

  connect(): void {
    const partitions = [{ partition: 0, leader: 1, replicas: 1, inSync: 1 }]
    this.#soon(() => this.#handler.handleConnected({ brokers: [], topics: [{ name: 't', partitions }] }))
  }

  unassign(): void {}

  assign([position]: readonly FeedPosition[]): void {
    this.start = this.#next = position!.offset
    this.#soon(() => this.bring())
  }

  poll(): void {
    this.#asked = true
    this.#soon(() => this.bring())
  }

  bring(): void {
    if (!this.#asked || this.#next < 0 || this.#next >= this.readable) return
    this.#asked = false
    const batch = this.#log.slice(this.#next, this.readable)
    this.#next = this.readable
    this.#handler.handleBatch(batch, [])
  }

  queryStart(_: unknown, done: (offset: number) => void): void {
    this.#soon(() => done(0))
  }

  queryEnd(_: unknown, done: (offset: number) => void): void {
    this.#soon(() => done(this.readable))
  }

  queryTime(_: unknown, __: number, done: (offset: number) => void): void {
    this.#soon(() => done(0))
  }

  queryCommitted(_: unknown, done: (offset: number) => void): void {
    this.#soon(() => done(UNCOMMITTED))
  }

  commit(_: unknown, done: (failure: undefined) => void): void {
    this.#soon(() => done(undefined))
  }

  pause(): void {}
  resume(): void {}

  close(done: () => void): void {
    this.#soon(done)
  }

  #soon(task: () => void): void {
    this.#timeline.after(0, task)
  }
}

/** A consumer on the story's logs, and its subscriber, who has done nothing yet. */
class Life {
  readonly timeline = new Timeline()
  readonly feeds: PaperFeed[] = []
  readonly deliveries: Delivery[] = []
  readonly consumer: Consumer
  readonly store: Store
  readonly #story: Story

  constructor(story: Story, store: Store, readable: number) {
    this.#story = story
    this.store = store
    const clock = {
      now: () => this.timeline.now,
      wall: () => this.timeline.now,
      schedule: (atMs: number, task: () => void) => this.timeline.schedule(atMs, task),
    }
    this.consumer = new Consumer(
      {
        groupId: 'g',
        clusters: { east: { 'bootstrap.servers': 'nowhere:9' }, west: { 'bootstrap.servers': 'nowhere:9' } },
        topics: ['t'],
        highWater: store,
        flushIntervalMs: FLUSH_MS,
        gapTimeoutMs: 500,
      },
      {
        clock,
        createId: () => 'owner',
        hostName: 'somewhere',
        threadPoolSize: 64,
        expiry: { everyMs: 3_600_000, ageMs: 86_400_000 },
        createFeedClient: (_, handler) => {
          const log = story.logs[this.feeds.length]!.map(recordOf)
          const feed = new PaperFeed(this.timeline, handler, log, Math.min(readable, log.length))
          this.feeds.push(feed)
          return feed
        },
      },
    )
    this.consumer.deliveries$.subscribe((delivery) => this.deliveries.push(delivery))
  }

  async readAll(): Promise<void> {
    await this.timeline.run(NACK_MS)
    this.feeds.forEach((feed, index) => {
      feed.readable = this.#story.logs[index]!.length
      feed.bring()
    })
    await this.timeline.run(0)
  }

  get out(): string {
    return this.deliveries.map(({ position, late }) => `${position.counter}${late ? '!' : ''}`).join(' ')
  }

  async act(act: Act): Promise<void> {
    if (act.kind === 'ack') this.#of(act.counter).ack()
    else if (act.kind === 'nack') this.#of(act.counter).nack(new Error('no'))
    else {
      this.store.mode = act.kind === 'second' ? 'flush' : act.kind
      await this.timeline.run(act.kind === 'second' ? NACK_MS : FLUSH_MS)
    }
  }

  #of(counter: number): Delivery {
    return this.deliveries.find(({ position }) => position.counter === counter)!
  }
}

function recordOf(counter: number, offset: number): FeedRecord {
  const stamp = encodeStamp({ ...SEQUENCE, kind: 'data', first: counter, count: 1 })
  const headers = [{ [STAMP_HEADER]: Buffer.from(stamp) }]
  return { topic: 't', partition: 0, offset, key: null, value: Buffer.from(`${counter}`), timestampMs: 0, headers }
}

const SEQUENCE = { producerId: 'p', epoch: 1, incarnation: 1, keyRange: 0 }

/** What must be, in the simplest words. */
class Expected {
  readonly acknowledged = new Set<number>()
  stored: ReadonlySet<number> = new Set()
  readonly out: number[]
  readonly #refusedAt = new Map<number, number>()
  #time = 0

  constructor(out: readonly number[]) {
    this.out = [...out]
  }

  act(act: Act): void {
    if (act.kind === 'ack') {
      this.acknowledged.add(act.counter)
      this.#refusedAt.delete(act.counter)
    } else if (act.kind === 'nack') {
      // Refused already, and not yet handed out again: there is nothing to refuse.
      if (this.acknowledged.has(act.counter) || this.#refusedAt.has(act.counter)) return
      this.#refusedAt.set(act.counter, this.#time)
    } else {
      this.#time += act.kind === 'second' ? NACK_MS : FLUSH_MS
      if (act.kind !== 'refused' && act.kind !== 'executed-late') this.stored = new Set(this.acknowledged)
      for (const [counter, at] of this.#refusedAt) {
        if (this.#time < at + NACK_MS) continue
        this.#refusedAt.delete(counter)
        this.out.push(counter)
      }
    }
  }

  get highWater(): number {
    let high = 0
    while (this.acknowledged.has(high + 1)) high++
    return high
  }
}

/** Every row of so many acts, each on a life of its own, and a crash after each act. */
export async function checkEveryRow(story: Story, length: number): Promise<{ crashes: number; positions: number }> {
  const left = new Map<string, Fields>()
  let crashes = 0
  for (const acts of rows(length)) {
    const life = new Life(story, new Store(), story.first)
    await life.readAll()
    expect(life.out).to.equal(story.delivered)
    const expected = new Expected(life.deliveries.map(({ position }) => position.counter))
    for (const [index, act] of acts.entries()) {
      await life.act(act)
      expected.act(act)
      compare(life, expected, story, () => show(acts.slice(0, index + 1)))
      crashes++
      left.set(keyOf(life.store.fields), new Map(life.store.fields))
    }
  }
  for (const fields of left.values()) await crash(story, fields)
  return { crashes, positions: left.size }
}

function compare(life: Life, expected: Expected, story: Story, row: () => string): void {
  const out = life.deliveries.map(({ position }) => position.counter)
  const { unacknowledged, partitions } = life.consumer.status()
  const is = [out, unacknowledged, partitions[0]!.highWater, partitions[0]!.debts, finishedIn(life.store.fields)]
  const wanted = [expected.out, 3 - expected.acknowledged.size, expected.highWater, 0, [...expected.stored].sort()]
  if (JSON.stringify(is) !== JSON.stringify(wanted)) expect(is, row()).to.deep.equal(wanted)
  const again = life.deliveries.slice(3).every((one) => one.redelivered) || life.deliveries.length === 3
  if (!again) expect.fail(`${row()}: handed out again without saying so`)
  const { feeds } = decodePosition(life.store.fields)
  story.logs.forEach((log, feed) => {
    const cluster = ['east', 'west'][feed]!
    const open = log.findIndex((counter) => !expected.stored.has(counter))
    const offset = feeds[cluster]?.resumeOffset ?? 0
    if (offset !== (open < 0 ? log.length : open)) expect.fail(`${row()}: ${cluster} resumes at ${offset}`)
  })
}

/** What comes in the next life, and whether it can be brought to an end. */
async function crash(story: Story, fields: Fields): Promise<void> {
  const finished = finishedIn(fields)
  const { feeds } = decodePosition(fields)
  const life = new Life(story, new Store(fields), 3)
  await life.readAll()
  const again = life.deliveries.map(({ position }) => position.counter).sort()
  expect(again, `after ${finished.join(' ')} was flushed`).to.deep.equal(
    [1, 2, 3].filter((one) => !finished.includes(one)),
  )
  for (const [index, name] of ['east', 'west'].entries()) {
    const { resumeOffset, marks } = feeds[name] ?? { resumeOffset: 0, marks: [] }
    // What lies before is only compared, from behind a mark on.
    expect([resumeOffset, ...marks.map(({ offset }) => offset + 1)]).to.include(life.feeds[index]!.start)
  }
  const inOrder = life.deliveries.filter(({ late }) => !late).map(({ position }) => position.counter)
  expect(inOrder).to.deep.equal([...inOrder].sort())
  for (const delivery of life.deliveries) delivery.ack()
  await life.act({ kind: 'flush' })
  expect(finishedIn(life.store.fields)).to.deep.equal([1, 2, 3])
}

function finishedIn(fields: Fields): number[] {
  const { streams } = decodePosition(fields)
  return [1, 2, 3].filter((counter) => streams[0]?.sequences[0]?.finished.has(counter))
}

function keyOf(fields: Fields): string {
  return [...fields].map(([name, bytes]) => `${name} ${Buffer.from(bytes).toString('hex')}`).join()
}

function* rows(length: number): Generator<Act[]> {
  if (length === 0) yield []
  else for (const rest of rows(length - 1)) for (const act of ACTS) yield [...rest, act]
}

function show(acts: readonly Act[]): string {
  return acts.map((act) => ('counter' in act ? `${act.kind} ${act.counter}` : act.kind)).join(', ')
}
