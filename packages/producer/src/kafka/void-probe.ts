/**
 * Whether topics take records without a key: a void of nothing is written to each, once in the life of a producer.
 *
 * A compacted topic refuses such records, and node-rdkafka cannot ask for a topic's configuration. What would be found
 * out by the first void or frame, in an outage, is found out at the start. A partition that does not answer soon proves
 * nothing: it is for the circuits to judge, and is tried again with the next description.
 */
import { StampEncoder, type TopicDescription } from '@tandem/common/internal'

import type { WireRecord } from '../core/record.js'
import type { ProducerIdentity } from '../core/sequencer.js'
import type { WriteFailure } from '../core/write-failure.js'
import { INVALID_RECORD } from './refusals.js'

export interface VoidProbeOptions {
  readonly identity: ProducerIdentity
  /** Topics that have taken one, for all clients of a cluster. */
  readonly proven: Set<string>
}

export class VoidProbe {
  readonly #options: VoidProbeOptions
  readonly #produce: (id: number, record: WireRecord) => WriteFailure | undefined
  /** By the id of what was written, which is below zero: other ids are the lane's. */
  readonly #unanswered = new Map<number, (failure: WriteFailure | undefined) => void>()
  #lastId = 0

  constructor(options: VoidProbeOptions, produce: (id: number, record: WireRecord) => WriteFailure | undefined) {
    this.#options = options
    this.#produce = produce
  }

  /** Calls `done` with the topics and what was found out of them, after `patienceMs` at the latest. */
  ask(
    topics: readonly TopicDescription[],
    patienceMs: number,
    done: (topics: readonly TopicDescription[]) => void,
  ): void {
    const refusing = new Set<string>()
    const asked = topics.filter((topic) => !this.#options.proven.has(topic.name) && leads(topic) !== undefined)
    let unanswered = asked.length
    const finish = (): void => {
      clearTimeout(timer)
      const found = (topic: TopicDescription): TopicDescription =>
        refusing.has(topic.name) ? { ...topic, takesVoids: false } : topic
      done(topics.map(found))
    }
    const timer = setTimeout(() => {
      unanswered = 0 // what is heard now counts the next time
      finish()
    }, patienceMs)
    if (unanswered === 0) return finish()
    for (const topic of asked) {
      this.#write(topic, (failure) => {
        if (failure === undefined) this.#options.proven.add(topic.name)
        else if (failure.reason === INVALID_RECORD) refusing.add(topic.name)
        if (unanswered > 0 && --unanswered === 0) finish()
      })
    }
  }

  handleReport(id: number, failure: WriteFailure | undefined): void {
    const answered = this.#unanswered.get(id)
    this.#unanswered.delete(id)
    answered?.(failure)
  }

  #write(topic: TopicDescription, answered: (failure: WriteFailure | undefined) => void): void {
    const id = --this.#lastId
    const partition = leads(topic)!
    const stamps = new StampEncoder({ ...this.#options.identity, keyRange: partition })
    this.#unanswered.set(id, answered)
    const failure = this.#produce(id, {
      topic: topic.name,
      partition,
      key: null,
      value: null,
      headers: [{ tandem: stamps.encode('void', 1, 0) }],
      timestampMs: Date.now(),
    })
    if (failure !== undefined) this.handleReport(id, failure)
  }
}

/** A partition that can be written to. */
function leads({ partitions }: TopicDescription): number | undefined {
  return partitions.find(({ leader }) => leader >= 0)?.partition
}
