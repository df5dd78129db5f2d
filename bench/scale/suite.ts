/**
 * What a deployment costs as it grows: partitions, key ranges, producers, instances, message size, one at a time around a
 * base point.
 *
 * Each run has a topic of its own. It is written for a few seconds by one process, counted by a bare client, and then read
 * whole by a group whose instances are processes. It is judged by the numbers in the payloads: each message was taken, and
 * by one instance.
 */
import { Redis } from 'ioredis'

import { REDIS_RATE } from '../consume/subjects.js'
import { countFramed, countRecords, deleteTopic, makeTopic, TRIED_BY_EACH } from '../logs.js'
import { inFlightMaxOf } from '../send/load.js'
import { Servers } from '../servers.js'
import { orderFrom } from '../subject-process.js'
import type { Figures, Stage, Suite } from '../suite.js'
import { Group } from './group.js'
import type { SendAnswer, SendOrder } from './order.js'
import {
  COMPARISONS,
  HELD,
  POINTS,
  READ,
  READER_MEMORY,
  READING,
  REDIS_MEMORY,
  SENDER_MEMORY,
  SENDING,
  SENT,
  type ScalePoint,
} from './subjects.js'

export const scaleSuite: Suite = {
  name: 'scale',
  about: 'what is linear and what saturates, by partitions, key ranges, producers, instances and message size',
  rounds: (quick) => (quick ? 2 : 5),
  subjects: () => [...POINTS.keys()],
  comparisons: COMPARISONS,
  open: async () => new ScaleStage(await Servers.start()),
}

class ScaleStage implements Stage {
  readonly versions: Stage['versions']
  readonly #servers: Servers
  #runs = 0

  constructor(servers: Servers) {
    this.#servers = servers
    this.versions = servers.versions
  }

  async measure(name: string): Promise<Figures> {
    const point = POINTS.get(name)!
    const topic = `run-${++this.#runs}`
    const clusters = this.#servers.clusters.all
    for (const cluster of clusters) await makeTopic(cluster, topic, { partitions: point.partitions })
    const { sent, figures } = await this.#send(name, point, topic)
    for (const cluster of clusters) {
      const held =
        point.framing === 'frame'
          ? await countFramed(cluster, topic)
          : (await countRecords(cluster, topic, point.partitions)) - point.producers * TRIED_BY_EACH
      if (held !== sent) throw new Error(`${name}: ${sent} messages were sent, a log has ${held}`)
    }
    const read = await this.#read(name, point, topic, sent)
    for (const cluster of clusters) await deleteTopic(cluster, topic)
    return { ...figures, ...read }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]()
  }

  async #send(name: string, point: ScalePoint, topic: string): Promise<{ sent: number; figures: Figures }> {
    const answer = await orderFrom<SendOrder, SendAnswer>(SENDER, name, {
      point,
      clusters: this.#servers.clusters.addresses,
      topic,
      load: { ...TIMES, inFlightMax: inFlightMaxOf(point.valueBytes) },
    })
    const { sent, answered, ms, cpuMicros, memoryBytesMax } = answer
    const figures = {
      [SENT]: (answered * 1_000) / ms,
      [SENDING]: cpuMicros / answered,
      [SENDER_MEMORY]: memoryBytesMax / 1e6,
    }
    return { sent, figures }
  }

  async #read(name: string, { partitions, instances }: ScalePoint, topic: string, messages: number): Promise<Figures> {
    await this.#servers.forgetAll()
    const redisUrl = this.#servers.redis.url
    await using group = new Group({ clusters: this.#servers.clusters.addresses, topic, messages, redisUrl }, instances)
    const heldSeconds = await group.held(partitions)
    const { records, ms, cpuMicros, redisCommands } = await group.read(2 * messages)
    const { numbers, memoryBytesMax } = await group.end(messages)
    if (numbers.taken !== messages || numbers.different !== messages) {
      throw new Error(`${name}: of ${messages} messages it took ${numbers.different}, and ${numbers.taken} in all`)
    }
    const read = records / 2
    return {
      [READ]: (read * 1_000) / ms,
      [READING]: cpuMicros / read,
      [READER_MEMORY]: memoryBytesMax / 1e6,
      [HELD]: heldSeconds,
      [REDIS_RATE]: (redisCommands * 1_000) / ms / partitions,
      [REDIS_MEMORY]: (await positionBytes(redisUrl)) / partitions,
    }
  }
}

/** What the positions of all partitions take, as Redis has it. */
async function positionBytes(redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl)
  const keys = await redis.keys('tandem:*:p')
  let bytes = 0
  for (const key of keys) bytes += (await redis.memory('USAGE', key, 'SAMPLES', 0)) ?? 0
  redis.disconnect()
  return bytes
}

const SENDER = new URL('send-process.js', import.meta.url)
/** V8 has compiled what is hot by then, and all have their connections. */
const TIMES = { warmUpMs: 2_000, measuredMs: 3_000 }
