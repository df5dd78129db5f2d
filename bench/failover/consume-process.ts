/** Takes messages and writes each down, until it is told to end. */
import { decodeTransfer } from '@tandem/cli/internal'
import kafka from 'node-rdkafka'

import { answerOrder, heard } from '../subject-process.js'
import { consumerOf } from '../tandem-clients.js'
import type { FailoverOrder } from './order.js'
import { SightingFile } from './sightings.js'

async function consume(order: FailoverOrder): Promise<object> {
  const ended = heard('end')
  const file = new SightingFile(order.path)
  const take: Take = (value) => file.append(decodeTransfer(value)!.number)
  const close = await (order.subject === 'tandem' ? fromBoth(order, take) : fromOne(order, take))
  await ended
  await close()
  return {}
}

type Take = (value: Uint8Array | null) => void
type Close = () => Promise<void>

async function fromBoth(order: FailoverOrder, take: Take): Promise<Close> {
  const { consumer, close } = consumerOf(order)
  await consumer.connect()
  consumer.deliveries$.subscribe((delivery) => {
    take(delivery.value)
    delivery.ack()
  })
  return close
}

/** As a member of a group of the east, and from the instant on at which it is told to, of the same group of the west. */
async function fromOne({ clusters, topic, groupId }: FailoverOrder, take: Take): Promise<Close> {
  const switched = heard('switch')
  const stopCommitting = await join({ bootstrapServers: clusters.east, topic, groupId, take })
  const west = switched.then(() => {
    stopCommitting()
    return join({ bootstrapServers: clusters.west, topic, groupId, take })
  })
  return async () => (await west)()
}

interface JoinOptions extends Pick<FailoverOrder, 'topic' | 'groupId'> {
  readonly bootstrapServers: string
  readonly take: Take
}

/**
 * A member of a group as most services have it: takes messages as they come, and commits once a second what it took.
 *
 * @returns what ends the commits. A client of a cluster that is gone cannot be made to let go, so it is left alone.
 */
async function join({ bootstrapServers, topic, groupId, take }: JoinOptions): Promise<() => void> {
  const consumer = new kafka.KafkaConsumer(
    { 'bootstrap.servers': bootstrapServers, 'group.id': groupId, 'enable.auto.commit': false },
    { 'auto.offset.reset': 'earliest' },
  )
  consumer.on('event.error', () => undefined) // the east fails, that is what this is about
  await new Promise<void>((resolve, reject) => {
    consumer.connect({ topic }, (error) => (error ? reject(error) : resolve()))
  })
  /** The next offset of each partition that got further since the last commit. */
  const next = new Map<number, kafka.TopicPartitionOffset>()
  consumer.on('data', ({ topic, partition, offset, value }) => {
    take(value)
    next.set(partition, { topic, partition, offset: offset + 1 })
  })
  const committing = setInterval(() => {
    if (next.size > 0) consumer.commit([...next.values()])
    next.clear()
  }, COMMIT_EVERY_MS)
  consumer.subscribe([topic])
  consumer.consume()
  return () => clearInterval(committing)
}

const COMMIT_EVERY_MS = 1_000

await answerOrder(consume)
process.exit() // a client of a cluster that is gone would keep it for long
