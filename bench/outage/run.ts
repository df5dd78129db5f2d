/** One run: a process that sends and one that reads, while something is done to the west; then both logs are read bare. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { KafkaCluster } from '@tandem/testing'

import { readLog } from '../bare-reader.js'
import { countRecords, deleteTopic, makeTopic } from '../logs.js'
import type { Servers } from '../servers.js'
import { nowMs } from './clock.js'
import { FAULTS } from './faults.js'
import type { Measured } from './figures.js'
import { Counters, LogContents } from './log-contents.js'
import { ALONE_MS_MAX } from './order.js'
import { playPhases, type Lengths, type PlayedPhase } from './phases.js'
import { Processes } from './processes.js'
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
  const { clusters, redis } = servers
  const { topic, offeredPerSecond } = options
  // The brokers' clock says since when a log has a message.
  for (const cluster of clusters.all)
    await makeTopic(cluster, topic, { config: { 'message.timestamp.type': 'LogAppendTime' } })
  await servers.forgetAll()
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'))
  try {
    await using processes = new Processes({
      ...options,
      clusters: clusters.addresses,
      redisUrl: redis.url,
      beginMs: nowMs(),
      folder,
      runMsMax: runMsMaxOf(options),
    })
    const phases = await play(clusters.all[1]!, processes, options)
    const { sent, acknowledged, memoryBytesMax: producerBytesMax } = await processes.endLoad()
    await untilReadingRests(processes, acknowledged)
    const { memoryBytesMax: consumerBytesMax } = await processes.endReading()
    const counters = new Counters()
    const logs: LogContents[] = []
    for (const cluster of clusters.all) {
      const contents = new LogContents(sent, counters)
      await readBare(cluster, topic, contents)
      logs.push(contents)
      await deleteTopic(cluster, topic)
    }
    const { producerGauges, consumerGauges } = processes
    const gauges = { producerGauges, consumerGauges, producerBytesMax, consumerBytesMax }
    return { sent, ...processes.samples(), logs, phases, offeredPerSecond, ...gauges }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function play(
  cluster: KafkaCluster,
  { producerGauges, broken }: Processes,
  { faults, lengths }: RunOptions,
): Promise<readonly PlayedPhase[]> {
  while (producerGauges.length === 0) await sleep(LOOK_EVERY_MS, undefined, { signal: broken })
  await sleep(WARM_UP_MS, undefined, { signal: broken })
  return playPhases(
    faults.map((name) => ({
      name,
      strike: (ms) => FAULTS[name].strike(cluster, ms, broken),
      heal: () => FAULTS[name].heal(cluster),
    })),
    lengths,
    (ms) => producerGauges.some(({ atMs, redundant }) => atMs - ALONE_MS_MAX > ms && redundant),
    broken,
  )
}

/** Until all that was acknowledged is delivered and nothing more comes: what is delivered twice comes late. */
async function untilReadingRests({ consumerGauges, broken }: Processes, acknowledged: number): Promise<void> {
  const beginMs = nowMs()
  // What is not delivered by then is lost, as the verdict says.
  while (nowMs() - beginMs < READING_MS_MAX) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: broken })
    const earlierMs = nowMs() - REST_MS
    const [now, earlier] = [consumerGauges.at(-1), consumerGauges.findLast(({ atMs }) => atMs < earlierMs)]
    if (now !== undefined && now.delivered >= acknowledged && now.read === earlier?.read) return
  }
}

async function readBare(cluster: KafkaCluster, topic: string, contents: LogContents): Promise<void> {
  const records = await countRecords(cluster, topic)
  const until = { over: records === 0 }
  let read = 0
  await readLog({ bootstrapServers: cluster.bootstrapServers, topic }, until, (batch) => {
    for (const record of batch) contents.handle(record)
    until.over = (read += batch.length) >= records
  })
}

function runMsMaxOf({ lengths, faults }: RunOptions): number {
  const { healthyMs, faultMs, afterMsMax } = lengths
  return WARM_UP_MS + healthyMs + faults.length * (faultMs + afterMsMax) + READING_MS_MAX + SPARE_MS
}

/** V8 has compiled what is hot by then, and all clients have their connections. */
const WARM_UP_MS = 5_000
const LOOK_EVERY_MS = 20
const REST_MS = 2_000
const READING_MS_MAX = 120_000
/** Restarts, connecting, closing. */
const SPARE_MS = 180_000
