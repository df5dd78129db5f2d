/**
 * The topics of one epoch of a producer: asks the clusters about them, compares what they say, and pins each, once for
 * all of the epoch, with the number of its partitions and key ranges.
 */
import {
  OptionsInvalidError,
  partitionsOf,
  type ClusterDescription,
  type TandemError,
  type TandemFact,
} from '@tandem/common/internal'

import type { FirstSight } from './core/first-sight.js'
import type { Framing } from './core/framer.js'
import { TRACKS_MAX, type Lane } from './core/lane.js'
import type { LaneIndex } from './core/record.js'
import { Sequencer, type PinnedTopic, type ProducerIdentity } from './core/sequencer.js'
import { TopicCheck } from './kafka/topic-check.js'
import { TOPIC_DEFAULTS, type ProducerSettings, type TopicSettings } from './options.js'

export interface TopicsOptions {
  readonly settings: ProducerSettings
  readonly clusters: readonly [string, string]
  readonly identity: ProducerIdentity
  readonly lanes: readonly [Lane, Lane]
  /** Of whom messages wait until their topic is known. */
  readonly firstSight: FirstSight<unknown>
  /** Those that the journal has something of. */
  readonly journaled: () => readonly string[]
  readonly describe: (
    lane: LaneIndex,
    topics: readonly string[],
    done: (description: ClusterDescription | undefined) => void,
  ) => void
  /** Has a cluster asked about all topics again. */
  readonly refresh: (lane: LaneIndex) => void
  readonly now: () => number
  readonly tell: (fact: TandemFact) => void
}

export class Topics {
  readonly #options: TopicsOptions
  readonly #sequencer: Sequencer
  readonly #check: TopicCheck

  constructor(options: TopicsOptions) {
    this.#options = options
    this.#sequencer = new Sequencer(options.identity)
    this.#check = new TopicCheck(options.clusters)
  }

  /** Undefined until it is pinned. */
  pinned(topic: string): PinnedTopic | undefined {
    return this.#sequencer.topic(topic)
  }

  settings(topic: string): TopicSettings {
    const { topics } = this.#options.settings
    return Object.hasOwn(topics, topic) ? topics[topic]! : TOPIC_DEFAULTS
  }

  /** Those that both clusters must have: of the options, and in use. */
  get names(): readonly string[] {
    const { settings, journaled } = this.#options
    return [...new Set([...Object.keys(settings.topics), ...journaled(), ...this.#sequencer.names])]
  }

  /** Asks every cluster that is there about a topic that no one knows yet. */
  ask(topic: string, now: number): void {
    const { lanes, firstSight, describe } = this.#options
    const there = ([0, 1] as const).filter((lane) => lanes[lane].connected)
    firstSight.handleAsked(topic, there.length, now)
    for (const lane of there) describe(lane, [topic], (description) => this.#handleAnswer(lane, topic, description))
  }

  /** Enough is known of it, by `ask`. */
  know(topic: string): void {
    const { lanes, firstSight, refresh } = this.#options
    const error = this.#pin(topic, this.#check.partitions(topic))
    if (error !== undefined) return firstSight.handleRefused(topic, error)
    firstSight.handleKnown(topic)
    // A cluster that gave no answer, or has connected since the question, is still to be compared.
    for (const { index, connected } of lanes) if (connected && !this.#check.knows(index, topic)) refresh(index)
  }

  /**
   * What a lane's client has found: topics of the options are pinned by the first cluster that knows them.
   *
   * @returns why the cluster must not be used, if it must not.
   */
  handleSurveyed(lane: LaneIndex, topics: readonly string[], description: ClusterDescription): TandemError | undefined {
    const error = this.#handleDescribed(lane, topics, description)
    if (error !== undefined) return error
    for (const topic of topics) {
      const unfit = this.#pin(topic, partitionsOf(description, topic))
      if (unfit !== undefined) return unfit
    }
    return undefined
  }

  #handleAnswer(lane: LaneIndex, topic: string, description: ClusterDescription | undefined): void {
    const { lanes, firstSight, now } = this.#options
    if (description === undefined) return firstSight.handleSilent(topic, now())
    const error = this.#handleDescribed(lane, [topic], description)
    if (error === undefined) firstSight.handleAnswered(topic, now())
    else if (this.pinned(topic) === undefined) firstSight.handleRefused(topic, error)
    else lanes[lane].handleMismatched(error.message, now())
  }

  #handleDescribed(
    lane: LaneIndex,
    topics: readonly string[],
    description: ClusterDescription,
  ): TandemError | undefined {
    const partitions = (topic: string): number | undefined => this.pinned(topic)?.partitions
    const { error, facts } = this.#check.handleDescribed(lane, topics, description, partitions)
    for (const fact of facts) this.#options.tell(fact)
    if (error !== undefined) return error
    for (const { name, partitions } of description.topics) {
      const leaders: number[] = []
      for (const { partition, leader } of partitions) leaders[partition] = leader
      this.#options.lanes[lane].handleLeaders(name, leaders)
    }
    return undefined
  }

  #pin(topic: string, partitions: number): TandemError | undefined {
    if (this.pinned(topic) !== undefined) return undefined
    const keyRanges = this.settings(topic).keyRanges ?? partitions
    if (keyRanges % partitions !== 0) {
      const path = `producer.topics.${topic}.keyRanges`
      const allowed = `a multiple of the topic's ${partitions} partitions`
      return new OptionsInvalidError(`option ${path}: received ${keyRanges}, allowed is ${allowed}`, {
        path,
        received: keyRanges,
        allowed,
      })
    }
    const tracks = [...this.#sequencer.names].reduce((sum, name) => sum + this.pinned(name)!.partitions, partitions)
    if (tracks > TRACKS_MAX) {
      return new OptionsInvalidError(
        `topic ${topic} has ${partitions} partitions, ${tracks} with those in use; one producer writes to at most ${TRACKS_MAX}`,
        { path: `producer.topics.${topic}`, received: tracks, allowed: TRACKS_MAX },
      )
    }
    this.#sequencer.pin({ name: topic, partitions, keyRanges, framing: this.#framingOf(topic) })
    return undefined
  }

  #framingOf(topic: string): Framing | undefined {
    const { framing, lingerMs, messageBytesMax } = this.settings(topic)
    if (framing === 'record') return undefined
    // A lane that is full gives records up whole: each is to be a small part of what it may hold.
    const bytesMax = Math.min(FRAME_BYTES_MAX, messageBytesMax, this.#options.settings.backlogBytesMax / 8)
    return { lingerMs, bytesMax }
  }
}

/** Where a frame is long enough: more messages would not make it cheaper, and each waits for all of them. */
const FRAME_BYTES_MAX = 65_536
