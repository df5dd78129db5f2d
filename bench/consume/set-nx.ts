import type kafka from 'node-rdkafka'

import type { CountingRedis } from '../counting-redis.js'
import { numberIn } from './message-numbers.js'

/** Asks Redis about the business key of each record, a batch in one pipeline: which of them nobody has seen before. */
export async function areNew(batch: readonly kafka.Message[], redis: CountingRedis): Promise<readonly boolean[]> {
  const pipeline = redis.pipeline()
  for (const { value } of batch) pipeline.set(businessKeyOf(value!), '1', 'EX', SEEN_S, 'NX')
  const answers = await pipeline.exec()
  return answers!.map(([error, answer]) => {
    if (error) throw error
    return answer === 'OK'
  })
}

export function businessKeyOf(value: Buffer): string {
  return `order-${numberIn(value)}`
}

/** Long enough for the slower of the two copies. */
export const SEEN_S = 3_600
