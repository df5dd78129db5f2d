/** The topics of the runs, made, counted and deleted by a client that knows nothing of tandem. */
import { takeCensus } from '@tandem/cli/internal'
import type { KafkaCluster } from '@tandem/testing'
import kafka from 'node-rdkafka'

export interface TopicShape {
  readonly partitions?: number
  readonly config?: Readonly<Record<string, string>>
}

/**
 * Makes the topic of one run. What is deleted afterwards is to be off the disk soon: the logs of a bench would fill it.
 */
export async function makeTopic(
  cluster: KafkaCluster,
  topic: string,
  { partitions = PARTITIONS, config = {} }: TopicShape = {},
): Promise<void> {
  await cluster.createTopic(topic, { partitions, config: { 'file.delete.delay.ms': '1000', ...config } })
}

/** How many records the log of a topic has, over all partitions: where they end, since nobody has removed any. */
export async function countRecords(cluster: KafkaCluster, topic: string, partitions = PARTITIONS): Promise<number> {
  const client = new kafka.Producer({ ...cluster.clientProperties(), log_level: 0 })
  client.on('event.error', () => undefined) // shows as a question that is not answered
  await new Promise<void>((resolve, reject) => {
    client.connect({ topic, timeout: TIMEOUT_MS }, (error) => (error ? reject(error) : resolve()))
  })
  try {
    const ends = Array.from({ length: partitions }, (_, partition) => {
      return new Promise<number>((resolve, reject) => {
        client.queryWatermarkOffsets(topic, partition, TIMEOUT_MS, (error, { highOffset }) => {
          if (error) reject(error)
          else resolve(highOffset)
        })
      })
    })
    return (await Promise.all(ends)).reduce((sum, end) => sum + end, 0)
  } finally {
    await new Promise((resolve) => client.disconnect(resolve))
  }
}

/** A producer tries each topic with a record of no message, once (docs/stamp.md). */
export const TRIED_BY_EACH = 1

/** How many messages it has where records are shared: read whole, each frame by a reader of MessagePack. */
export async function countFramed(cluster: KafkaCluster, topic: string): Promise<number> {
  const { bootstrapServers } = cluster
  const census = await takeCensus({ cluster: bootstrapServers, bootstrapServers, topic })
  return census.foreign
}

export async function deleteTopic(cluster: KafkaCluster, topic: string): Promise<void> {
  const admin = kafka.AdminClient.create({ ...cluster.clientProperties(), log_level: 0 })
  try {
    await new Promise<void>((resolve, reject) => {
      admin.deleteTopic(topic, TIMEOUT_MS, (error) => (error ? reject(error) : resolve()))
    })
  } finally {
    admin.disconnect()
  }
}

/** Of a topic whose number of partitions is not what is measured. */
export const PARTITIONS = 6
const TIMEOUT_MS = 30_000
