/** Reads both logs, whole, and decides of each record whether it is new. */
import { decodeStamp, STAMP_HEADER } from '@tandem/common/internal'
import type kafka from 'node-rdkafka'

import { CountingRedis } from '../counting-redis.js'
import { Course, type CourseResult } from '../consume/course.js'
import { MessageNumbers } from '../consume/message-numbers.js'
import { readBoth } from '../consume/raw-subject.js'
import { areNew, businessKeyOf, SEEN_S } from '../consume/set-nx.js'
import { deliverAll } from '../consume/tandem-subject.js'
import { answerOrder } from '../subject-process.js'
import type { DedupAnswer, DedupOrder } from './order.js'

async function read(order: DedupOrder): Promise<DedupAnswer> {
  const numbers = new MessageNumbers(order.messages)
  const result = await run(order, (value) => numbers.take(value))
  return { ...result, taken: numbers.taken, different: numbers.different, lost: numbers.missing(order.refused) }
}

function run(order: DedupOrder, take: (value: Buffer) => void): Promise<CourseResult> {
  switch (order.way) {
    case 'tandem':
      return deliverAll(order, take)
    case 'naive':
      return readNew(order, naive(), take)
    case 'set-nx':
      return readNew(order, areNew, take)
    case 'get-set':
      return readNew(order, getSet, take)
    default:
      throw order.way satisfies never
  }
}

/** Which records of a batch are new. */
type Judge = (batch: readonly kafka.Message[], redis: CountingRedis) => readonly boolean[] | Promise<readonly boolean[]>

async function readNew(order: DedupOrder, judge: Judge, take: (value: Buffer) => void): Promise<CourseResult> {
  const redis = new CountingRedis(order.redisUrl)
  const course = new Course(order.records, () => redis.commands)
  let records = 0
  await readBoth(order, course, async (batch) => {
    const isNew = await judge(batch, redis)
    for (const [index, { value }] of batch.entries()) if (isNew[index] === true) take(value!)
    course.handleDone((records += batch.length))
  })
  redis.disconnect()
  return course.result
}

/** Per key range the highest counter that was seen, whichever log it came from. */
function naive(): Judge {
  const highest = new Map<number, number>()
  return (batch) =>
    batch.map(({ headers }) => {
      const { keyRange, first } = decodeStamp(Buffer.from(headers![0]![STAMP_HEADER]!))
      if (first <= (highest.get(keyRange) ?? 0)) return false
      highest.set(keyRange, first)
      return true
    })
}

const getSet: Judge = async (batch, redis) => {
  const isNew: boolean[] = []
  for (const { value } of batch) {
    const seen = await redis.get(businessKeyOf(value!))
    if (seen === null) await redis.set(businessKeyOf(value!), '1', 'EX', SEEN_S)
    isNew.push(seen === null)
  }
  return isNew
}

await answerOrder(read)
