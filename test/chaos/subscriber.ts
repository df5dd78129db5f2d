/**
 * A process that subscribes: writes down each delivery, then, a little later, that it acknowledges it. It runs until it
 * is asked to end (SIGTERM), and is started again with the same groupId after it was killed.
 *
 *   node subscriber.js '{"groupId": …}'
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { decodeTransfer, LineFile } from '@tandem/cli/internal'
import {
  Consumer,
  inKeyOrder,
  RedisHighWaterStore,
  type ConsumerOptions,
  type Delivery,
  type HighWaterStore,
  type Verdict,
} from '@tandem/consumer'
import { Redis } from 'ioredis'
import { tap } from 'rxjs'

import { Bookings, BOOKINGS_AT_ONCE } from './bookings.js'
import { Database } from './database.js'

export interface SubscriberOptions {
  readonly groupId: string
  readonly clusters: ConsumerOptions['clusters']
  readonly topic: string
  readonly redisUrl: string
  /** Its messages are handled in the order of their keys, and have their effects in this database of the group. */
  readonly database?: DatabaseOptions
  /** Number of a message whose handler never ends. */
  readonly stuckAt?: number | undefined
  /** What it writes down. */
  readonly path: string
}

export type DatabaseOptions =
  /** One that fences (database.ts). */
  | { readonly kind: 'file'; readonly path: string }
  /** One that has the position too, in the same transactions (bookings.ts). */
  | { readonly kind: 'postgres'; readonly url: string }

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
  const database = options.database && effectsIn(options.database, options.groupId)
  const highWater = database?.highWater ?? new RedisHighWaterStore(redis)
  const consumer = await connected(options, highWater, ending.signal, write)
  const failed = (error: unknown): void => {
    console.error(error)
    process.exit(1)
  }
  if (database === undefined) {
    consumer?.deliveries$.subscribe({ next: (delivery) => handle(delivery, write), error: failed })
  } else {
    consumer?.deliveries$
      .pipe(
        tap((delivery) => writeDelivered(delivery, write)),
        inKeyOrder(handledBy(database.book, options.stuckAt, write), {
          concurrency: database.concurrency,
          classify: database.classify,
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
  { groupId, clusters, topic, path }: SubscriberOptions,
  highWater: HighWaterStore,
  ending: AbortSignal,
  write: Write,
): Promise<Consumer<Buffer> | undefined> {
  while (!ending.aborted) {
    const consumer = new Consumer<Buffer>({ groupId, clusters, topics: [topic], highWater })
    consumer.events$.subscribe((event) => {
      write({ kind: 'event', atMs: event.atMs, event: event.kind, count: 'count' in event ? event.count : 1 })
    })
    try {
      await consumer.connect()
      return consumer
    } catch (error) {
      console.error(`${groupId} of ${path} not connected: ${String(error)}`)
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

/** Where a message has its effect, and how handlers go about it. */
interface Effects {
  readonly highWater?: HighWaterStore
  readonly concurrency: number
  readonly classify: (error: unknown) => Verdict | undefined
  readonly book: (delivery: Delivery) => Promise<void>
}

function effectsIn(options: DatabaseOptions, groupId: string): Effects {
  if (options.kind === 'postgres') {
    const bookings = new Bookings(options.url, groupId)
    return {
      highWater: bookings.highWater,
      concurrency: BOOKINGS_AT_ONCE,
      // A lease that was lost, too: the key waits until this instance knows, and then its messages are another one's.
      classify: () => 'transient',
      book: (delivery) => bookings.book(delivery, textOf(delivery)),
    }
  }
  const database = new Database(options.path)
  return {
    concurrency: 64,
    classify: (error) => ((error as { code?: unknown }).code === 'ECONNREFUSED' ? 'transient' : undefined),
    book: (delivery) => {
      const { partition, fence, late } = delivery
      return database.book({ partition, fence, late, text: textOf(delivery) })
    },
  }
}

/** Does not look at `signal`: what is too late is refused by the fence. */
function handledBy(book: Effects['book'], stuckAt: number | undefined, write: Write) {
  return async (delivery: Delivery<Buffer>): Promise<void> => {
    write({ kind: 'begun', ...factsOf(delivery) })
    let failed = true
    try {
      if (stuckAt !== undefined && decodeTransfer(delivery.bytes)?.number === stuckAt)
        await new Promise(() => undefined)
      await sleep(delivery.offset % HANDLE_MS_MAX)
      await book(delivery)
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
