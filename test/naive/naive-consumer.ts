import { decodeStamp, STAMP_HEADER, type Clock } from '@tandem/common/internal'
import type {
  FeedClient,
  FeedClientFactory,
  FeedClientOptions,
  FeedPosition,
  FeedRecord,
} from '@tandem/consumer/internal'

import { NaiveArbiter } from './naive-arbiter.js'

/**
 * The naive rule in the arbiter's place, on the same two feeds: reads both logs from their starts and hands on what it
 * takes for new. No memory beyond the process, since a better one would not help it.
 */
export interface NaiveConsumerOptions {
  /** One for each cluster; the same topics. */
  readonly feeds: readonly FeedClientOptions[]
  readonly partitions: Readonly<Record<string, number>>
  readonly clock: Clock
  readonly createFeedClient: FeedClientFactory
  readonly handle: (record: FeedRecord) => void
}

export class NaiveConsumer {
  readonly #options: NaiveConsumerOptions
  readonly #arbiters = new Map<string, NaiveArbiter>()
  readonly #clients: FeedClient[] = []

  constructor(options: NaiveConsumerOptions) {
    this.#options = options
    for (const [topic, count] of Object.entries(options.partitions)) {
      for (let partition = 0; partition < count; partition++)
        this.#arbiters.set(`${topic}/${partition}`, new NaiveArbiter())
    }
  }

  get dropped(): number {
    let dropped = 0
    for (const arbiter of this.#arbiters.values()) dropped += arbiter.dropped
    return dropped
  }

  start(): void {
    for (const feed of this.#options.feeds) {
      const client = this.#options.createFeedClient(feed, {
        handleConnected: () => this.#assign(client),
        handleConnectFailed: () => this.#later(() => client.connect()),
        handleSilence: () => undefined,
        handleBatch: (records) => {
          for (const record of records) this.#handleRecord(record)
          client.poll()
        },
        handlePollFailed: () => this.#later(() => client.poll()),
      })
      this.#clients.push(client)
      client.connect()
    }
  }

  /** Calls `done` when both clients are gone. */
  close(done: () => void): void {
    let open = this.#clients.length
    for (const client of this.#clients) {
      client.close(() => {
        if (--open === 0) done()
      })
    }
  }

  #assign(client: FeedClient): void {
    const positions: FeedPosition[] = []
    for (const [topic, count] of Object.entries(this.#options.partitions)) {
      for (let partition = 0; partition < count; partition++) {
        client.queryStart({ topic, partition }, (offset) => {
          if (offset === undefined) return
          positions.push({ topic, partition, offset })
          if (positions.length < this.#arbiters.size) return
          client.assign(positions)
          client.poll()
        })
      }
    }
  }

  #handleRecord(record: FeedRecord): void {
    const stamp = record.headers.find((header) => STAMP_HEADER in header)?.[STAMP_HEADER]
    if (stamp === undefined) return
    const arbiter = this.#arbiters.get(`${record.topic}/${record.partition}`)!
    if (arbiter.accepts(decodeStamp(stamp))) this.#options.handle(record)
  }

  #later(task: () => void): void {
    const { clock } = this.#options
    clock.schedule(clock.now() + AGAIN_MS, task)
  }
}

const AGAIN_MS = 500
