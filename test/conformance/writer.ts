import type { ClusterDescription } from '@tandem/common/internal'
import type { ClusterClient, WireRecord, WriteFailure } from '@tandem/producer/internal'
import { expect } from 'chai'

import { SLACK_MS, type ClientOptions, type ClusterBench } from './cluster-bench.js'

export interface Report {
  readonly id: number
  readonly offset: number
  readonly failure: WriteFailure | undefined
}

/** A client of a producer, and everything that it says. */
export class Writer {
  readonly client: ClusterClient
  readonly reports: Report[] = []
  /** How many of them there were when it last said that these were all. */
  allReported = 0
  /** Everything that is no report. */
  readonly told: string[] = []
  /** What a report leads to at once. */
  onReport: (() => void) | undefined
  readonly #bench: ClusterBench
  #ids = 0

  constructor(bench: ClusterBench, options: Partial<ClientOptions> = {}) {
    this.#bench = bench
    this.client = bench.createClusterClient(
      { ...OPTIONS, ...options },
      {
        handleConnected: () => this.told.push('connected'),
        handleConnectFailed: () => this.told.push('connect failed'),
        handleReport: (id, offset, failure) => {
          this.reports.push({ id, offset, failure })
          this.onReport?.()
        },
        handleAllReported: () => (this.allReported = this.reports.length),
        handleFatal: (reason) => this.told.push(`fatal: ${reason}`),
      },
    )
  }

  static async connected(bench: ClusterBench, options?: Partial<ClientOptions>): Promise<Writer> {
    const writer = new Writer(bench, options)
    writer.client.connect()
    expect(writer.told).to.deep.equal([])
    await bench.until('it is connected', () => writer.told.length > 0)
    expect(writer.told).to.deep.equal(['connected'])
    return writer
  }

  /** Hands over a record, and returns its id. */
  produce(record: Partial<WireRecord> = {}): number {
    const id = ++this.#ids
    const whole = { ...RECORD, topic: this.#bench.topic, value: Buffer.from(String(id)), ...record }
    expect(this.client.produce(id, whole)).to.equal(undefined)
    return id
  }

  reported(count: number): Promise<void> {
    return this.#bench.until(`${count} reports, and that these were all`, () => this.allReported >= count)
  }

  async describe(topics: readonly string[], timeoutMs = 5_000): Promise<ClusterDescription | string> {
    const answers: (ClusterDescription | string)[] = []
    this.client.describe(topics, timeoutMs, (description, reason) => answers.push(description ?? reason))
    expect(answers).to.deep.equal([])
    await this.#bench.until('it answers', () => answers.length > 0, timeoutMs + SLACK_MS)
    return answers[0]!
  }

  async discard(): Promise<void> {
    let done = 0
    this.client.discard(() => done++)
    expect(done).to.equal(0)
    await this.#bench.until('it is gone', () => done > 0)
    expect(done).to.equal(1)
  }
}

export const OPTIONS: ClientOptions = { connectTimeoutMs: 2_000, messageBytesMax: 100_000 }
export const RECORD: WireRecord = { topic: '', partition: 0, key: null, value: null, timestampMs: 0, headers: [] }
