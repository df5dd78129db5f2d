import type { ClusterDescription } from '@tandem/common/internal'

import type { FeedPartition } from './feed-client.js'

/**
 * Which question about a partition a cluster is asked next.
 *
 * A question holds a libuv thread until it is answered or its time is up, so few may be under way. And a broker that
 * hangs must not delay what the others have to say. So there are two lines, with one question under way in each: the
 * one of partitions that answered, or were not asked before, and the one of those that were asked in vain. When a
 * partition of the first gives no answer, the others of its leader go over to the second with it, as far as leaders
 * were known at the start; each comes back by itself when it has answered.
 */
export class Questions {
  readonly #waiting: Question[] = []
  readonly #silent = new Set<string>()
  /** Names of the partitions that one broker leads, for each of them. */
  readonly #siblings = new Map<string, readonly string[]>()
  #underWay = 0

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

  /** @param put puts it to the cluster, and calls `over` when it was answered or its time was up. */
  ask(partition: FeedPartition, put: (over: (answered: boolean) => void) => void): void {
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
      question.put((answered) => {
        this.#underWay &= ~line
        this.#handleOver(question.name, line, answered)
        this.#next()
      })
    }
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
  readonly put: (over: (answered: boolean) => void) => void
}

function nameOf({ topic, partition }: FeedPartition): string {
  return `${topic}/${partition}`
}

/** The two lines, one bit each. */
const WELL = 1
const SILENT = 2
