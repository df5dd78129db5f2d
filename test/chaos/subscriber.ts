/**
 * A process that subscribes: writes down each delivery, then, a little later, that it acknowledges it. It runs until it
 * is asked to end (SIGTERM), and is started again with the same groupId after it was killed.
 *
 *   node subscriber.js '{"groupId": …}'
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { LineFile } from '@tandem/cli/internal'
import { Consumer, RedisHighWaterStore, type ConsumerOptions, type Delivery } from '@tandem/consumer'
import { Redis } from 'ioredis'

export interface SubscriberOptions {
  readonly groupId: string
  readonly clusters: ConsumerOptions['clusters']
  readonly topic: string
  readonly redisUrl: string
  /** What it writes down. */
  readonly path: string
}

/** What it writes down. `atMs` is the machine's clock, which all processes of a run share. */
export type SubscriberLine =
  | {
      readonly kind: 'delivered'
      readonly atMs: number
      readonly text: string
      readonly late: boolean
      readonly redelivered: boolean
    }
  | { readonly kind: 'acknowledged'; readonly atMs: number; readonly text: string }
  /** `count` of `delivered-late`: how many messages it tells of. */
  | { readonly kind: 'event'; readonly atMs: number; readonly event: string; readonly count: number }

async function subscribe(options: SubscriberOptions): Promise<void> {
  const ending = new AbortController()
  process.once('SIGTERM', () => ending.abort())
  process.send!('started')
  const file = new LineFile(options.path)
  const write = (line: SubscriberLine): void => file.append(line)
  const redis = new Redis(options.redisUrl)
  redis.on('error', () => undefined) // it comes back
  const consumer = await connected(options, redis, ending.signal, write)
  consumer?.deliveries$.subscribe({
    next: (delivery) => handle(delivery, write),
    error: (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  })
  if (!ending.signal.aborted) await new Promise((resolve) => ending.signal.addEventListener('abort', resolve))
  await consumer?.close()
  process.exit()
}

/** As a supervisor would: again and again, since neither clusters nor Redis need be there when a process starts. */
async function connected(
  { groupId, clusters, topic, ...options }: SubscriberOptions,
  redis: Redis,
  ending: AbortSignal,
  write: (line: SubscriberLine) => void,
): Promise<Consumer<Buffer> | undefined> {
  while (!ending.aborted) {
    const consumer = new Consumer<Buffer>({
      groupId,
      clusters,
      topics: [topic],
      highWater: new RedisHighWaterStore(redis),
    })
    consumer.events$.subscribe((event) => {
      write({ kind: 'event', atMs: event.atMs, event: event.kind, count: 'count' in event ? event.count : 1 })
    })
    try {
      await consumer.connect()
      return consumer
    } catch (error) {
      console.error(`${groupId} of ${options.path} not connected: ${String(error)}`)
      await consumer.close()
      await sleep(500)
    }
  }
  return undefined
}

/** Some take longer than others, so that acknowledgements overtake each other and a kill meets some in flight. */
function handle(delivery: Delivery<Buffer>, write: (line: SubscriberLine) => void): void {
  const text = delivery.bytes?.toString() ?? ''
  const { late, redelivered, offset } = delivery
  write({ kind: 'delivered', atMs: Date.now(), text, late, redelivered })
  setTimeout(() => {
    write({ kind: 'acknowledged', atMs: Date.now(), text })
    delivery.ack()
  }, offset % HANDLE_MS_MAX)
}

const HANDLE_MS_MAX = 40

await subscribe(JSON.parse(process.argv[2]!) as SubscriberOptions)
