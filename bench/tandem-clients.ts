/** What a user of tandem writes, with every option at its default but those that are the subject. */
import { Consumer, RedisHighWaterStore } from '@tandem/consumer'
import { Producer, type ProducerOptions } from '@tandem/producer'

import type { Addresses } from './clusters.js'
import { CountingRedis } from './counting-redis.js'

export interface ToConsume {
  readonly clusters: Addresses
  readonly topic: string
  readonly redisUrl: string
  readonly groupId?: string
}

export interface TandemConsumer {
  readonly consumer: Consumer<Buffer>
  readonly redis: CountingRedis
  readonly close: () => Promise<void>
}

export function consumerOf({ clusters, topic, redisUrl, groupId = 'bench' }: ToConsume): TandemConsumer {
  const redis = new CountingRedis(redisUrl)
  const consumer = new Consumer<Buffer>({
    groupId,
    clusters: propertiesOf(clusters),
    topics: [topic],
    highWater: new RedisHighWaterStore(redis),
  })
  const close = async (): Promise<void> => {
    await consumer.close()
    redis.disconnect()
  }
  return { consumer, redis, close }
}

export function producerOf(
  { clusters, topic }: Pick<ToConsume, 'clusters' | 'topic'>,
  ofTopic: NonNullable<ProducerOptions['topics']>[string] = {},
  options: Partial<ProducerOptions> = {},
): Producer {
  return new Producer({
    producerId: 'bench',
    clusters: propertiesOf(clusters),
    topics: { [topic]: ofTopic },
    ...options,
  })
}

function propertiesOf({ east, west }: Addresses): Record<'east' | 'west', { 'bootstrap.servers': string }> {
  return { east: { 'bootstrap.servers': east }, west: { 'bootstrap.servers': west } }
}
