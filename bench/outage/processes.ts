/** The two processes of a run: one sends, one reads, both tell how they do until they are told to end. */
import { join } from 'node:path'

import type { Addresses } from '../clusters.js'
import { orderFrom } from '../subject-process.js'
import type { ConsumeAnswer, ConsumeOrder, ConsumerGauge, ProduceAnswer, ProduceOrder, ProducerGauge } from './order.js'
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
  readonly #sending: Promise<ProduceAnswer>
  readonly #reading: Promise<ConsumeAnswer>
  readonly #loadOver = new AbortController()
  readonly #readingOver = new AbortController()
  readonly #broken = new AbortController()

  constructor(options: ProcessesOptions) {
    const { name, clusters, topic, framing, beginMs, redisUrl, offeredPerSecond, folder, runMsMax } = options
    const common = { clusters, topic, beginMs }
    this.#beginMs = beginMs
    this.#paths = { acknowledged: join(folder, 'acknowledged'), delivered: join(folder, 'delivered') }
    this.#reading = orderFrom<ConsumeOrder, ConsumeAnswer, ConsumerGauge>(
      CONSUMER,
      `the consumer of ${name}`,
      { ...common, samplesPath: this.#paths.delivered, redisUrl },
      { over: this.#readingOver.signal, told: (gauge) => this.consumerGauges.push(gauge), runMsMax },
    )
    this.#sending = orderFrom<ProduceOrder, ProduceAnswer, ProducerGauge>(
      PRODUCER,
      `the producer of ${name}`,
      {
        ...common,
        samplesPath: this.#paths.acknowledged,
        framing,
        ...(offeredPerSecond !== undefined && { perSecond: offeredPerSecond }),
      },
      { over: this.#loadOver.signal, told: (gauge) => this.producerGauges.push(gauge), runMsMax },
    )
    for (const process of [this.#reading, this.#sending]) process.catch((error) => this.#broken.abort(error))
  }

  /** Aborted when one of them failed. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  endLoad(): Promise<ProduceAnswer> {
    this.#loadOver.abort()
    return this.#sending
  }

  endReading(): Promise<ConsumeAnswer> {
    this.#readingOver.abort()
    return this.#reading
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

const PRODUCER = new URL('producer-process.js', import.meta.url)
const CONSUMER = new URL('consumer-process.js', import.meta.url)
