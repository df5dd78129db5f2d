/**
 * Who finds out which of two copies is the second one, at what price, and with what loss.
 *
 * Both logs are written while one cluster hangs every few seconds: once by tandem, once by two clients behind circuit
 * breakers, as whoever has only a counter or a business key would write. Then each subject reads both logs, whole. It is
 * judged by the numbers in the payloads: of what was acknowledged to the writer, what was never taken for new is lost, and
 * what was twice is a duplicate.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { takeCensus } from '@tandem/cli/internal'
import type { KafkaCluster } from '@tandem/testing'
import { Redis } from 'ioredis'

import { makeTopic } from '../logs.js'
import { Servers } from '../servers.js'
import { orderFrom } from '../subject-process.js'
import { CPU, MEMORY, RATE, type Figures, type Stage, type Suite } from '../suite.js'
import type { DedupAnswer, DedupOrder, FillAnswer, FillOrder, Writer } from './order.js'
import { COMPARISONS, DUPLICATED, LOST, REDIS_COST, REDIS_MEMORY, WAYS, type Way } from './subjects.js'

export const dedupSuite: Suite = {
  name: 'dedup',
  about: 'which of two copies is the second one: tandem beside the counter rule and business keys in Redis',
  rounds: (quick) => (quick ? 3 : 5),
  subjects: () => WAYS,
  comparisons: COMPARISONS,
  open: async () => new DedupStage(await Servers.start()),
}

interface Filled {
  readonly topic: string
  readonly records: number
  readonly refused: readonly number[]
}

class DedupStage implements Stage {
  readonly versions: Stage['versions']
  readonly #servers: Servers
  readonly #filled = new Map<Writer, Filled>()

  constructor(servers: Servers) {
    this.#servers = servers
    this.versions = servers.versions
  }

  async measure(way: string): Promise<Figures> {
    const { topic, records, refused } = await this.#fill(way === 'tandem' ? 'tandem' : 'dual')
    const redis = new Redis(this.#servers.redis.url)
    await redis.flushall()
    const before = await usedBytes(redis)
    const order = {
      way: way as Way,
      clusters: this.#servers.clusters.addresses,
      topic,
      messages: MESSAGES,
      records,
      refused,
    }
    const answer = await orderFrom<DedupOrder, DedupAnswer & { memoryBytesMax: number }>(PROGRAM, way, {
      ...order,
      redisUrl: this.#servers.redis.url,
    })
    const redisBytes = (await usedBytes(redis)) - before
    redis.disconnect()
    const { ms, cpuMicros, redisCommands, taken, different, lost, memoryBytesMax } = answer
    const duplicated = taken - different
    if (way === 'tandem' && lost + duplicated > 0) throw new Error(`tandem lost ${lost} and repeated ${duplicated}`)
    const read = (answer.records / records) * different
    return {
      [RATE]: (read * 1_000) / ms,
      [CPU]: cpuMicros / read,
      [MEMORY]: memoryBytesMax / 1e6,
      [LOST]: lost,
      [DUPLICATED]: duplicated,
      ...(way !== 'naive' && {
        [REDIS_COST]: (redisCommands * 1e6) / read,
        [REDIS_MEMORY]: redisBytes / different,
      }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]()
  }

  /** Writes for a while, in which the west hangs again and again. */
  async #fill(writer: Writer): Promise<Filled> {
    const known = this.#filled.get(writer)
    if (known !== undefined) return known
    const topic = `by-${writer}`
    for (const cluster of this.#servers.clusters.all) await makeTopic(cluster, topic)
    const clusters = this.#servers.clusters.addresses
    const order: FillOrder = { writer, clusters, topic, messages: MESSAGES, perSecond: PER_SECOND }
    const flapping = new AbortController()
    const [, west] = this.#servers.clusters.all
    const flaps = flap(west!, flapping.signal)
    const filling = orderFrom<FillOrder, FillAnswer>(FILLER, topic, order).finally(() => flapping.abort())
    const [{ refused }] = await Promise.all([filling, flaps])
    let records = 0
    for (const { bootstrapServers } of this.#servers.clusters.all) {
      records += (await takeCensus({ cluster: bootstrapServers, bootstrapServers, topic })).foreign
    }
    const filled = { topic, records, refused }
    this.#filled.set(writer, filled)
    return filled
  }
}

/** Hangs and goes on, until that is over; it goes on in the end. */
async function flap(cluster: KafkaCluster, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await sleep(FLAP_MS)
    if (over.aborted) return
    await cluster.hang()
    await sleep(FLAP_MS)
    await cluster.resume()
  }
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1])
}

const PROGRAM = new URL('subject-process.js', import.meta.url)
const FILLER = new URL('fill-process.js', import.meta.url)
const MESSAGES = 200_000
const PER_SECOND = 5_000
const FLAP_MS = 2_500
