import type { Clock, ClusterDescription } from '@tandem/common/internal'

import type { FeedClient, FeedClientFactory, FeedClientOptions, FeedPosition, FeedRecord } from './kafka/feed-client.js'

/**
 * The way to one cluster: makes a client, tries again with another one while that fails, polls it one batch at a time.
 *
 * A client that is connected finds its brokers again by itself; only the first contact is ours to repeat.
 */
export interface FeedLinkHandler {
  /** Returns whether it will do. If not, that client is given up and another one looks again, as if it had failed. */
  handleConnected(description: ClusterDescription): boolean
  handleUnreachable(reason: string): void
  handleBatch(records: readonly FeedRecord[], ends: readonly FeedPosition[]): void
  handleSilence(): void
  handlePollFailed(reason: string): void
}

export class FeedLink {
  readonly #clock: Clock
  readonly #create: FeedClientFactory
  readonly #options: FeedClientOptions
  readonly #handler: FeedLinkHandler
  #client: FeedClient | undefined
  #connected = false
  #polling = false
  #retryMs = RETRY_MS_MIN
  #cancelRetry: (() => void) | undefined

  constructor(
    outsides: { clock: Clock; createFeedClient: FeedClientFactory },
    options: FeedClientOptions,
    handler: FeedLinkHandler,
  ) {
    this.#clock = outsides.clock
    this.#create = outsides.createFeedClient
    this.#options = options
    this.#handler = handler
  }

  /** The client, once it is connected. */
  get client(): FeedClient | undefined {
    return this.#connected ? this.#client : undefined
  }

  connect(): void {
    this.#cancelRetry = undefined
    const client = this.#create(this.#options, {
      handleConnected: (description) => {
        this.#connected = true
        if (!this.#handler.handleConnected(description)) this.#tryAgain(client)
      },
      handleConnectFailed: (reason) => {
        this.#tryAgain(client)
        this.#handler.handleUnreachable(reason)
      },
      handleBatch: (records, ends) => {
        this.#polling = false
        this.#handler.handleBatch(records, ends)
      },
      handleSilence: () => this.#handler.handleSilence(),
      handlePollFailed: (reason) => {
        this.#polling = false
        this.#handler.handlePollFailed(reason)
      },
    })
    this.#client = client
    client.connect()
  }

  /** Asks for a batch unless one is asked for already. */
  poll(): void {
    if (this.#polling || this.client === undefined) return
    this.#polling = true
    this.client.poll()
  }

  close(done: () => void): void {
    this.#cancelRetry?.()
    const client = this.#client
    this.#client = undefined
    this.#connected = false
    if (client === undefined) done()
    else client.close(done)
  }

  #tryAgain(client: FeedClient): void {
    this.#client = undefined
    this.#connected = false
    client.close(() => undefined)
    this.#cancelRetry = this.#clock.schedule(this.#clock.now() + this.#retryMs, () => this.connect())
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
  }
}

const RETRY_MS_MIN = 500
const RETRY_MS_MAX = 5_000
