import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { OrderedProcess } from '../subject-process.js'
import type { FailoverOrder, ProduceAnswer, Word } from './order.js'
import { readSightings, type Sighting } from './sightings.js'

/** A producer and a consumer, each in a process of its own, and what they write down. */
export class Deployment implements AsyncDisposable {
  static async start(order: Omit<FailoverOrder, 'path'>): Promise<Deployment> {
    return new Deployment(await mkdtemp(join(tmpdir(), 'tandem-failover-')), order)
  }

  readonly #folder: string
  readonly #producer: OrderedProcess<FailoverOrder, ProduceAnswer>
  readonly #consumer: OrderedProcess<FailoverOrder, object>

  private constructor(folder: string, order: Omit<FailoverOrder, 'path'>) {
    this.#folder = folder
    const { subject } = order
    this.#producer = new OrderedProcess(PRODUCER, `${subject}, producer`, { ...order, path: this.#file(ACKNOWLEDGED) })
    this.#consumer = new OrderedProcess(CONSUMER, `${subject}, consumer`, { ...order, path: this.#file(TAKEN) })
  }

  /** Until now. */
  acknowledged(): Promise<readonly Sighting[]> {
    return readSightings(this.#file(ACKNOWLEDGED))
  }

  /** Until now. */
  taken(): Promise<readonly Sighting[]> {
    return readSightings(this.#file(TAKEN))
  }

  /** To the other cluster, at once. */
  switchOver(): void {
    for (const one of [this.#producer, this.#consumer]) one.tell('switch' satisfies Word)
  }

  /** Sends no more, and waits until all is acknowledged that ever will be. */
  async endProducer(): Promise<ProduceAnswer> {
    this.#producer.tell('end' satisfies Word)
    return await this.#producer.answer
  }

  async endConsumer(): Promise<void> {
    this.#consumer.tell('end' satisfies Word)
    await this.#consumer.answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of [this.#producer, this.#consumer]) await one[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true })
  }

  #file(name: string): string {
    return join(this.#folder, name)
  }
}

const PRODUCER = new URL('produce-process.js', import.meta.url)
const CONSUMER = new URL('consume-process.js', import.meta.url)
/** Files, in its folder. */
const ACKNOWLEDGED = 'acknowledged'
const TAKEN = 'taken'
