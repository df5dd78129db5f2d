/**
 * Whether a cluster is fit to be written to, as far as its metadata and that of the other one tell: pure, no client.
 *
 * What makes it unfit is an error: a topic that is missing, another number of partitions than in the other cluster
 * (the partition of a key would differ), a topic that is compacted (it takes neither voids nor frames), a broker that
 * serves both (two lanes into one cluster are not two copies). What is only worth knowing is a fact: fewer than three
 * replicas, replicas out of sync, a partition count that has grown since this epoch pinned it: writing goes on in the
 * partitions that were pinned.
 */
import {
  compareClusters,
  missingTopic,
  partitionsOf,
  PartitionsUnequalError,
  TopicCompactedError,
  type ClusterDescription,
  type TandemError,
  type TandemFact,
  type TopicDescription,
} from '@tandem/common/internal'

import type { LaneIndex } from '../core/record.js'

export interface Findings {
  /** Why this cluster must not be written to, if it must not. */
  readonly error: TandemError | undefined
  readonly facts: readonly TandemFact[]
}

export class TopicCheck {
  readonly #clusters: readonly [string, string]
  readonly #brokers: [ClusterDescription['brokers'], ClusterDescription['brokers']] = [[], []]
  /** What each cluster said last of each topic, as long as it was not in error. */
  readonly #topics: readonly [Map<string, TopicDescription>, Map<string, TopicDescription>] = [new Map(), new Map()]

  constructor(clusters: readonly [string, string]) {
    this.#clusters = clusters
  }

  /** Partitions of a topic, as a cluster said last; 0 if none has. */
  partitions(topic: string): number {
    return (this.#topics[0].get(topic) ?? this.#topics[1].get(topic))?.partitions.length ?? 0
  }

  /** Whether a cluster has told of a topic. */
  knows(lane: LaneIndex, topic: string): boolean {
    return this.#topics[lane].has(topic)
  }

  /** What a cluster answered when asked about `topics`; `pinned` is the partition count that this epoch goes by. */
  handleDescribed(
    lane: LaneIndex,
    topics: readonly string[],
    description: ClusterDescription,
    pinned: (topic: string) => number | undefined,
  ): Findings {
    const error =
      missingTopic({ cluster: this.#clusters[lane], description }, topics) ??
      this.#compacted(lane, description) ??
      this.#compare(lane, topics, description, pinned) ??
      this.#shrunk(lane, topics, description, pinned)
    if (error !== undefined) return { error, facts: [] }
    this.#brokers[lane] = description.brokers
    const facts = description.topics.flatMap((topic) => this.#note(lane, topic, pinned(topic.name)))
    return { error: undefined, facts }
  }

  #compacted(lane: LaneIndex, { topics }: ClusterDescription): TandemError | undefined {
    const topic = topics.find(({ takesVoids }) => takesVoids === false)?.name
    if (topic === undefined) return undefined
    const cluster = this.#clusters[lane]
    return new TopicCompactedError(
      `Topic ${topic} in ${cluster} takes no record without a key, so it is compacted: voids and frames have none`,
      { topic, cluster },
    )
  }

  /** With the other cluster, in topics that are not in use here yet. */
  #compare(
    lane: LaneIndex,
    topics: readonly string[],
    description: ClusterDescription,
    pinned: (topic: string) => number | undefined,
  ): TandemError | undefined {
    const there = lane === 0 ? 1 : 0
    const other = { brokers: this.#brokers[there], topics: [...this.#topics[there].values()] }
    const isNew = (topic: string): boolean => pinned(topic) === undefined || !this.#topics[lane].has(topic)
    return compareClusters(
      { cluster: this.#clusters[lane], description },
      { cluster: this.#clusters[there], description: other },
      topics.filter((topic) => isNew(topic) && this.#topics[there].has(topic)),
    )
  }

  /** With what is pinned: a topic that has lost partitions is another topic. */
  #shrunk(
    lane: LaneIndex,
    topics: readonly string[],
    description: ClusterDescription,
    pinned: (topic: string) => number | undefined,
  ): TandemError | undefined {
    const cluster = this.#clusters[lane]
    for (const topic of topics) {
      const before = pinned(topic) ?? 0
      const now = partitionsOf(description, topic)
      if (now >= before) continue
      return new PartitionsUnequalError(
        `Topic ${topic} has ${now} partitions in ${cluster}; this producer writes to ${before} of them`,
        { topic, partitions: { [cluster]: now }, pinned: before },
      )
    }
    return undefined
  }

  #note(lane: LaneIndex, topic: TopicDescription, pinned: number | undefined): TandemFact[] {
    const cluster = this.#clusters[lane]
    const before = this.#topics[lane].get(topic.name)
    this.#topics[lane].set(topic.name, topic)
    const facts: TandemFact[] = []
    const partitions = topic.partitions.length
    if (pinned !== undefined && partitions > pinned && partitions !== before?.partitions.length) {
      facts.push({ kind: 'partitions-grown', cluster, topic: topic.name, partitions, pinned })
    }
    const now = replication(topic)
    const then = before === undefined ? undefined : replication(before)
    if (now.replicas >= REPLICAS_MIN && now.inSync >= now.replicas) return facts
    if (now.replicas === then?.replicas && now.inSync === then.inSync) return facts // told already
    facts.push({ kind: 'replication-low', cluster, topic: topic.name, ...now })
    return facts
  }
}

/** Of the partition that has least. */
function replication(topic: TopicDescription): { replicas: number; inSync: number } {
  return {
    replicas: Math.min(...topic.partitions.map(({ replicas }) => replicas)),
    inSync: Math.min(...topic.partitions.map(({ inSync }) => inSync)),
  }
}

/** With fewer, a cluster cannot lose a broker and go on with `min.insync.replicas=2`. */
const REPLICAS_MIN = 3
