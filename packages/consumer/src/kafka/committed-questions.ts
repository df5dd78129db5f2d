import type { FeedPartition } from './feed-client.js'

/**
 * Asks a cluster for what a group has committed: all partitions that wait at once, one question under way. All are
 * answered by one broker, the group's coordinator.
 */
export class CommittedQuestions {
  readonly #put: PutCommitted
  #waiting: Waiting[] = []
  #underWay = false

  /** @param put puts a question to the cluster. */
  constructor(put: PutCommitted) {
    this.#put = put
  }

  ask({ topic, partition }: FeedPartition, done: Waiting['done']): void {
    this.#waiting.push({ topic, partition, done })
    // Who asks for many partitions asks for them in one go.
    if (!this.#underWay) {
      this.#underWay = true
      queueMicrotask(() => this.#next())
    }
  }

  #next(): void {
    const asked = this.#waiting
    this.#waiting = []
    this.#underWay = asked.length > 0
    if (asked.length === 0) return
    this.#put(asked, COMMITTED_PATIENCE_MS, (offsets) => {
      for (const [index, { done }] of asked.entries()) done(offsets?.[index])
      this.#next()
    })
  }
}

/** Puts one question; `over` gets an offset for each of `asked`, or undefined when `patienceMs` were over. */
export type PutCommitted = (
  asked: readonly FeedPartition[],
  patienceMs: number,
  over: (offsets: readonly number[] | undefined) => void,
) => void

interface Waiting extends FeedPartition {
  readonly done: (offset: number | undefined) => void
}

/** A group that is new to its cluster has a coordinator after a second or two. */
const COMMITTED_PATIENCE_MS = 4_000
