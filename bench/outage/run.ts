/** One run: a process that sends and one that reads, while something is done to the west; then both logs are read bare. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { Redis } from 'ioredis'

import { readLog } from '../bare-reader.js'
import { countRecords, deleteTopic, makeTopic } from '../logs.js'
import type { Servers } from '../servers.js'
import { orderFrom } from '../subject-process.js'
import { nowMs } from './clock.js'
import { FAULTS } from './faults.js'
import type { Measured } from './figures.js'
import { Counters, LogContents } from './log-contents.js'
import {
  ALONE_MS_MAX,
  type ConsumeAnswer,
  type ConsumeOrder,
  type ConsumerGauge,
  type ProduceAnswer,
  type ProduceOrder,
  type ProducerGauge,
} from './order.js'
import { playPhases, type Lengths } from './phases.js'
import { readSamples } from './samples.js'
import type { OutageSubject } from './subjects.js'
import type { ProducerGauges } from './timeline.js'

export interface RunOptions extends Pick<OutageSubject, 'name' | 'framing' | 'faults'> {
  readonly topic: string
  readonly lengths: Lengths
  readonly offeredPerSecond: number | undefined
}

export interface Run extends Measured, ProducerGauges {
  readonly producerBytesMax: number
  readonly consumerBytesMax: number
}

export async function playRun(servers: Servers, options: RunOptions): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'))
  try {
    return await playIn(folder, servers, options)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function playIn(folder: string, servers: Servers, options: RunOptions): Promise<Run> {
  const { name, topic, framing, faults, lengths, offeredPerSecond } = options
  const { clusters, redis } = servers
  const [, west] = clusters.all
  // The brokers' clock says since when a log has a message.
  for (const cluster of clusters.all) await makeTopic(cluster, topic, { 'message.timestamp.type': 'LogAppendTime' })
  await forgetAll(redis.url)
  const beginMs = nowMs()
  const common = { clusters: clusters.addresses, topic, beginMs }
  const paths = { acknowledged: join(folder, 'acknowledged'), delivered: join(folder, 'delivered') }
  const runMsMax = runMsMaxOf(options)
  const [loadOver, readingOver, broken] = [new AbortController(), new AbortController(), new AbortController()]
  const producerGauges: ProducerGauge[] = []
  const consumerGauges: ConsumerGauge[] = []
  const reading = orderFrom<ConsumeOrder, ConsumeAnswer, ConsumerGauge>(
    CONSUMER,
    `the consumer of ${name}`,
    { ...common, samplesPath: paths.delivered, redisUrl: redis.url },
    { over: readingOver.signal, told: (gauge) => consumerGauges.push(gauge), runMsMax },
  )
  const sending = orderFrom<ProduceOrder, ProduceAnswer, ProducerGauge>(
    PRODUCER,
    `the producer of ${name}`,
    {
      ...common,
      samplesPath: paths.acknowledged,
      framing,
      ...(offeredPerSecond !== undefined && { perSecond: offeredPerSecond }),
    },
    { over: loadOver.signal, told: (gauge) => producerGauges.push(gauge), runMsMax },
  )
  for (const process of [reading, sending]) process.catch((error) => broken.abort(error))
  const { signal } = broken
  try {
    while (producerGauges.length === 0) await sleep(LOOK_EVERY_MS, undefined, { signal })
    await sleep(WARM_UP_MS, undefined, { signal })
    const phases = await playPhases(
      faults.map((fault) => ({
        name: fault,
        strike: (ms) => FAULTS[fault].strike(west!, ms, signal),
        heal: () => FAULTS[fault].heal(west!),
      })),
      lengths,
      (ms) => producerGauges.some(({ atMs, redundant }) => atMs - ALONE_MS_MAX > ms && redundant),
      signal,
    )
    loadOver.abort()
    const { sent, memoryBytesMax: producerBytesMax, acknowledged } = await sending
    await untilReadingRests(consumerGauges, acknowledged, signal)
    readingOver.abort()
    const { memoryBytesMax: consumerBytesMax } = await reading
    const counters = new Counters()
    const logs: LogContents[] = []
    for (const cluster of clusters.all) {
      const contents = new LogContents(sent, counters)
      await readBare(cluster.bootstrapServers, topic, await countRecords(cluster, topic), contents)
      logs.push(contents)
      await deleteTopic(cluster, topic)
    }
    return {
      sent,
      acknowledged: readSamples(paths.acknowledged, beginMs),
      delivered: readSamples(paths.delivered, beginMs),
      logs,
      phases,
      producerGauges,
      consumerGauges,
      offeredPerSecond,
      producerBytesMax,
      consumerBytesMax,
    }
  } finally {
    loadOver.abort()
    readingOver.abort()
    await Promise.allSettled([sending, reading])
  }
}

/** Until all that was acknowledged is delivered and nothing more comes: what is delivered twice comes late. */
async function untilReadingRests(
  gauges: readonly ConsumerGauge[],
  acknowledged: number,
  signal: AbortSignal,
): Promise<void> {
  const beginMs = nowMs()
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal })
    const [now, earlier] = [gauges.at(-1), gauges.findLast(({ atMs }) => atMs < nowMs() - REST_MS)]
    const rests = now?.read === earlier?.read
    if (rests && now !== undefined && now.delivered >= acknowledged) return
    if (nowMs() - beginMs > READING_MS_MAX) return // the verdict says what is lost
  }
}

async function readBare(
  bootstrapServers: string,
  topic: string,
  records: number,
  contents: LogContents,
): Promise<void> {
  const until = { over: records === 0 }
  let read = 0
  await readLog({ bootstrapServers, topic }, until, (batch) => {
    for (const record of batch) contents.handle(record)
    until.over = (read += batch.length) >= records
  })
}

async function forgetAll(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl)
  await redis.flushall()
  redis.disconnect()
}

function runMsMaxOf({ lengths, faults }: RunOptions): number {
  const { healthyMs, faultMs, afterMsMax } = lengths
  return WARM_UP_MS + healthyMs + faults.length * (faultMs + afterMsMax) + READING_MS_MAX + SPARE_MS
}

const PRODUCER = new URL('producer-process.js', import.meta.url)
const CONSUMER = new URL('consumer-process.js', import.meta.url)
/** V8 has compiled what is hot by then, and all clients have their connections. */
const WARM_UP_MS = 5_000
const LOOK_EVERY_MS = 20
const REST_MS = 2_000
const READING_MS_MAX = 120_000
/** Restarts, connecting, closing. */
const SPARE_MS = 180_000
