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
import { RedisServer, type KafkaCluster } from '@tandem/testing'
import { Redis } from 'ioredis'

import { Clusters, versionOf, versions } from '../clusters.js'
import { makeTopic } from '../logs.js'
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
  open: () => DedupStage.open(),
}

interface Filled {
  readonly topic: string
  readonly records: number
  readonly refused: readonly number[]
}

class DedupStage implements Stage {
  static async open(): Promise<DedupStage> {
    const clusters = await Clusters.start()
    try {
      const redis = await RedisServer.start()
      return new DedupStage(clusters, redis, { ...(await versions()), ioredis: versionOf('ioredis') })
    } catch (error) {
      await clusters[Symbol.asyncDispose]()
      throw error
    }
  }

  readonly versions: Stage['versions']
  readonly #clusters: Clusters
  readonly #redis: RedisServer
  readonly #filled = new Map<Writer, Filled>()

  private constructor(clusters: Clusters, redis: RedisServer, versions: Stage['versions']) {
    this.#clusters = clusters
    this.#redis = redis
    this.versions = versions
  }

  async measure(way: string): Promise<Figures> {
    const { topic, records, refused } = await this.#fill(way === 'tandem' ? 'tandem' : 'dual')
    const redis = new Redis(this.#redis.url)
    await redis.flushall()
    const before = await usedBytes(redis)
    const order = { way: way as Way, clusters: this.#clusters.addresses, topic, messages: MESSAGES, records, refused }
    const answer = await orderFrom<DedupOrder, DedupAnswer & { memoryBytesMax: number }>(PROGRAM, way, {
      ...order,
      redisUrl: this.#redis.url,
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
    await Promise.all([this.#clusters[Symbol.asyncDispose](), this.#redis.stop()])
  }

  /** Writes for a while, in which the west hangs again and again. */
  async #fill(writer: Writer): Promise<Filled> {
    const known = this.#filled.get(writer)
    if (known !== undefined) return known
    const topic = `by-${writer}`
    for (const cluster of this.#clusters.all) await makeTopic(cluster, topic)
    const clusters = this.#clusters.addresses
    const order: FillOrder = { writer, clusters, topic, messages: MESSAGES, perSecond: PER_SECOND }
    const flapping = new AbortController()
    const [, west] = this.#clusters.all
    const flaps = flap(west!, flapping.signal)
    const filling = orderFrom<FillOrder, FillAnswer>(FILLER, topic, order).finally(() => flapping.abort())
    const [{ refused }] = await Promise.all([filling, flaps])
    let records = 0
    for (const { bootstrapServers } of this.#clusters.all) {
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
