import type { FeedRecord } from '@tandem/consumer/internal'

import { readable, Voided } from './late-writers.js'
import { messagesIn } from './log-messages.js'
import type { World } from './world.js'

/** What logs have lost: ends that a power failure took, beginnings that retention removed, or all they had. */
export class Losses {
  readonly #world: World
  /** Messages of which some log has lost a record. */
  readonly #messages = new Set<string>()
  readonly #voids = new Voided()

  constructor(world: World) {
    this.#world = world
  }

  /** Whether a message was lost anywhere. */
  get some(): boolean {
    return this.#messages.size > 0
  }

  handleLost(records: readonly FeedRecord[]): void {
    for (const record of records) {
      this.#voids.handleRecord(record)
      for (const { text } of messagesIn(record)) this.#messages.add(text)
    }
  }

  /** Messages that a log has lost, and that none has any more: nobody can be given them. */
  vanished(): Set<string> {
    if (!this.some) return new Set()
    const left = new Set<string>()
    for (const cluster of this.#world.clusters) {
      for (const log of cluster.logs()) for (const text of readable(log)) left.add(text)
    }
    return new Set([...this.#messages].filter((text) => !left.has(text)))
  }

  /** Messages that some log has voided, and shows that no more: who reads it later may be given what others were not. */
  blurred(): Set<string> {
    if (this.#voids.size === 0) return new Set()
    const all = this.#world.clusters.flatMap((cluster) => [...cluster.logs()].flatMap((log) => [...log]))
    return new Set(
      all.flatMap((record) => {
        const clear = this.#voids.handleRecord(record).map(({ counter }) => counter)
        return messagesIn(record).flatMap(({ counter, text }) => (clear.includes(counter) ? [] : [text]))
      }),
    )
  }
}
