import type { ClusterDescription } from '@tandem/common/internal'
import type { FeedClient, FeedPartition, FeedRecord } from '@tandem/consumer/internal'
import { expect } from 'chai'

import type { ClusterBench } from './cluster-bench.js'

/** A client that is polled again and again, and everything that it says. */
export class Reader {
  readonly client: FeedClient
  readonly records: FeedRecord[] = []
  readonly descriptions: ClusterDescription[] = []
  /** Records and ends in the order in which they were told: `0@3` is offset 3 of partition 0. */
  readonly told: string[] = []
  readonly failures: string[] = []
  /** Records that had been read whenever it said that it may have missed something. */
  readonly silences: number[] = []
  connectFailed = 0
  polls = 0
  /** Polls that are over. */
  polled = 0
  polling = true
  readonly #bench: ClusterBench

  constructor(bench: ClusterBench, connectTimeoutMs = 2_000) {
    this.#bench = bench
    this.client = bench.createFeedClient(
      { connectTimeoutMs },
      {
        handleConnected: (description) => this.descriptions.push(description),
        handleConnectFailed: () => this.connectFailed++,
        handleSilence: () => this.silences.push(this.records.length),
        handleBatch: (records, ends) => {
          for (const { partition, offset } of records) this.told.push(`${partition}@${offset}`)
          for (const { partition, offset } of ends) this.told.push(`end ${partition}@${offset}`)
          this.records.push(...records)
          this.#handlePolled()
        },
        handlePollFailed: (reason) => {
          this.failures.push(reason)
          this.#handlePolled()
        },
      },
    )
  }

  at(partition: number): FeedPartition {
    return { topic: this.#bench.topic, partition }
  }

  assign(partition: number, offset: number): void {
    this.client.assign([{ ...this.at(partition), offset }])
  }

  poll(): void {
    this.polls++
    this.client.poll()
  }

  /** What was read of a partition, as text. */
  texts(of = 0): string[] {
    return this.records.filter(({ partition }) => partition === of).map(({ value }) => String(value))
  }

  async tells(what: string): Promise<void> {
    await this.#bench.until(`it tells ${what}`, () => this.told.includes(what))
  }

  /** So many records of a partition, or more. */
  async brings(partition: number, count: number): Promise<void> {
    await this.#bench.until(`it brings ${count}`, () => this.texts(partition).length >= count)
  }

  queryStart(partition = 0): Promise<number | undefined> {
    return this.#answer((done) => this.client.queryStart(this.at(partition), done))
  }

  queryEnd(partition = 0): Promise<number | undefined> {
    return this.#answer((done) => this.client.queryEnd(this.at(partition), done))
  }

  /** After an outage: questions go by a connection that may wait before it tries again, and each has more patience. */
  async queryEndAgain(): Promise<number | undefined> {
    let end: number | undefined
    for (let tries = 0; tries < 6 && end === undefined; tries++) end = await this.queryEnd()
    return end
  }

  queryTime(timeMs: number, partition = 0): Promise<number | undefined> {
    return this.#answer((done) => this.client.queryTime(this.at(partition), timeMs, done))
  }

  queryCommitted(partition = 0): Promise<number | undefined> {
    return this.#answer((done) => this.client.queryCommitted(this.at(partition), done))
  }

  /** Of a group whose coordinator may not be known yet. */
  async queryCommittedAgain(): Promise<number | undefined> {
    for (let tries = 0; tries < 20; tries++) {
      const offset = await this.queryCommitted()
      if (offset !== undefined) return offset
      await this.#bench.pass(500)
    }
    return undefined
  }

  /** Resolves to why it failed. */
  async commit(...offsets: readonly number[]): Promise<string | undefined> {
    const answers: (string | undefined)[] = []
    const positions = offsets.map((offset, partition) => ({ ...this.at(partition), offset }))
    this.client.commit(positions, (failure) => answers.push(failure))
    expect(answers).to.deep.equal([])
    await this.#bench.until('it has committed', () => answers.length > 0, COMMIT_MS)
    return answers[0]
  }

  async #answer(ask: (done: (offset: number | undefined) => void) => void): Promise<number | undefined> {
    const answers: (number | undefined)[] = []
    ask((offset) => answers.push(offset))
    expect(answers).to.deep.equal([])
    await this.#bench.until('it answers', () => answers.length > 0, QUERY_MS)
    return answers[0]
  }

  /** Lets some polls come to their end. */
  async idles(): Promise<void> {
    const until = this.polled + 4
    await this.#bench.until('some polls are over', () => this.polled >= until)
  }

  async close(): Promise<void> {
    this.polling = false
    let done = 0
    this.client.close(() => done++)
    expect(done).to.equal(0)
    await this.#bench.until('it is closed', () => done > 0)
    expect(done).to.equal(1)
  }

  #handlePolled(): void {
    this.polled++
    if (this.polling) this.poll()
  }
}

/** A group is new to its cluster, and the topic that keeps commits may be as well. */
const COMMIT_MS = 30_000
/** One question, and those before it. */
const QUERY_MS = 5_000
