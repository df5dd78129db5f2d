/**
 * A flood: one producer at the highest rate while one cluster is dead; then the cluster returns, and both logs are
 * judged. On clusters of its own, without proxies, which would be what is measured.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { takeCensus } from '@tandem/cli/internal'
import { KafkaCluster } from '@tandem/testing'

import { FloodRecord, judgeFlood } from './flood-verdict.js'
import type { FloodLine, FloodOptions } from './flood.js'
import { LineTail } from './line-tail.js'
import { Program } from './lives.js'
import { OrderedCensus } from './ordered-census.js'
import type { Named } from './stage.js'
import type { Verdict } from './verdict.js'

export interface Flood extends Named {
  /** How long one cluster is dead. */
  readonly floodSeconds: number
}

export const FLOODS: readonly Flood[] = [
  { name: 'highest-rate', group: 'producer', floodSeconds: 120 },
  { name: 'highest-rate-longer', byNameOnly: true, floodSeconds: 300 },
]

export async function playFlood({ name, floodSeconds }: Flood, say: (text: string) => void): Promise<Verdict> {
  const startedAt = performance.now()
  const tell = (text: string): void =>
    say(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${text}`)
  const folder = mkdtempSync(join(tmpdir(), 'tandem-chaos-'))
  const starting = [KafkaCluster.start({ name: 'east' }), KafkaCluster.start({ name: 'west' })]
  try {
    const [east, west] = (await Promise.all(starting)) as [KafkaCluster, KafkaCluster]
    await Promise.all([east, west].map((cluster) => cluster.createTopic(TOPIC)))
    const path = join(folder, 'flood')
    const options: FloodOptions = {
      producerId: 'flood',
      clusters: {
        east: { 'bootstrap.servers': east.bootstrapServers },
        west: { 'bootstrap.servers': west.bootstrapServers },
      },
      topic: TOPIC,
      ...BOUNDS,
      openMax: OPEN_MAX,
      accounts: ACCOUNTS,
      messageBytes: MESSAGE_BYTES,
      path,
    }
    const program = await Program.start('flood', name, options, [`--max-old-space-size=${BOUND_BYTES >> 20}`])
    try {
      const record = new FloodRecord(ACCOUNTS)
      const tail = new LineTail(path)
      let peak = 0
      const look = (): void => {
        for (const line of tail.read() as FloodLine[]) record.handle(line)
        peak = Math.max(peak, program.residentBytesMax)
      }
      const lookFor = async (seconds: number): Promise<void> => {
        for (const until = performance.now() + seconds * 1_000; performance.now() < until; await sleep(LOOK_EVERY_MS)) {
          await program.expectAlive()
          look()
        }
      }
      const count = (): number => record.acknowledgements.numbers.size
      await lookFor(BOTH_THERE_S)
      tell(`west is killed, after ${count()} messages`)
      const before = count()
      await west.kill()
      await lookFor(floodSeconds)
      tell(
        `${Math.round((count() - before) / floodSeconds)} messages a second with one cluster, ${peak >> 20} MB resident`,
      )
      await west.restart()
      tell('west is back')
      const backAt = performance.now()
      await lookFor(BOTH_THERE_S)
      const ended = program.end(END_MS_MAX)
      for (let over = false; !over; look()) {
        over = await Promise.race([ended.then(() => true), sleep(LOOK_EVERY_MS, false)])
      }
      const recoverySeconds = Math.round((performance.now() - backAt) / 100) / 10
      tell(`${record.sent ?? 'an unknown number of'} messages are decided; both logs are read`)
      const censuses = {
        east: await takeCensus(
          { cluster: 'east', bootstrapServers: east.bootstrapServers, topic: TOPIC },
          new OrderedCensus(),
        ),
        west: await takeCensus(
          { cluster: 'west', bootstrapServers: west.bootstrapServers, topic: TOPIC },
          new OrderedCensus(),
        ),
      }
      const verdict = judgeFlood({
        name,
        record,
        censuses,
        memory: { what: `resident bytes of ${name}`, peak, allowed: BOUND_BYTES + BESIDE_BYTES },
        recoverySeconds,
        faults: new Map([['cluster-dead', 1]]),
        told: ['lane-away', 'lane-returned', 'record-given-up', 'void-written'],
      })
      if (verdict.complaints.length === 0) {
        rmSync(folder, { recursive: true })
        return verdict
      }
      return { ...verdict, complaints: [...verdict.complaints, `what was written down: ${folder}`] }
    } finally {
      await program.remove()
    }
  } finally {
    for (const cluster of await Promise.allSettled(starting))
      if (cluster.status === 'fulfilled') await cluster.value.stop()
  }
}

const TOPIC = 'flood'
const BOUNDS = { backlogBytesMax: 64 << 20, unacknowledgedBytesMax: 64 << 20 }
/** What the options say that a producer holds: a backlog for each of two lanes, and the window. */
const BOUND_BYTES = 2 * BOUNDS.backlogBytesMax + BOUNDS.unacknowledgedBytesMax
/** Node itself, two clients of librdkafka with their queues, and what V8 has not collected yet. */
const BESIDE_BYTES = 150 << 20
const OPEN_MAX = 20_000
const ACCOUNTS = 40
const MESSAGE_BYTES = 200
/** Before the one is killed, and after it is back. */
const BOTH_THERE_S = 5
const END_MS_MAX = 180_000
const LOOK_EVERY_MS = 250
