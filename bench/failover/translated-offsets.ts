import type { KafkaCluster } from '@tandem/testing'
import kafka from 'node-rdkafka'

import { PARTITIONS } from '../logs.js'

/** Whether a group has an offset in each partition; asked without becoming a member, since a group with members gets none. */
export async function hasOffsets(cluster: KafkaCluster, topic: string, groupId: string): Promise<boolean> {
  const client = new kafka.KafkaConsumer({ ...cluster.clientProperties(), 'group.id': groupId, log_level: 0 }, {})
  client.on('event.error', () => undefined) // shows as a question that is not answered
  await new Promise<void>((resolve, reject) => {
    client.connect({ topic, timeout: TIMEOUT_MS }, (error) => (error ? reject(error) : resolve()))
  })
  try {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
    const committed = await new Promise<readonly kafka.TopicPartitionOffset[]>((resolve, reject) => {
      client.committed(partitions, TIMEOUT_MS, (error, offsets) => (error ? reject(error) : resolve(offsets)))
    })
    return committed.every(({ offset }) => offset > 0) // undefined where there is none
  } finally {
    await new Promise((resolve) => client.disconnect(resolve))
  }
}

const TIMEOUT_MS = 10_000
