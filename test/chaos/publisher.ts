/**
 * A process that publishes: transfers at a rate, until it is asked to end (SIGTERM), each `send()` and each answer
 * written down before it goes on. It is started again under the same producerId after it was killed.
 *
 *   node publisher.js '{"producerId": …}'
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { LineFile } from '@tandem/cli/internal'
import { isTandemError, type Outcome } from '@tandem/common'
import {
  ClockEpochs,
  FileEpochStore,
  Producer,
  RedisEpochStore,
  type EpochStore,
  type ProducerOptions,
} from '@tandem/producer'
import { Redis } from 'ioredis'

import { keyOf, transferOf } from './load.js'

export interface PublisherOptions {
  readonly producerId: string
  readonly clusters: ProducerOptions['clusters']
  readonly topic: string
  readonly redisUrl: string
  readonly acknowledge: 'one' | 'available' | 'both'
  readonly whenBothAway: 'block' | 'reject' | 'journal'
  /** Instead of the defaults. */
  readonly timeouts?: { readonly sendMs: number; readonly bothAwayMs: number }
  /** Where its epochs come from: Redis if left out. A file refuses nobody either, and a clock even less. */
  readonly epochs?: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'clock' }
  /** On this machine's disk: each life finds what the one before left. */
  readonly journal?: { readonly path: string; readonly mode: 'on-outage' | 'always' }
  readonly ratePerSecond: number
  readonly accounts: number
  /** Number of the first message of this life; the next lives have numbers far above. */
  readonly first: number
  /** What it writes down. */
  readonly path: string
}

/** What it writes down. `atMs` is the machine's clock, which all processes of a run share. */
export type PublisherLine =
  | { readonly kind: 'sent'; readonly atMs: number; readonly text: string; readonly key: string }
  | ({ readonly kind: 'acknowledged'; readonly atMs: number; readonly text: string } & Place)
  /** The fate of both copies is known. */
  | { readonly kind: 'settled'; readonly atMs: number; readonly text: string }
  | { readonly kind: 'rejected'; readonly atMs: number; readonly text: string; readonly outcome: Outcome }
  /** Of tandem's events; the code of an error if it is `connect()` that was refused. */
  | { readonly kind: 'event'; readonly atMs: number; readonly event: string }
  /** Every answer is above, and both logs have what they are ever to get of this life. */
  | { readonly kind: 'closed'; readonly atMs: number }

/** Where the receipt put a message: tells which message a void in a log stands for. */
export interface Place {
  readonly producerId: string
  readonly epoch: number
  readonly incarnation: number
  readonly counter: number
  readonly keyRange: number
}

async function publish(options: PublisherOptions): Promise<void> {
  const ending = new AbortController()
  process.once('SIGTERM', () => ending.abort())
  process.send!('started')
  const file = new LineFile(options.path)
  const write = (line: PublisherLine): void => file.append(line)
  const redis = new Redis(options.redisUrl)
  redis.on('error', () => undefined) // it comes back
  const producer = await connected(options, redis, ending.signal, write)
  const open = new Set<Promise<void>>()
  let dueAt = performance.now()
  for (let number = options.first; producer !== undefined && !ending.signal.aborted; number++) {
    const waitMs = dueAt - performance.now()
    if (waitMs > 2) await sleep(waitMs)
    // Whoever stood still for long does not make up for it all at once.
    dueAt = Math.max(dueAt, performance.now() - BEHIND_MS_MAX) + 1_000 / options.ratePerSecond
    const sending = sendOne(producer, options, number, write)
    open.add(sending)
    void sending.then(() => open.delete(sending))
  }
  await Promise.all(open)
  await producer?.close()
  write({ kind: 'closed', atMs: Date.now() })
  process.exit()
}

/** As a supervisor would: again and again, since neither clusters nor Redis need be there when a process starts. */
async function connected(
  options: PublisherOptions,
  redis: Redis,
  ending: AbortSignal,
  write: (line: PublisherLine) => void,
): Promise<Producer | undefined> {
  while (!ending.aborted) {
    const { producerId, clusters, topic, acknowledge, whenBothAway, timeouts, journal } = options
    const producer = new Producer({
      producerId,
      clusters,
      topics: { [topic]: {} },
      acknowledge,
      whenBothAway: { policy: whenBothAway, ...(timeouts && { timeoutMs: timeouts.bothAwayMs }) },
      ...(timeouts && { sendTimeoutMs: timeouts.sendMs }),
      ...(journal === undefined ? {} : { journal }),
      epochs: epochStore(options, redis),
    })
    producer.events$.subscribe(({ kind, atMs }) => write({ kind: 'event', atMs, event: kind }))
    try {
      await producer.connect()
      return producer
    } catch (error) {
      console.error(`not connected: ${String(error)}`)
      if (isTandemError(error)) write({ kind: 'event', atMs: Date.now(), event: error.code })
      await producer.close()
      await sleep(500)
    }
  }
  return undefined
}

function epochStore({ epochs }: PublisherOptions, redis: Redis): EpochStore {
  if (epochs === undefined) return new RedisEpochStore(redis)
  return epochs.kind === 'file' ? new FileEpochStore(epochs.path) : new ClockEpochs()
}

/** Until its answer is written down and the fate of both copies is known. */
async function sendOne(
  producer: Producer,
  { topic, accounts }: PublisherOptions,
  number: number,
  write: (line: PublisherLine) => void,
): Promise<void> {
  const transfer = transferOf(number, accounts)
  const text = JSON.stringify(transfer)
  const key = keyOf(transfer)
  write({ kind: 'sent', atMs: Date.now(), text, key })
  try {
    const receipt = await producer.send({ topic, key, value: text })
    const { keyRange, position } = receipt
    write({ kind: 'acknowledged', atMs: Date.now(), text, ...position, keyRange })
    await receipt.settled()
    write({ kind: 'settled', atMs: Date.now(), text })
  } catch (error) {
    // An error without an outcome is one of usage: nothing happened.
    const { outcome = 'not-written' } = error as { outcome?: Outcome }
    write({ kind: 'rejected', atMs: Date.now(), text, outcome })
  }
}

const BEHIND_MS_MAX = 1_000

await publish(JSON.parse(process.argv[2]!) as PublisherOptions)
