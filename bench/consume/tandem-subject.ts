/** Both logs by way of tandem: what a user writes, with every option at its default. */
import { inKeyOrder, type Delivery } from '@tandem/consumer'

import { HARM_TO_CONSUMERS, HarmWatch } from '../harm.js'
import { consumerOf } from '../tandem-clients.js'
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
  const { records, keepsKeys } = order
  const { consumer, redis, close } = consumerOf(order)
  const harm = new HarmWatch(consumer, HARM_TO_CONSUMERS)
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
  await close()
  harm.check()
  return result
}

const LOOK_EVERY_MS = 20
