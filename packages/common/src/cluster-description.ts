/** What a client says of its cluster: brokers and topics, as both sides need it to tell two clusters apart. */
export interface ClusterDescription {
  readonly brokers: readonly BrokerDescription[]
  readonly topics: readonly TopicDescription[]
}

export interface BrokerDescription {
  readonly id: number
  readonly host: string
  readonly port: number
}

export interface TopicDescription {
  readonly name: string
  readonly partitions: readonly PartitionDescription[]
  /** False if it was tried and refused. */
  readonly takesVoids?: boolean
}

export interface PartitionDescription {
  readonly partition: number
  /** Broker id; -1 if the partition has no leader now. */
  readonly leader: number
  readonly replicas: number
  readonly inSync: number
}

/** What node-rdkafka returns as metadata, as far as it is needed. */
interface Metadata {
  readonly brokers: readonly BrokerDescription[]
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly id: number
      readonly leader: number
      readonly replicas: readonly number[]
      readonly isrs: readonly number[]
    }[]
  }[]
}

/** Metadata of a client as a description of these topics; one that the cluster does not have is left out. */
export function describeCluster(metadata: Metadata, topics: readonly string[]): ClusterDescription {
  return {
    brokers: metadata.brokers.map(({ id, host, port }) => ({ id, host, port })),
    topics: metadata.topics
      .filter(({ name, partitions }) => topics.includes(name) && partitions.length > 0)
      .map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ id, leader, replicas, isrs }) => ({
          partition: id,
          leader,
          replicas: replicas.length,
          inSync: isrs.length,
        })),
      })),
  }
}
