import type { ClusterDescription } from '@tandem/common/internal'

import type { FeedPartition } from './feed-client.js'

/**
 * Which question about a partition a cluster is asked next, and how long its answer is waited for.
 *
 * A question holds a libuv thread until it is answered or its time is up, so few may be under way. And a broker that
 * hangs must not delay what the others have to say. So there are two lines, with one question under way in each: the
 * one of partitions that answered, or were not asked before, and the one of those that were asked in vain. When a
 * partition of the first gives no answer, the others of its leader go over to the second with it, as far as leaders
 * were known at the start; each comes back by itself when it has answered.
 *
 * Patience is short at first, since most questions that take long find no answer at all. But a cluster that is far, or
 * has too much to do, must not count as away for that, so patience with a leader doubles with each question in vain.
 * After an answer it is twice what that answer took, not less than at first: one that is slow is slow again. What a
 * leader takes is learned once, not with each of its partitions: else a feed that begins late counts as away meanwhile.
 */
export class Questions {
  readonly #now: () => number
  readonly #waiting: Question[] = []
  readonly #silent = new Set<string>()
  /** With leaders whose last question took long, or was in vain, by the first of their partitions. */
  readonly #patienceMs = new Map<string, number>()
  /** Names of the partitions that one broker leads, for each of them. */
  readonly #siblings = new Map<string, readonly string[]>()
  #underWay = 0

  /** @param now monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  handleDescribed({ topics }: ClusterDescription): void {
    const ledBy = new Map<number, string[]>()
    for (const { name, partitions } of topics) {
      for (const { partition, leader } of partitions) {
        if (leader < 0) continue
        const led = ledBy.get(leader) ?? []
        led.push(nameOf({ topic: name, partition }))
        ledBy.set(leader, led)
      }
    }
    for (const led of ledBy.values()) for (const name of led) this.#siblings.set(name, led)
  }

  /** @param put puts it to the cluster, and calls `over` when it was answered or `patienceMs` were over. */
  ask(partition: FeedPartition, put: Question['put']): void {
    this.#waiting.push({ name: nameOf(partition), put })
    this.#next()
  }

  #next(): void {
    for (const line of [WELL, SILENT]) {
      if ((this.#underWay & line) !== 0) continue
      const index = this.#waiting.findIndex(({ name }) => this.#silent.has(name) === (line === SILENT))
      const [question] = index < 0 ? [] : this.#waiting.splice(index, 1)
      if (question === undefined) continue
      this.#underWay |= line
      const { name, put } = question
      const leader = this.#siblings.get(name)?.[0] ?? name
      const patienceMs = this.#patienceMs.get(leader) ?? PATIENCE_MS_MIN
      const askedAt = this.#now()
      put(patienceMs, (answered) => {
        this.#underWay &= ~line
        this.#setPatience(leader, 2 * (answered ? this.#now() - askedAt : patienceMs))
        this.#handleOver(name, line, answered)
        this.#next()
      })
    }
  }

  #setPatience(name: string, ms: number): void {
    if (ms <= PATIENCE_MS_MIN) this.#patienceMs.delete(name)
    else this.#patienceMs.set(name, Math.min(Math.ceil(ms), PATIENCE_MS_MAX))
  }

  #handleOver(name: string, line: number, answered: boolean): void {
    if (answered) {
      this.#silent.delete(name)
      return
    }
    this.#silent.add(name)
    // Those in the other line have been told apart already, or will be.
    if (line === WELL) for (const sibling of this.#siblings.get(name) ?? []) this.#silent.add(sibling)
  }
}

interface Question {
  readonly name: string
  readonly put: (patienceMs: number, over: (answered: boolean) => void) => void
}

function nameOf({ topic, partition }: FeedPartition): string {
  return `${topic}/${partition}`
}

/** The two lines, one bit each. */
const WELL = 1
const SILENT = 2
/** Answers take a few ms; this is for a broker that is busy for a moment. */
const PATIENCE_MS_MIN = 500
/** Below the default of `feedAwayAfterMs`, so that a feed whose answers take this long may yet count as live. */
const PATIENCE_MS_MAX = 4_000
