import type { FeedRecord } from '@tandem/consumer/internal'

import { SimulatedClusterClient } from '../simulation/simulated-cluster-client.js'
import { SimulatedFeedClient } from '../simulation/simulated-feed-client.js'
import { SimulatedLogReader } from '../simulation/simulated-log-reader.js'
import type { LogEntry } from '../simulation/simulated-log.js'
import { World } from '../simulation/world.js'
import { LONG_AGO, type Benches, type ClientOptions, type ClusterBench } from './cluster-bench.js'

/** A cluster of a simulated world, and the simulated clients. */
class SimulatedBench implements ClusterBench {
  readonly topic = 'entries'
  readonly #world = new World({ topics: { entries: 2 }, brokers: 1 })
  readonly #process = this.#world.createProcess('client')

  constructor(recordBytesMax: number) {
    this.#world.east.refuse(({ value }) => (value?.length ?? 0) > recordBytesMax)
  }

  get wallMs(): number {
    return this.#process.clock.wall()
  }

  get now(): number {
    return this.#world.now
  }

  createClusterClient(
    options: ClientOptions,
    handler: ConstructorParameters<typeof SimulatedClusterClient>[1],
  ): SimulatedClusterClient {
    const where = { cluster: this.#world.east, process: this.#process, writeRecordsMax: 500 }
    return new SimulatedClusterClient({ cluster: 'east', properties: {}, ...options }, handler, where)
  }

  createFeedClient(
    { connectTimeoutMs }: { readonly connectTimeoutMs: number },
    handler: ConstructorParameters<typeof SimulatedFeedClient>[1],
  ): SimulatedFeedClient {
    const topics = [this.topic, 'nowhere']
    const options = { cluster: 'east', groupId: 'conformance', properties: {}, topics, connectTimeoutMs }
    const where = { cluster: this.#world.east, process: this.#process, pollTimeoutMs: 50, readRecordsMax: 500 }
    return new SimulatedFeedClient(options, handler, where)
  }

  createLogReader(): SimulatedLogReader {
    return new SimulatedLogReader({ cluster: this.#world.east, process: this.#process, readRecordsMax: 500 })
  }

  async write(partition: number, entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) this.#world.east.append(this.topic, partition, entry)
  }

  async read(partition: number): Promise<readonly FeedRecord[]> {
    return [...this.#world.east.log(this.topic, partition)]
  }

  async expire(partition: number): Promise<void> {
    const log = this.#world.east.log(this.topic, partition)
    if ([...log].every(({ timestampMs }) => timestampMs === LONG_AGO)) log.moveStart(log.end)
  }

  async hang(): Promise<void> {
    this.#world.east.hang()
  }

  async resume(): Promise<void> {
    this.#world.east.heal()
  }

  async kill(): Promise<void> {
    this.#world.east.kill()
  }

  async restart(): Promise<void> {
    this.#world.east.restart()
  }

  async until(what: string, good: () => boolean, ms = 30_000): Promise<void> {
    if (!(await this.#world.until(good, ms))) throw new Error(`not within ${ms} ms: ${what}`)
  }

  pass(ms: number): Promise<void> {
    return this.#world.run(ms)
  }
}

export const simulatedBenches: Benches = {
  open: async ({ recordBytesMax = Infinity } = {}) => new SimulatedBench(recordBytesMax),
}
