/**
 * The least that a program can do to read both logs: one consumer of node-rdkafka per cluster, in batches, each record
 * counted. With `set-nx` it does what is done by hand where the same message comes from two places: it asks Redis about
 * each one's business key, a batch in one pipeline, and reads on when all answers have come.
 *
 * The settings, the size of a batch and the patience of a poll are those of tandem's clients.
 */
import { decodeStamp, STAMP_HEADER } from '@tandem/common/internal'
import type kafka from 'node-rdkafka'

import { readLog } from '../bare-reader.js'
import { CountingRedis } from '../counting-redis.js'
import { Course } from './course.js'
import { MessageNumbers } from './message-numbers.js'
import type { ConsumeAnswer, ConsumeOrder } from './order.js'
import { areNew } from './set-nx.js'

type Result = Omit<ConsumeAnswer, 'memoryBytesMax'>

export async function runRaw(order: ConsumeOrder): Promise<Result> {
  const course = new Course(order.records)
  let records = 0
  const count = order.way === 'raw-frames' ? messagesOf : ({ length }: kafka.Message[]) => length
  await readBoth(order, course, (batch) => course.handleDone((records += count(batch))))
  return { ...(await course.result), taken: records / 2, different: records / 2 }
}

export async function runSetNx(order: ConsumeOrder): Promise<Result> {
  const { messages, redisUrl } = order
  const redis = new CountingRedis(redisUrl)
  const course = new Course(order.records, () => redis.commands)
  const numbers = new MessageNumbers(messages)
  let records = 0
  await readBoth(order, course, async (batch) => {
    const isNew = await areNew(batch, redis)
    for (const [index, { value }] of batch.entries()) if (isNew[index] === true) numbers.take(value!)
    course.handleDone((records += batch.length))
  })
  redis.disconnect()
  return { ...(await course.result), taken: numbers.taken, different: numbers.different }
}

/** Of frames, as their stamps say. */
function messagesOf(batch: readonly kafka.Message[]): number {
  return batch.reduce((sum, { headers }) => sum + decodeStamp(Buffer.from(headers![0]![STAMP_HEADER]!)).count, 0)
}

/** Both logs at the same time, each by a consumer of its own, until the course is over: what has a value. */
export async function readBoth(
  { clusters, topic }: Pick<ConsumeOrder, 'clusters' | 'topic'>,
  course: Course,
  handle: (batch: kafka.Message[]) => void | Promise<void>,
): Promise<void> {
  await Promise.all(
    Object.values(clusters).map((bootstrapServers: string) => {
      return readLog({ bootstrapServers, topic }, course, (batch) =>
        handle(batch.filter(({ value }) => value !== null)),
      )
    }),
  )
}
