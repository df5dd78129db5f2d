import { randomBytes } from 'node:crypto'
import { OptionsInvalidError, readOptions, type OptionsGiven } from '@tandem/common/internal'
import { awaitMetadata, createKafkaTopic } from './kafka-admin.js'
import { kafkaJars } from './kafka-jars.js'
import { KafkaNode, OWNED_PROPERTIES } from './kafka-node.js'
import { findProgram } from './program.js'
import type { ServiceState, TestCluster, TopicOptions } from './test-cluster.js'

export const KAFKA_CLUSTER_OPTIONS = {
  name: {
    kind: 'string',
    pattern: /^[a-z0-9-]{1,32}$/,
    allowed: 'up to 32 small letters, digits and hyphens',
    default: 'kafka',
    meaning: 'What messages and the data folder call it.',
  },
  properties: {
    kind: 'map',
    of: {
      kind: 'opaque',
      check: (value: unknown): value is string | number | boolean =>
        ['string', 'number', 'boolean'].includes(typeof value),
      allowed: 'a text, a number, true or false',
      meaning: 'The value.',
    },
    meaning: 'Properties of the brokers, by Kafka’s names, over the defaults for tests.',
  },
  heapBytesMax: {
    kind: 'number',
    unit: 'bytes',
    min: 64 << 20,
    max: 2 ** 36,
    default: 360 << 20,
    meaning: 'Heap of each broker. A broker takes about 180 MB in all while little happens.',
  },
  startTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 1,
    max: 600_000,
    default: 60_000,
    meaning: 'How long start and restart wait for the cluster to serve; 3 s are usual for a start, 5 s for a restart.',
  },
} as const

export type KafkaClusterOptions = OptionsGiven<typeof KAFKA_CLUSTER_OPTIONS>

/**
 * A real Apache Kafka on this machine, in KRaft mode: one node for now, broker and controller in one process.
 *
 * Needs Java 17, and for the first use on a machine Maven and its repository: the jars go to the folder that
 * `TANDEM_CACHE` names, by default `~/.cache/tandem`.
 *
 * ```ts
 * await using east = await KafkaCluster.start({ name: 'east' })
 * await east.createTopic('entries', { partitions: 4 })
 * await east.kill()
 * await east.restart()          // same ports, same data
 * ```
 *
 * Topics are not created on first use. Everything else is Kafka's default or one node's necessity. It ends with this
 * process, however that ends, and its data with it.
 */
export class KafkaCluster implements TestCluster {
  /**
   * Starts one on free ports of 127.0.0.1 and waits until it answers.
   *
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: also for a property that holds the cluster together.
   * @throws ServiceMissingError `TANDEM_SERVICE_MISSING`: Java or Maven is not on the path; says what installs it.
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: it did not come up, or its jars could not be fetched; with the
   *   end of the log.
   */
  static async start(given: KafkaClusterOptions = {}): Promise<KafkaCluster> {
    const { name, properties, heapBytesMax, startTimeoutMs } = readOptions(KAFKA_CLUSTER_OPTIONS, given, 'kafkaCluster')
    for (const property of OWNED_PROPERTIES) {
      if (!Object.hasOwn(properties, property)) continue
      throw new OptionsInvalidError(
        `option kafkaCluster.properties.${property}: received ${String(properties[property])}, ` +
          'allowed is to leave it out: it holds the cluster together',
        { path: `kafkaCluster.properties.${property}`, received: properties[property] },
      )
    }
    const node = await KafkaNode.create({
      clusterName: name,
      clusterId: clusterId(),
      nodeId: 1,
      java: await findProgram('java'),
      jars: await kafkaJars(),
      heapBytes: heapBytesMax,
      properties,
    })
    const cluster = new KafkaCluster([node], startTimeoutMs)
    try {
      await cluster.#run()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  readonly bootstrapServers: string
  readonly #nodes: readonly KafkaNode[]
  readonly #startTimeoutMs: number

  private constructor(nodes: readonly KafkaNode[], startTimeoutMs: number) {
    this.#nodes = nodes
    this.#startTimeoutMs = startTimeoutMs
    this.bootstrapServers = nodes.map(({ port }) => `127.0.0.1:${port}`).join()
  }

  get state(): ServiceState {
    const states = this.#nodes.map(({ service }) => service.state)
    return WORST_FIRST.find((state) => states.includes(state)) ?? 'stopped'
  }

  /**
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: Kafka refused it (its reason is in the message), or does not
   *   answer.
   */
  async createTopic(name: string, options: TopicOptions = {}): Promise<void> {
    const { partitions = PARTITIONS, config = {} } = options
    await createKafkaTopic(this.bootstrapServers, { name, partitions, config, replicas: 1 })
    await awaitMetadata(this.bootstrapServers, {
      topic: name,
      good: ({ led }) => led.get(name) === partitions,
      timeoutMs: TOPIC_TIMEOUT_MS,
    })
  }

  async hang(): Promise<void> {
    await this.#each((node) => node.service.hang())
  }

  async resume(): Promise<void> {
    await this.#each((node) => node.service.resume())
  }

  /** SIGKILL. What it acknowledged is in the system's memory of its files, and there after `restart()`. */
  async kill(): Promise<void> {
    await this.#each((node) => node.service.kill())
  }

  /** Starts it again with the same ports and data, and waits until it answers; kills it first if it runs. */
  async restart(): Promise<void> {
    await this.kill()
    await this.#run()
  }

  async stop(): Promise<void> {
    await this.#each((node) => node.service.stop())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #run(): Promise<void> {
    await this.#each((node) => node.start(this.#startTimeoutMs))
    await awaitMetadata(this.bootstrapServers, {
      good: ({ brokers }) => brokers.length === this.#nodes.length,
      timeoutMs: this.#startTimeoutMs,
    })
  }

  async #each(act: (node: KafkaNode) => Promise<void>): Promise<void> {
    await Promise.all(this.#nodes.map(act))
  }
}

/** 16 bytes in Kafka's spelling, which the format tool would take for an option if it began with a hyphen. */
function clusterId(): string {
  return `t${randomBytes(16).toString('base64url').slice(1)}`
}

/** A cluster is what the worst of its nodes is. */
const WORST_FIRST: readonly ServiceState[] = ['stopped', 'killed', 'hung', 'running']
/** As the embedded cluster's, so that a test runs on either. */
const PARTITIONS = 4
const TOPIC_TIMEOUT_MS = 30_000
