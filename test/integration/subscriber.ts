import { LineFile, type Transfer } from '@tandem/cli/internal'
import { json, type TandemEvent } from '@tandem/common'
import { Consumer, RedisHighWaterStore } from '@tandem/consumer'
import { Redis } from 'ioredis'

/**
 * Writes each delivery to a file of effects, then acknowledges it.
 *
 * A program of its own, so that it can be killed: `node subscriber.js '{"clusters": …}'`. It runs in the test process
 * as well.
 */
export interface SubscriberOptions {
  readonly clusters: Record<string, Record<string, unknown>>
  readonly topic: string
  readonly groupId: string
  readonly effects: string
  /** Left out if it is given a connection. */
  readonly redisUrl?: string
  readonly fallbackRewindMs?: number
}

export interface RunningSubscriber {
  readonly consumer: Consumer<Transfer>
  close(): Promise<void>
}

export async function subscribe(
  options: SubscriberOptions,
  onEvent?: (event: TandemEvent) => void,
  redis = new Redis(options.redisUrl!),
): Promise<RunningSubscriber> {
  redis.on('error', () => undefined) // it comes back
  const consumer = new Consumer<Transfer>({
    groupId: options.groupId,
    clusters: options.clusters,
    topics: { [options.topic]: { codec: json } },
    highWater: new RedisHighWaterStore(redis),
    ...(options.fallbackRewindMs === undefined ? {} : { fallbackRewindMs: options.fallbackRewindMs }),
  })
  consumer.events$.subscribe((event) => onEvent?.(event))
  await consumer.connect()
  const file = new LineFile(options.effects)
  consumer.deliveries$.subscribe((delivery) => {
    const { counter, epoch, incarnation } = delivery.position
    const { keyRange, partition, late } = delivery
    file.append({ ...delivery.value, late, counter, epoch, incarnation, keyRange, partition })
    delivery.ack()
  })
  return {
    consumer,
    close: async () => {
      await consumer.close()
      file.close()
      redis.disconnect()
    },
  }
}

if (process.argv[1]?.endsWith('subscriber.js')) {
  const running = await subscribe(JSON.parse(process.argv[2]!) as SubscriberOptions)
  process.once('SIGTERM', () => void running.close())
}
