import type { ClusterDescription } from './cluster-description.js'
import { ClusterSharedError, PartitionsUnequalError, TopicMissingError, type TandemError } from './errors.js'

export interface NamedCluster {
  readonly cluster: string
  readonly description: ClusterDescription
}

/** The first of `topics` that this cluster does not have, as an error. */
export function missingTopic(
  { cluster, description }: NamedCluster,
  topics: readonly string[],
): TandemError | undefined {
  const missing = topics.find((topic) => partitionsOf(description, topic) === 0)
  if (missing === undefined) return undefined
  return new TopicMissingError(`Cluster ${cluster} has no topic ${missing}; create it on both clusters`, {
    cluster,
    topic: missing,
  })
}

/**
 * What forbids to use two clusters as two copies: a broker that both name, or a topic that differs in partitions.
 * Source: protocol.md, Numbering.
 */
export function compareClusters(a: NamedCluster, b: NamedCluster, topics: readonly string[]): TandemError | undefined {
  const brokers = new Set(a.description.brokers.map(({ host, port }) => `${host}:${port}`))
  const shared = b.description.brokers.find(({ host, port }) => brokers.has(`${host}:${port}`))
  if (shared !== undefined) {
    const broker = `${shared.host}:${shared.port}`
    return new ClusterSharedError(
      `Clusters ${a.cluster} and ${b.cluster} both name the broker ${broker}: two lanes into one cluster are not two copies`,
      { clusters: [a.cluster, b.cluster], broker },
    )
  }
  for (const topic of topics) {
    const partitions = {
      [a.cluster]: partitionsOf(a.description, topic),
      [b.cluster]: partitionsOf(b.description, topic),
    }
    if (partitions[a.cluster] === partitions[b.cluster]) continue
    return new PartitionsUnequalError(
      `Topic ${topic} has ${partitions[a.cluster]} partitions in ${a.cluster} and ${partitions[b.cluster]} in ${b.cluster}; both must have the same`,
      { topic, partitions },
    )
  }
  return undefined
}

/** 0 if the cluster does not have the topic. */
export function partitionsOf(description: ClusterDescription, topic: string): number {
  return description.topics.find(({ name }) => name === topic)?.partitions.length ?? 0
}
