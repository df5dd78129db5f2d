import { fileURLToPath } from 'node:url'
import { invariant, OptionsInvalidError, readOptions, type OptionsGiven } from '@tandem/common/internal'
import { awaitMetadata, isLed } from './kafka-admin.js'
import { Service } from './service.js'
import type { ServiceState, TestCluster, TopicOptions } from './test-cluster.js'

export const LOCAL_CLUSTER_OPTIONS = {
  brokers: {
    kind: 'number',
    unit: 'brokers',
    min: 1,
    max: 16,
    default: 1,
    meaning: 'How many brokers the embedded cluster has; they share one process, and hang together.',
  },
} as const

export type LocalClusterOptions = OptionsGiven<typeof LOCAL_CLUSTER_OPTIONS>

/**
 * An embedded Kafka cluster: librdkafka's mock cluster in a child process that can be hung and continued, or killed
 * for good. Up in a third of a second, and needs nothing on the machine.
 *
 * ```ts
 * await using cluster = await LocalCluster.start()
 * const client = { 'bootstrap.servers': cluster.bootstrapServers }
 * ```
 *
 * Good for what two clients and an outage do to each other. Idempotent producing, manual assignment and commits work.
 * Its limits, against a real cluster (`KafkaCluster`):
 * - every topic has four partitions, and comes into being when it is first asked for;
 * - of each partition it keeps 5 MiB of record batches as they came over the wire (compressed ones count as such), or
 *   100,000 batches, and drops the oldest beyond that: with a key and a stamp some 20,000 records of 100 bytes, 10,000
 *   of 400 or 4,500 of 1,000; more topics hold more;
 * - it keeps its log in memory, and its ports are the system's choice: after `kill()` both are gone, so hang it if it
 *   is to come back;
 * - it has no administration requests, no compaction, and no limit on the size of a message.
 *
 * It ends with this process, however that ends.
 */
export class LocalCluster implements TestCluster {
  /**
   * Starts one on free ports of 127.0.0.1.
   *
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`.
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: it did not come up; with the end of its log.
   */
  static async start(given: LocalClusterOptions = {}): Promise<LocalCluster> {
    const { brokers } = readOptions(LOCAL_CLUSTER_OPTIONS, given, 'localCluster')
    const service = await Service.create({ what: 'the embedded cluster', prefix: 'embedded' })
    try {
      const message = await service.start(
        {
          command: process.execPath,
          arguments: [fileURLToPath(new URL('local-cluster-process.js', import.meta.url)), String(brokers)],
          talks: true,
        },
        (_over, child) => child.firstMessage,
        START_TIMEOUT_MS,
      )
      return new LocalCluster(service, bootstrapServersOf(message))
    } catch (error) {
      await service.stop()
      throw error
    }
  }

  readonly bootstrapServers: string
  readonly #service: Service

  private constructor(service: Service, bootstrapServers: string) {
    this.#service = service
    this.bootstrapServers = bootstrapServers
  }

  get state(): ServiceState {
    return this.#service.state
  }

  /**
   * Makes the topic exist, with its four partitions.
   *
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: another partition count, or any configuration.
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: no answer, since it is hung or was killed.
   */
  async createTopic(name: string, options: TopicOptions = {}): Promise<void> {
    const { partitions = PARTITIONS, config = {}, replicas } = options
    if (partitions !== PARTITIONS || Object.keys(config).length > 0 || replicas !== undefined) {
      throw new OptionsInvalidError(
        `topic ${name}: received ${partitions} partitions, configuration ${JSON.stringify(config)} and ` +
          `${replicas ?? 'no'} replicas, the embedded cluster can do ${PARTITIONS} partitions and nothing else`,
        { topic: name, partitions, config, replicas },
      )
    }
    await awaitMetadata(
      { 'bootstrap.servers': this.bootstrapServers },
      {
        topic: name,
        good: isLed(name, PARTITIONS),
        timeoutMs: TOPIC_TIMEOUT_MS,
      },
    )
  }

  hang(): Promise<void> {
    return this.#service.hang()
  }

  resume(): Promise<void> {
    return this.#service.resume()
  }

  /** Ends it with all it holds. There is no way back: its log and its ports are gone. */
  kill(): Promise<void> {
    return this.#service.kill()
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function bootstrapServersOf(message: unknown): string {
  const { bootstrapServers } = message as { bootstrapServers?: unknown }
  invariant(typeof bootstrapServers === 'string', 'the embedded cluster told no address')
  return bootstrapServers
}

/** `defaults.partition_cnt` in librdkafka's `rdkafka_mock.c`; no property changes it. */
const PARTITIONS = 4
/** A third of a second is usual; this is for a machine that does much else. */
const START_TIMEOUT_MS = 30_000
const TOPIC_TIMEOUT_MS = 10_000
