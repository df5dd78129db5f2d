import assert from 'node:assert/strict'

import type { TandemEvent } from '@tandem/common/internal'
import type { ConsumerOptions } from '@tandem/consumer'
import type { Message, Producer, ProducerOptions } from '@tandem/producer'

import type { SimulatedCluster } from '../simulation/cluster.js'
import type { Handling, Seen, SimulatedConsumer, SimulatedConsumerOptions } from '../simulation/simulated-consumer.js'
import type { Sent, SimulatedProducer, SimulatedProducerOptions } from '../simulation/simulated-producer.js'
import { World, type WorldSettings } from '../simulation/world.js'
import { readDelivered, readLog } from './notation.js'

/**
 * What stories are told with, on one world: A is the east and B is the west.
 *
 * ```ts
 * west.hang()
 * await ledger.send(3)
 * west.heal()
 * balances.expectDelivered('1…3')
 * ```
 */
export class Stage {
  readonly world: World
  readonly east: SimulatedCluster
  readonly west: SimulatedCluster
  #messages = 0
  #processes = 0

  constructor(settings: Partial<WorldSettings> = {}) {
    this.world = new World(settings)
    this.east = this.world.east
    this.west = this.world.west
  }

  /** Puts records into a log, as the protocol writes them: `1 v2 2:1`. */
  write(cluster: SimulatedCluster, log: string, partition = 0): void {
    for (const { entry } of readLog(log)) cluster.append(this.world.topics[0]!, partition, entry)
  }

  /** A consumer group of one instance, reading from both clusters as far as they are there. */
  async group(name: string, options: GroupOptions = {}): Promise<Group> {
    const group = new Group(this, name, options)
    await group.start()
    return group
  }

  /** A producer process, connected unless it is not waited for. */
  async producer(producerId: string, options: WriterOptions = {}): Promise<Writer> {
    const writer = new Writer(this, producerId, options)
    if (options.wait !== false) await writer.connected()
    return writer
  }

  /** Lets `ms` pass. */
  pass(ms: number): Promise<void> {
    return this.world.run(ms)
  }

  /** Lets everything come to rest: the time that I8 allows. */
  settle(): Promise<void> {
    return this.world.run(SETTLED_MS)
  }

  nextProcess(): number {
    return ++this.#processes
  }

  nextMessage(): string {
    return String(++this.#messages)
  }
}

export interface GroupOptions {
  readonly options?: Partial<ConsumerOptions>
  /** What its handler does with a delivery; at once if left out. */
  readonly handle?: (seen: Seen) => Handling
  /** Handles in key order instead. */
  readonly service?: SimulatedConsumerOptions['service']
  /** How many it reads; one if left out. */
  readonly partitions?: number
}

export class Group {
  readonly #stage: Stage
  readonly #name: string
  readonly #options: GroupOptions
  #consumer: SimulatedConsumer

  constructor(stage: Stage, name: string, options: GroupOptions) {
    this.#stage = stage
    this.#name = name
    this.#options = options
    this.#consumer = this.#create()
  }

  /** The instance that runs now, or the last one that did. */
  get consumer(): SimulatedConsumer {
    return this.#consumer
  }

  /** What the instance was given, in order: `3`, or `late 3`. */
  get delivered(): string[] {
    return this.#consumer.deliveries.map(({ text, late }) => (late ? `late ${text}` : text))
  }

  async start(): Promise<void> {
    const consumer = this.#consumer.start()
    const feeds = 2 * (this.#options.partitions ?? 1)
    await this.#stage.world.until(
      () => consumer.failure !== undefined || consumer.assignments.length >= feeds,
      START_MS,
    )
    if (consumer.failure !== undefined) throw consumer.failure as Error
  }

  /** The process crashes; nothing of it is delivered or stored any more. */
  crash(): void {
    this.#consumer.kill()
  }

  /** A new process of the group; what is expected from here on is what it is given. */
  async restart(): Promise<void> {
    this.crash()
    this.#consumer = this.#create()
    await this.start()
  }

  events(kind: TandemEvent['kind']): TandemEvent[] {
    return this.#consumer.events.filter((event) => event.kind === kind)
  }

  /** Exactly this, in this order: `expectDelivered('1 3', 'late 2')`. */
  expectDelivered(...notation: string[]): void {
    this.expectWell()
    assert.deepEqual(this.delivered, notation.flatMap(readDelivered), `${this.#name} was given`)
  }

  /** Exactly this, each once, in any order and late or not. */
  expectDeliveredInAll(notation: string): void {
    this.expectWell()
    const texts = this.#consumer.deliveries.map(({ text }) => text)
    assert.deepEqual(texts.sort(), readDelivered(notation).sort(), `${this.#name} was given, in all`)
  }

  /** `earlier` came before `later`, or was announced as late. */
  expectBeforeOrLate(earlier: string, later: string): void {
    const at = (text: string): number => this.#consumer.deliveries.findIndex((seen) => seen.text === text)
    const late = this.#consumer.deliveries[at(earlier)]?.late === true
    assert.ok(
      late || at(earlier) < at(later),
      `${this.#name}: ${earlier} before ${later} or late, given ${this.delivered.join(' ')}`,
    )
  }

  expectEvents(kind: TandemEvent['kind'], count: number): void {
    assert.equal(this.events(kind).length, count, `${kind} of ${this.#name}: ${JSON.stringify(this.events(kind))}`)
  }

  expectWell(): void {
    assert.equal(this.#consumer.failure, undefined, `deliveries$ of ${this.#name} ended`)
  }

  #create(): SimulatedConsumer {
    const { options, handle, service } = this.#options
    return this.#stage.world.createConsumer({
      groupId: this.#name,
      name: `${this.#name}-${this.#stage.nextProcess()}`,
      ...(options === undefined ? {} : { options }),
      ...(handle === undefined ? {} : { handle }),
      service,
    })
  }
}

export interface WriterOptions {
  readonly options?: Partial<ProducerOptions>
  readonly epochs?: SimulatedProducerOptions['epochs']
  /** Whether to wait until it has connected; if left out, yes. */
  readonly wait?: boolean
}

export class Writer {
  readonly #stage: Stage
  readonly #producerId: string
  readonly #simulated: SimulatedProducer

  constructor(stage: Stage, producerId: string, options: WriterOptions) {
    this.#stage = stage
    this.#producerId = producerId
    const name = `${producerId}-${stage.nextProcess()}`
    const { options: given, epochs } = options
    this.#simulated = stage.world.createProducer({
      producerId,
      name,
      ...(given === undefined ? {} : { options: given }),
      ...(epochs === undefined ? {} : { epochs }),
    })
    this.#simulated.start()
  }

  get simulated(): SimulatedProducer {
    return this.#simulated
  }

  get producer(): Producer {
    return this.#simulated.producer
  }

  async connected(): Promise<void> {
    const { world } = this.#stage
    await world.until(() => this.#simulated.connected || this.#simulated.failure !== undefined, START_MS)
    if (this.#simulated.failure !== undefined) throw this.#simulated.failure as Error
    assert.ok(this.#simulated.connected, `${this.#producerId} did not connect within ${START_MS} ms`)
  }

  /** Calls `send()` for the next `count` messages, whose payloads are 1, 2, 3 … over all producers of the stage. */
  queue(count: number, message: Partial<Message> = {}): Sent[] {
    return Array.from({ length: count }, () => this.#simulated.send(this.#stage.nextMessage(), message))
  }

  /** The same, one after the other, and waits until each has resolved or rejected. */
  async send(count: number, message: Partial<Message> = {}): Promise<Sent[]> {
    const all: Sent[] = []
    for (let i = 0; i < count; i++) {
      all.push(...this.queue(1, message))
      await this.#stage.pass(SEND_EVERY_MS)
    }
    await this.closed(all)
    return all
  }

  async closed(sent: readonly Sent[]): Promise<void> {
    const closed = (): boolean => sent.every(({ closedAtMs }) => closedAtMs !== undefined)
    const done = await this.#stage.world.until(closed, SEND_MS)
    assert.ok(done, `a send neither resolved nor rejected within ${SEND_MS} ms`)
  }

  crash(): void {
    this.#simulated.kill()
  }

  stop(): void {
    this.#simulated.stop()
  }

  continue(): void {
    this.#simulated.continue()
  }

  events(kind: TandemEvent['kind']): TandemEvent[] {
    return this.#simulated.events.filter((event) => event.kind === kind)
  }

  expectEvents(kind: TandemEvent['kind'], count: number): void {
    assert.equal(
      this.events(kind).length,
      count,
      `${kind} of ${this.#producerId}: ${JSON.stringify(this.events(kind))}`,
    )
  }
}

/** What became of calls of `send()`. */
export function expectSent(fate: 'resolved' | 'not-written' | 'unknown', ...sent: readonly Sent[]): void {
  for (const { text, receipt, error } of sent) {
    const outcome = (error as { outcome?: string } | undefined)?.outcome
    const became = receipt !== undefined ? 'resolved' : (outcome ?? String(error ?? 'open'))
    assert.equal(became, fate, `send(${text})`)
  }
}

/** The messages of a log in their order, each once however often it was rewritten, and its voids. */
export function expectLog(cluster: SimulatedCluster, messages: readonly string[], voids: readonly string[] = []): void {
  const log = logOf(cluster, 'entries')
  const isVoid = (text: string): boolean => text.startsWith('v')
  assert.deepEqual([...new Set(log.filter((text) => !isVoid(text)))], messages, `messages of ${cluster.name}`)
  assert.deepEqual(log.filter(isVoid), voids, `voids of ${cluster.name}`)
}

/** What a log holds, record by record: `1`, or `v2–3`. */
export function logOf(cluster: SimulatedCluster, topic: string, partition = 0): string[] {
  return [...cluster.log(topic, partition)].map(({ value, headers }) => {
    if (value !== null) return value.toString()
    const [, kind, , , , , first, count] = headers
      .find((one) => 'tandem' in one)!
      ['tandem']!.toString()
      .split(':')
    return count === '1' ? `${kind}${first}` : `${kind}${first}–${Number(first) + Number(count) - 1}`
  })
}

/** protocol.md, I8: `feedAwayAfterMs + holeTimeoutMs + gapTimeoutMs + 30 s`. */
const SETTLED_MS = 10_000 + 60_000 + 5_000 + 30_000
/** A start with one cluster away takes its grace, and after a crash the lease of the dead has to end. */
const START_MS = 20_000
const SEND_EVERY_MS = 20
const SEND_MS = 120_000
