import type { Clock, Telemetry } from '@tandem/common/internal'

import { CommitPlan } from './core/commit-plan.js'
import { FEEDS, type FeedIndex } from './core/feed.js'
import type { FeedClient, FeedPartition, FeedPosition } from './kafka/feed-client.js'

/** Commits the group's position to both clusters. Nothing waits for it, and nothing but an event comes of a failure. */
export class Commits {
  readonly #host: CommitsHost
  readonly #plans = [new CommitPlan(), new CommitPlan()] as const
  /** Why the last commit failed; undefined if it did not. */
  readonly #failures: [string | undefined, string | undefined] = [undefined, undefined]
  #cancel = (): void => undefined

  constructor(host: CommitsHost) {
    this.#host = host
  }

  start(): void {
    const { clock } = this.#host
    this.#cancel = clock.schedule(clock.now() + COMMIT_EVERY_MS, () => {
      this.start()
      this.commit()
    })
  }

  stop(): void {
    this.#cancel()
  }

  /** The store has this as the place where the feed resumes. */
  handleConfirmed(feed: FeedIndex, position: FeedPosition): void {
    this.#plans[feed].handleConfirmed(position)
  }

  /** The partition is held no more. */
  handleEnded(partition: FeedPartition): void {
    for (const plan of this.#plans) plan.handleEnded(partition)
  }

  /** Begins to commit what is due, where no commit is under way. */
  commit(): void {
    for (const feed of FEEDS) {
      const client = this.#host.clientOf(feed)
      const due = client === undefined ? [] : this.#plans[feed].poll(this.#host.clock.now())
      if (due.length > 0) client!.commit(due, (failure) => this.#handleCommitted(feed, failure))
    }
  }

  #handleCommitted(feed: FeedIndex, failure: string | undefined): void {
    this.#plans[feed].handleCommitted(failure === undefined)
    const told = this.#failures[feed]
    this.#failures[feed] = failure
    if (failure === undefined || failure === told) return
    this.#host.telemetry.tell({ kind: 'commit-failed', cluster: this.#host.clusters[feed], reason: failure })
  }
}

export interface CommitsHost {
  readonly clusters: readonly [string, string]
  readonly clock: Clock
  readonly telemetry: Telemetry
  clientOf(feed: FeedIndex): FeedClient | undefined
}

/** As often as Kafka's own clients do. */
const COMMIT_EVERY_MS = 5_000
