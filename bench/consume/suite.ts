/**
 * What it costs to read two clusters by tandem, beside two bare clients that only count, and beside asking Redis about
 * each message.
 *
 * All subjects read the same logs, whole, each in a process of its own and with an empty Redis. They are judged by the
 * numbers in the payloads: each message was taken, and once.
 */
import { countFramed, countRecords, makeTopic, PARTITIONS, TRIED_BY_EACH } from '../logs.js'
import { Servers } from '../servers.js'
import { orderFrom } from '../subject-process.js'
import { CPU, MEMORY, RATE, type Figures, type Stage, type Suite } from '../suite.js'
import type { ConsumeAnswer, ConsumeOrder, FillOrder } from './order.js'
import {
  COMPARISONS,
  isFramed,
  nameOf,
  REDIS_COST,
  REDIS_RATE,
  SIZES,
  subjectsOf,
  type ConsumeSubject,
} from './subjects.js'

export const consumeSuite: Suite = {
  name: 'consume',
  about: 'messages from two real clusters: tandem beside node-rdkafka, and beside asking Redis about each of them',
  rounds: (quick) => (quick ? 5 : 10),
  subjects: (quick) => subjectsOf(quick).map(nameOf),
  comparisons: COMPARISONS,
  open: async () => new ConsumeStage(await Servers.start()),
}

class ConsumeStage implements Stage {
  readonly versions: Stage['versions']
  readonly #servers: Servers
  /** Topics that are filled. */
  readonly #topics = new Set<string>()

  constructor(servers: Servers) {
    this.#servers = servers
    this.versions = servers.versions
  }

  async measure(name: string): Promise<Figures> {
    const subject = subjectsOf(false).find((one) => nameOf(one) === name)!
    const { messages } = SIZES.find(({ valueBytes }) => valueBytes === subject.valueBytes)!
    const topic = await this.#fill(subject, messages)
    const redisUrl = this.#servers.redis.url
    await this.#servers.forgetAll()
    const clusters = this.#servers.clusters.addresses
    const answer = await orderFrom<ConsumeOrder, ConsumeAnswer>(PROGRAM, name, {
      ...subject,
      clusters,
      topic,
      messages,
      records: 2 * messages,
      redisUrl,
    })
    const { records, ms, cpuMicros, redisCommands, taken, different, memoryBytesMax } = answer
    if (taken !== messages || different !== messages) {
      throw new Error(`${name}: of ${messages} messages it took ${different}, and ${taken} in all`)
    }
    const read = records / 2
    return {
      [RATE]: (read * 1_000) / ms,
      [CPU]: cpuMicros / read,
      [MEMORY]: memoryBytesMax / 1e6,
      ...(redisCommands > 0 && {
        [REDIS_RATE]: (redisCommands * 1_000) / ms / PARTITIONS,
        [REDIS_COST]: (redisCommands * 1_000) / read,
      }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]()
  }

  /** The topic of such messages, filled if it is not yet. */
  async #fill({ valueBytes, way }: ConsumeSubject, messages: number): Promise<string> {
    const framing = isFramed(way) ? 'frame' : 'record'
    const topic = `${framing}s-of-${valueBytes}-bytes`
    if (this.#topics.has(topic)) return topic
    for (const cluster of this.#servers.clusters.all) await makeTopic(cluster, topic)
    const clusters = this.#servers.clusters.addresses
    await orderFrom<FillOrder, object>(FILLER, topic, { clusters, topic, messages, valueBytes, framing })
    for (const cluster of this.#servers.clusters.all) {
      const held = isFramed(way)
        ? await countFramed(cluster, topic)
        : (await countRecords(cluster, topic)) - TRIED_BY_EACH
      if (held !== messages) throw new Error(`${topic}: ${messages} messages were sent, a log has ${held}`)
    }
    this.#topics.add(topic)
    return topic
  }
}

const PROGRAM = new URL('subject-process.js', import.meta.url)
const FILLER = new URL('fill-process.js', import.meta.url)
