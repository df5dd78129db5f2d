/** The two processes of a run: one sends, one reads, both tell how they do until they are told to end. */
import { join } from 'node:path'

import type { Addresses } from '../clusters.js'
import { OrderedProcess } from '../subject-process.js'
import {
  OVER,
  type ConsumeAnswer,
  type ConsumeOrder,
  type ConsumerGauge,
  type ProduceAnswer,
  type ProduceOrder,
  type ProducerGauge,
} from './order.js'
import { readSamples, type Samples } from './samples.js'

export interface ProcessesOptions extends Pick<ProduceOrder, 'framing' | 'beginMs' | 'topic'> {
  /** Of the subject, for messages. */
  readonly name: string
  readonly clusters: Addresses
  readonly redisUrl: string
  readonly offeredPerSecond: number | undefined
  /** Where they leave what they saw. */
  readonly folder: string
  /** Whatever happens, they have ended by then. */
  readonly runMsMax: number
}

export class Processes implements AsyncDisposable {
  readonly producerGauges: ProducerGauge[] = []
  readonly consumerGauges: ConsumerGauge[] = []
  readonly #beginMs: number
  readonly #paths: { readonly acknowledged: string; readonly delivered: string }
  readonly #producer: OrderedProcess<ProduceOrder, ProduceAnswer, ProducerGauge>
  readonly #consumer: OrderedProcess<ConsumeOrder, ConsumeAnswer, ConsumerGauge>
  readonly #broken = new AbortController()

  constructor(options: ProcessesOptions) {
    const { name, clusters, topic, framing, beginMs, redisUrl, offeredPerSecond, folder, runMsMax } = options
    const common = { clusters, topic, beginMs }
    this.#beginMs = beginMs
    this.#paths = { acknowledged: join(folder, 'acknowledged'), delivered: join(folder, 'delivered') }
    this.#consumer = new OrderedProcess<ConsumeOrder, ConsumeAnswer, ConsumerGauge>(
      CONSUMER,
      `the consumer of ${name}`,
      { ...common, samplesPath: this.#paths.delivered, redisUrl },
      { told: (gauge) => this.consumerGauges.push(gauge), runMsMax },
    )
    this.#producer = new OrderedProcess<ProduceOrder, ProduceAnswer, ProducerGauge>(
      PRODUCER,
      `the producer of ${name}`,
      {
        ...common,
        samplesPath: this.#paths.acknowledged,
        framing,
        ...(offeredPerSecond !== undefined && { perSecond: offeredPerSecond }),
      },
      { flags: PRODUCER_FLAGS, told: (gauge) => this.producerGauges.push(gauge), runMsMax },
    )
    for (const { answer } of [this.#consumer, this.#producer]) answer.catch((error) => this.#broken.abort(error))
  }

  /** Aborted when one of them failed. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  endLoad(): Promise<ProduceAnswer> {
    this.#producer.tell(OVER)
    return this.#producer.answer
  }

  endReading(): Promise<ConsumeAnswer> {
    this.#consumer.tell(OVER)
    return this.#consumer.answer
  }

  /** When both have ended. */
  samples(): { readonly acknowledged: Samples; readonly delivered: Samples } {
    return {
      acknowledged: readSamples(this.#paths.acknowledged, this.#beginMs),
      delivered: readSamples(this.#paths.delivered, this.#beginMs),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.endLoad(), this.endReading()])
  }
}

/** Left alone, V8 lets garbage stand as long as the machine has memory: a backlog of 64 MiB for each lane fits into this. */
const PRODUCER_FLAGS = ['--max-old-space-size=192']
const PRODUCER = new URL('producer-process.js', import.meta.url)
const CONSUMER = new URL('consumer-process.js', import.meta.url)
