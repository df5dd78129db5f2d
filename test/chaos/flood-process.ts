/** The process of a flood (flood.ts) as it is seen from outside, and the clusters that it fills. */
import { join } from 'node:path'

import { takeCensus } from '@tandem/cli/internal'
import { KafkaCluster } from '@tandem/testing'

import { FloodRecord } from './flood-verdict.js'
import type { FloodLine, FloodOptions } from './flood.js'
import { Program } from './lives.js'
import { OrderedCensus } from './ordered-census.js'
import { WatchedProgram } from './watched-program.js'

export class FloodProcess extends WatchedProgram {
  static async start(
    name: string,
    folder: string,
    clusters: FloodOptions['clusters'],
    messageBytes = MESSAGE_BYTES,
  ): Promise<FloodProcess> {
    const path = join(folder, 'flood')
    const options: FloodOptions = {
      producerId: 'flood',
      clusters,
      topic: TOPIC,
      ...BOUNDS,
      openMax: Math.min(OPEN_MAX, Math.floor(BOUNDS.unacknowledgedBytesMax / 2 / messageBytes)),
      accounts: ACCOUNTS,
      messageBytes,
      path,
    }
    const program = await Program.start('flood', name, options, [`--max-old-space-size=${FLOOD_BYTES >> 20}`])
    return new FloodProcess(program, path, new FloodRecord(ACCOUNTS))
  }

  readonly record: FloodRecord

  private constructor(program: Program, path: string, record: FloodRecord) {
    super(program, path, (line) => record.handle(line as FloodLine))
    this.record = record
  }

  /** Messages that are acknowledged. */
  get count(): number {
    return this.record.acknowledgements.numbers.size
  }
}

/** Clusters without proxies, which would be what is measured, each with the topic of a flood. */
export class FloodClusters implements AsyncDisposable {
  static async start(names: readonly string[]): Promise<FloodClusters> {
    const started = await Promise.allSettled(names.map((name) => KafkaCluster.start({ name })))
    const clusters = new FloodClusters(
      new Map(started.flatMap((one, index) => (one.status === 'fulfilled' ? [[names[index]!, one.value]] : []))),
    )
    try {
      for (const one of started) if (one.status === 'rejected') throw one.reason
      await Promise.all(
        [...clusters.all.values()].map((cluster) => cluster.createTopic(TOPIC, { partitions: PARTITIONS })),
      )
      return clusters
    } catch (error) {
      await clusters[Symbol.asyncDispose]()
      throw error
    }
  }

  readonly all: ReadonlyMap<string, KafkaCluster>

  private constructor(all: ReadonlyMap<string, KafkaCluster>) {
    this.all = all
  }

  get(name: string): KafkaCluster {
    return this.all.get(name)!
  }

  /** As producers and consumers take them. */
  propertiesOf(...names: readonly string[]): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
    return Object.fromEntries(names.map((name) => [name, { 'bootstrap.servers': this.get(name).bootstrapServers }]))
  }

  /** Both logs, read whole by a bare client. */
  async censusesOf(...names: readonly string[]): Promise<Readonly<Record<string, OrderedCensus>>> {
    const censuses: Record<string, OrderedCensus> = {}
    for (const cluster of names) {
      const { bootstrapServers } = this.get(cluster)
      censuses[cluster] = await takeCensus({ cluster, bootstrapServers, topic: TOPIC }, new OrderedCensus())
    }
    return censuses
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.all.values()].map((cluster) => cluster.stop()))
  }
}

export const TOPIC = 'flood'
export const PARTITIONS = 4
const BOUNDS = { backlogBytesMax: 64 << 20, unacknowledgedBytesMax: 64 << 20 }
/** What the options say that it holds: a backlog for each of two lanes, and the window. */
export const FLOOD_BYTES = 2 * BOUNDS.backlogBytesMax + BOUNDS.unacknowledgedBytesMax
/** Node itself, two clients of librdkafka with their queues, and what V8 has not collected yet. */
export const BESIDE_BYTES = 150 << 20
const OPEN_MAX = 20_000
export const ACCOUNTS = 40
const MESSAGE_BYTES = 200
