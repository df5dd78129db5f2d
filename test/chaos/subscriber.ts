/**
 * A process that subscribes: writes down each delivery, then, a little later, that it acknowledges it. It runs until it
 * is asked to end (SIGTERM), and is started again with the same groupId after it was killed.
 *
 *   node subscriber.js '{"groupId": …}'
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { decodeTransfer, LineFile } from '@tandem/cli/internal'
import { Consumer, inKeyOrder, RedisHighWaterStore, type ConsumerOptions, type Delivery } from '@tandem/consumer'
import { Redis } from 'ioredis'
import { tap } from 'rxjs'

import { Database } from './database.js'

export interface SubscriberOptions {
  readonly groupId: string
  readonly clusters: ConsumerOptions['clusters']
  readonly topic: string
  readonly redisUrl: string
  /** Its messages are handled in the order of their keys, and have their effects in this database of the group. */
  readonly database?: string
  /** Number of a message whose handler never ends. */
  readonly stuckAt?: number | undefined
  /** What it writes down. */
  readonly path: string
}

/** What it writes down. `atMs` is the machine's clock, which all processes of a run share. */
export type SubscriberLine =
  | ({
      readonly kind: 'delivered'
      readonly late: boolean
      readonly redelivered: boolean
    } & OfDelivery)
  | ({ readonly kind: 'acknowledged' } & OfDelivery)
  /** A handler began, and ended; what was given up is a letter. */
  | ({ readonly kind: 'begun' } & OfDelivery)
  | ({ readonly kind: 'ended'; readonly failed: boolean } & OfDelivery)
  | ({ readonly kind: 'letter' } & OfDelivery)
  /** `count` of `delivered-late`: how many messages it tells of. */
  | { readonly kind: 'event'; readonly atMs: number; readonly event: string; readonly count: number }

interface OfDelivery {
  readonly atMs: number
  readonly text: string
  /** Token of the lease under which it was delivered. */
  readonly fence: number
}

type Write = (line: SubscriberLine) => void

async function subscribe(options: SubscriberOptions): Promise<void> {
  const ending = new AbortController()
  process.once('SIGTERM', () => ending.abort())
  process.send!('started')
  const file = new LineFile(options.path)
  const write: Write = (line) => file.append(line)
  const redis = new Redis(options.redisUrl)
  redis.on('error', () => undefined) // it comes back
  const consumer = await connected(options, redis, ending.signal, write)
  const failed = (error: unknown): void => {
    console.error(error)
    process.exit(1)
  }
  const { database, stuckAt } = options
  if (database === undefined) {
    consumer?.deliveries$.subscribe({ next: (delivery) => handle(delivery, write), error: failed })
  } else {
    consumer?.deliveries$
      .pipe(
        tap((delivery) => writeDelivered(delivery, write)),
        inKeyOrder(bookIn(new Database(database), stuckAt, write), {
          concurrency: 64,
          classify: (error) => ((error as { code?: unknown }).code === 'ECONNREFUSED' ? 'transient' : undefined),
          deadLetter: async (delivery) => write({ kind: 'letter', ...factsOf(delivery) }),
        }),
      )
      .subscribe({ next: (delivery) => write({ kind: 'acknowledged', ...factsOf(delivery) }), error: failed })
  }
  if (!ending.signal.aborted) await new Promise((resolve) => ending.signal.addEventListener('abort', resolve))
  await consumer?.close()
  process.exit()
}

/** As a supervisor would: again and again, since neither clusters nor Redis need be there when a process starts. */
async function connected(
  { groupId, clusters, topic, ...options }: SubscriberOptions,
  redis: Redis,
  ending: AbortSignal,
  write: Write,
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
function handle(delivery: Delivery<Buffer>, write: Write): void {
  writeDelivered(delivery, write)
  setTimeout(() => {
    write({ kind: 'acknowledged', ...factsOf(delivery) })
    delivery.ack()
  }, delivery.offset % HANDLE_MS_MAX)
}

/** Does not look at `signal`: what is too late is refused by the fence. */
function bookIn(database: Database, stuckAt: number | undefined, write: Write) {
  return async (delivery: Delivery<Buffer>): Promise<void> => {
    const { partition, fence, late, offset } = delivery
    write({ kind: 'begun', ...factsOf(delivery) })
    let failed = true
    try {
      if (stuckAt !== undefined && decodeTransfer(delivery.bytes)?.number === stuckAt)
        await new Promise(() => undefined)
      await sleep(offset % HANDLE_MS_MAX)
      await database.book({ partition, fence, late, text: textOf(delivery) })
      failed = false
    } finally {
      write({ kind: 'ended', failed, ...factsOf(delivery) })
    }
  }
}

function writeDelivered(delivery: Delivery<Buffer>, write: Write): void {
  const { late, redelivered } = delivery
  write({ kind: 'delivered', late, redelivered, ...factsOf(delivery) })
}

function factsOf(delivery: Delivery): OfDelivery {
  return { atMs: Date.now(), text: textOf(delivery), fence: delivery.fence }
}

function textOf({ bytes }: Delivery): string {
  return bytes?.toString() ?? ''
}

const HANDLE_MS_MAX = 40

await subscribe(JSON.parse(process.argv[2]!) as SubscriberOptions)
