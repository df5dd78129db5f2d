/**
 * A process that passes on what it is delivered to two other clusters, each key in its order, until it is asked to end
 * (SIGTERM). It writes down what a flood does: each send that resolved.
 *
 *   node relay.js '{"clusters": …}'
 */
import { decodeTransfer, LineFile } from '@tandem/cli/internal'
import { Consumer, inKeyOrder, RedisHighWaterStore, type ConsumerOptions } from '@tandem/consumer'
import { Producer, type ProducerOptions } from '@tandem/producer'
import { Redis } from 'ioredis'

import type { FloodLine } from './flood.js'

export interface RelayOptions {
  readonly groupId: string
  readonly from: ConsumerOptions['clusters']
  readonly to: ProducerOptions['clusters']
  readonly topic: string
  readonly redisUrl: string
  readonly bounds: Pick<ConsumerOptions, 'unacknowledgedBytesMax' | 'heldBytesMax'>
  readonly producerBounds: Pick<ProducerOptions, 'backlogBytesMax' | 'unacknowledgedBytesMax'>
  /** After so long a send is given up, and sent anew. */
  readonly sendTimeoutMs: number
  /** What it writes down. */
  readonly path: string
}

async function relay(options: RelayOptions): Promise<void> {
  const { groupId, from, to, topic, redisUrl, bounds, producerBounds, sendTimeoutMs, path } = options
  const file = new LineFile(path)
  const write = (line: FloodLine): void => file.append(line)
  const producerId = 'relay'
  const producer = new Producer({
    producerId,
    clusters: to,
    topics: { [topic]: {} },
    whenBothAway: { policy: 'reject' },
    sendTimeoutMs,
    ...producerBounds,
  })
  const consumer = new Consumer<Buffer>({
    groupId,
    clusters: from,
    topics: [topic],
    highWater: new RedisHighWaterStore(new Redis(redisUrl)),
    ...bounds,
  })
  for (const { events$ } of [producer, consumer]) {
    events$.subscribe(({ kind }) => write({ kind: 'event', event: kind }))
  }
  await producer.connect()
  await consumer.connect()
  const { epoch, incarnation } = producer.status()
  write({ kind: 'begun', producerId, epoch: epoch!, incarnation: incarnation! })
  process.send!('started')

  let sent = 0
  const passOn = inKeyOrder<Buffer>(
    async ({ key, value }) => {
      const { position, keyRange } = await producer.send({ topic, key, value })
      sent++
      write([decodeTransfer(value)!.number, position.counter, keyRange])
    },
    { concurrency: 64, classify: () => 'transient' },
  )
  consumer.deliveries$.pipe(passOn).subscribe()
  process.once('SIGTERM', () => {
    void consumer
      .close()
      .then(() => producer.close())
      .then(() => {
        write({ kind: 'closed', sent })
        process.exit()
      })
  })
}

await relay(JSON.parse(process.argv[2]!) as RelayOptions)
