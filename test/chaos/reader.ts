/**
 * A process that subscribes to a backlog and handles its messages one after the other, so many a second or as fast as it
 * can, until it is asked to end (SIGTERM) or killed. What it handled is written down before it is acknowledged.
 *
 *   node reader.js '{"groupId": …}'
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { decodeTransfer, LineFile } from '@tandem/cli/internal'
import { Consumer, RedisHighWaterStore, type ConsumerOptions, type Delivery } from '@tandem/consumer'
import { Redis } from 'ioredis'
import { concatMap } from 'rxjs'

export interface ReaderOptions {
  readonly groupId: string
  readonly clusters: ConsumerOptions['clusters']
  readonly topic: string
  readonly redisUrl: string
  readonly bounds: Pick<ConsumerOptions, 'unacknowledgedBytesMax' | 'heldBytesMax'>
  /** As fast as it can if left out. */
  readonly ratePerSecond?: number
  /** What it writes down. */
  readonly path: string
}

/** Numbers of messages that it handled, and when; short, since there are millions. */
export type ReaderLine = readonly [atMs: number, ...numbers: number[]]

async function read({ ratePerSecond, redisUrl, topic, path, bounds, ...options }: ReaderOptions): Promise<void> {
  const file = new LineFile(path)
  const redis = new Redis(redisUrl)
  const consumer = new Consumer<Buffer>({
    ...options,
    ...bounds,
    topics: [topic],
    highWater: new RedisHighWaterStore(redis),
  })
  process.once('SIGTERM', () => void consumer.close().then(() => process.exit()))
  await consumer.connect()
  const finish = (deliveries: readonly Delivery<Buffer>[]): void => {
    const numbers = deliveries.map(({ bytes }) => decodeTransfer(bytes)!.number)
    file.append([Date.now(), ...numbers] satisfies ReaderLine)
    for (const delivery of deliveries) delivery.ack()
  }
  if (ratePerSecond === undefined) readAll(consumer, finish)
  else {
    const slowly = concatMap(async (delivery: Delivery<Buffer>) => {
      await sleep(1_000 / ratePerSecond)
      finish([delivery])
    })
    consumer.deliveries$.pipe(slowly).subscribe()
  }
  process.send!('started')
}

/** What comes in one turn of the loop is finished together. */
function readAll(consumer: Consumer<Buffer>, finish: (deliveries: readonly Delivery<Buffer>[]) => void): void {
  let come: Delivery<Buffer>[] = []
  consumer.deliveries$.subscribe((delivery) => {
    if (come.length === 0) {
      setImmediate(() => {
        const all = come
        come = []
        finish(all)
      })
    }
    come.push(delivery)
  })
}

await read(JSON.parse(process.argv[2]!) as ReaderOptions)
