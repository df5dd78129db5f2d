/** Both logs by way of tandem: what a user writes, with every option at its default. */
import type { EventKind } from '@tandem/common/internal'
import { Consumer, inKeyOrder, RedisHighWaterStore, type Delivery } from '@tandem/consumer'

import { CountingRedis } from './counting-redis.js'
import { Course, type CourseResult } from './course.js'
import { MessageNumbers } from './message-numbers.js'
import type { ConsumeAnswer, ConsumeOrder } from './order.js'

export async function runTandem(order: ConsumeOrder): Promise<Omit<ConsumeAnswer, 'memoryBytesMax'>> {
  const numbers = new MessageNumbers(order.messages)
  const keepsKeys = order.way === 'in-key-order'
  const result = await deliverAll({ ...order, keepsKeys }, (value) => numbers.take(value))
  return { ...result, taken: numbers.taken, different: numbers.different }
}

export interface DeliverOrder extends Pick<ConsumeOrder, 'clusters' | 'topic' | 'records' | 'redisUrl'> {
  readonly keepsKeys?: boolean
}

/** Delivers and acknowledges all that both logs have. */
export async function deliverAll(order: DeliverOrder, handle: (value: Buffer) => void): Promise<CourseResult> {
  const { clusters, topic, records, redisUrl, keepsKeys } = order
  const redis = new CountingRedis(redisUrl)
  const consumer = new Consumer<Buffer>({
    groupId: 'bench',
    clusters: { east: { 'bootstrap.servers': clusters.east }, west: { 'bootstrap.servers': clusters.west } },
    topics: [topic],
    highWater: new RedisHighWaterStore(redis),
  })
  const harm = new Set<string>()
  consumer.events$.subscribe(({ kind }) => {
    if (HARM.has(kind)) harm.add(kind)
  })
  await consumer.connect()
  const course = new Course(records, () => redis.commands)
  const take = ({ value }: Delivery<Buffer>): void => handle(value)
  if (keepsKeys === true) {
    consumer.deliveries$.pipe(inKeyOrder(async (delivery) => take(delivery))).subscribe()
  } else {
    consumer.deliveries$.subscribe((delivery) => {
      take(delivery)
      delivery.ack()
    })
  }
  // Both logs are to be read whole, so second copies count as much as first ones.
  const look = setInterval(() => {
    const { delivered, duplicatesDropped } = consumer.status()
    course.handleDone(delivered + duplicatesDropped)
  }, LOOK_EVERY_MS)
  const result = await course.result
  clearInterval(look)
  await consumer.close()
  redis.disconnect()
  if (harm.size > 0) throw new Error(`clusters and Redis were to be well, but: ${[...harm].join(', ')}`)
  return result
}

/** After these it is an outage that was measured, and not what reading costs. */
const HARM: ReadonlySet<string> = new Set<EventKind>([
  'delivered-late',
  'lease-lapsed',
  'lease-lost',
  'poll-failed',
  'store-away',
  'store-behind',
])
const LOOK_EVERY_MS = 20
