import { randomBytes } from 'node:crypto'
import { OptionsInvalidError, readOptions, type OptionsGiven } from '@tandem/common/internal'
import { freePorts } from './free-ports.js'
import { awaitMetadata, createKafkaTopic, isLed, type ClientProperties } from './kafka-admin.js'
import { kafkaJars } from './kafka-jars.js'
import { KafkaNode, OWNED_PROPERTIES, REPLICAS_MAX } from './kafka-node.js'
import { KafkaSecurity } from './kafka-security.js'
import { findProgram } from './program.js'
import type { ServiceState, TestCluster, TopicOptions } from './test-cluster.js'

const USERS = {
  kind: 'map',
  of: {
    kind: 'string',
    // A part of what Kafka's tools are told, where other characters would mean something.
    pattern: /^[A-Za-z0-9._-]{1,64}$/,
    allowed: 'up to 64 letters, digits, dots, underscores and hyphens',
    meaning: 'The password.',
  },
  names: /^[a-z0-9-]{1,32}$/,
  countMin: 1,
  meaning: 'Passwords by name.',
} as const

export const KAFKA_CLUSTER_OPTIONS = {
  name: {
    kind: 'string',
    pattern: /^[a-z0-9-]{1,32}$/,
    allowed: 'up to 32 small letters, digits and hyphens',
    default: 'kafka',
    meaning: 'What messages and the data folder call it.',
  },
  nodes: {
    kind: 'number',
    unit: 'nodes',
    min: 1,
    max: 5,
    default: 1,
    meaning:
      'How many nodes it has. Of three or more, each partition has three replicas, of which two must be in sync.',
  },
  proxied: {
    kind: 'boolean',
    default: false,
    meaning: 'Whether clients reach each node only through a TcpProxy of its own, found as `nodes[i].proxy`.',
  },
  sideEntrances: {
    kind: 'number',
    unit: 'entrances',
    min: 0,
    max: 16,
    default: 0,
    meaning:
      'How many more entrances each node has, in plain text, each behind a TcpProxy of its own, found as ' +
      '`nodes[i].sideProxies`: who comes in by one, `sideServers[…]`, can be cut off without the others.',
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
  security: {
    kind: 'object',
    optional: true,
    options: {
      users: USERS,
    },
    meaning:
      'Left out, everybody is let in, in plain text. Given, clients need TLS, trust in an authority that is made for ' +
      'this cluster (by openssl), and the password of one of the users (SASL/SCRAM-SHA-512): `clientProperties()`.',
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
 * A real Apache Kafka on this machine, in KRaft mode: each node is broker and controller in one process.
 *
 * Needs Java 17, and for the first use on a machine Maven and its repository: the jars go to the folder that
 * `TANDEM_CACHE` names, by default `~/.cache/tandem`.
 *
 * ```ts
 * await using east = await KafkaCluster.start({ name: 'east' })
 * await east.createTopic('entries', { partitions: 4 })
 * await east.kill()
 * await east.restart()          // same ports, same data
 *
 * await using south = await KafkaCluster.start({ name: 'south', security: { users: { ledger: 'its-password' } } })
 * const producer = new Producer({ clusters: { east: east.clientProperties(), south: south.clientProperties() }, … })
 *
 * await using west = await KafkaCluster.start({ name: 'west', nodes: 3, proxied: true })
 * for (const node of west.nodes) {
 *   await node.restart()
 *   await west.awaitInSync()
 * }
 * ```
 *
 * Topics are not created on first use. Everything else is Kafka's default or a small cluster's necessity. It ends with this
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
    const options = readOptions(KAFKA_CLUSTER_OPTIONS, given, 'kafkaCluster')
    const { name, properties, heapBytesMax, startTimeoutMs, proxied, sideEntrances } = options
    for (const property of OWNED_PROPERTIES) {
      if (!Object.hasOwn(properties, property)) continue
      throw new OptionsInvalidError(
        `option kafkaCluster.properties.${property}: received ${String(properties[property])}, ` +
          'allowed is to leave it out: it holds the cluster together',
        { path: `kafkaCluster.properties.${property}`, received: properties[property] },
      )
    }
    const [java, jars] = await Promise.all([findProgram('java'), kafkaJars()])
    const [ports, brokerPorts, controllerPorts] = [
      await freePorts(options.nodes),
      await freePorts(options.nodes),
      await freePorts(options.nodes),
    ]
    const security = options.security && (await KafkaSecurity.create(name, options.security.users))
    const common = { clusterName: name, clusterId: clusterId(), java, jars, heapBytes: heapBytesMax, properties }
    const created = await Promise.allSettled(
      ports.map(async (port, index) =>
        KafkaNode.create({
          ...common,
          security: security && { keystore: await security.authority.issue(), users: security.users },
          nodeId: index + 1,
          port,
          brokerPort: brokerPorts[index]!,
          controllerPorts,
          proxied,
          sidePorts: await freePorts(sideEntrances),
          startTimeoutMs,
        }),
      ),
    )
    const nodes = created.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const cluster = new KafkaCluster(nodes, startTimeoutMs, security)
    try {
      for (const result of created) if (result.status === 'rejected') throw result.reason
      await cluster.#run()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  readonly bootstrapServers: string
  /** Where to come in by each of the side entrances. */
  readonly sideServers: readonly string[]
  /** By node id; each can be hung, resumed, killed and restarted by itself. */
  readonly nodes: readonly KafkaNode[]
  readonly #startTimeoutMs: number
  readonly #security: KafkaSecurity | undefined

  private constructor(nodes: readonly KafkaNode[], startTimeoutMs: number, security: KafkaSecurity | undefined) {
    this.nodes = nodes
    this.#startTimeoutMs = startTimeoutMs
    this.#security = security
    this.bootstrapServers = nodes.map(({ address }) => address).join()
    const sides = nodes[0]?.sideProxies ?? []
    this.sideServers = sides.map((_, side) => nodes.map((node) => `127.0.0.1:${node.sideProxies[side]!.port}`).join())
  }

  get state(): ServiceState {
    const states = this.nodes.map(({ state }) => state)
    return WORST_FIRST.find((state) => states.includes(state)) ?? 'stopped'
  }

  /**
   * What a client needs: the addresses, and what opens the door of a secured cluster.
   *
   * @param user of those that a secured cluster has; by default the first one.
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: it has no such user.
   */
  clientProperties(user?: string): ClientProperties {
    return { 'bootstrap.servers': this.bootstrapServers, ...this.#security?.propertiesOf(user) }
  }

  /**
   * Gives a user of a secured cluster another password, or lets in a new one. Who is connected stays so; from now on
   * `clientProperties` has the new one.
   *
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: the cluster did not take it.
   */
  async setPassword(user: string, password: string): Promise<void> {
    const { users } = this.#secured('setPassword')
    readOptions({ users: USERS }, { users: { [user]: password } }, 'setPassword')
    await this.nodes[0]!.setPassword(user, password)
    users.set(user, password)
    // Brokers hear of it from the controller, a moment later.
    await awaitMetadata(this.clientProperties(user), { good: () => true, timeoutMs: CHANGE_TIMEOUT_MS })
  }

  /** Gives each broker of a secured cluster a new key, and a certificate of the same authority, while it runs. */
  async renewCertificates(): Promise<void> {
    const { authority } = this.#secured('renewCertificates')
    await this.#each(async (node) => node.setKeystore(await authority.issue()))
  }

  /**
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: Kafka refused it (its reason is in the message), or does not
   *   answer.
   */
  async createTopic(name: string, options: TopicOptions = {}): Promise<void> {
    const { partitions = PARTITIONS, config = {}, replicas = Math.min(this.nodes.length, REPLICAS_MAX) } = options
    await createKafkaTopic(this.#own, { name, partitions, config, replicas })
    await awaitMetadata(this.#own, {
      topic: name,
      good: isLed(name, partitions),
      timeoutMs: TOPIC_TIMEOUT_MS,
    })
  }

  /**
   * The node that leads each partition of a topic, by partition; undefined if none does.
   *
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: it has no such topic, or does not answer.
   */
  async leaders(topic: string): Promise<readonly (KafkaNode | undefined)[]> {
    const { leaders } = await awaitMetadata(this.#own, {
      good: (metadata) => metadata.leaders.has(topic),
      timeoutMs: TOPIC_TIMEOUT_MS,
    })
    return leaders.get(topic)!.map((leader) => this.nodes.find(({ nodeId }) => nodeId === leader))
  }

  async hang(): Promise<void> {
    await this.#each((node) => node.hang())
  }

  async resume(): Promise<void> {
    await this.#each((node) => node.resume())
  }

  /** SIGKILL. What it acknowledged is in the system's memory of its files, and there after `restart()`. */
  async kill(): Promise<void> {
    await this.#each((node) => node.kill())
  }

  /**
   * Waits until every partition has all its replicas in sync and a leader, as one does between two nodes of a rolling
   * restart.
   *
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: not so within 30 s.
   */
  async awaitInSync(): Promise<void> {
    await awaitMetadata(this.#own, {
      good: ({ brokers, inSync }) => brokers.length === this.nodes.length && inSync,
      timeoutMs: TOPIC_TIMEOUT_MS,
    })
  }

  /** Keeps a copy of what is in its logs now, for `restart({ from: 'dump' })`; it stands still meanwhile. */
  async dump(): Promise<void> {
    await this.#each((node) => node.dump())
  }

  /**
   * Starts it again with the same ports and data, and waits until it answers; kills it first if it runs.
   *
   * @param options.from `'dump'`: with what it had at the last `dump()`, which must have been: as after a power failure
   *   that took the ends of its logs, also of what it had acknowledged.
   */
  async restart(options: { readonly from?: 'dump' } = {}): Promise<void> {
    await this.kill()
    await this.#each((node) => node.take(options.from))
    await this.#run()
  }

  async stop(): Promise<void> {
    await this.#each((node) => node.stop())
    await this.#security?.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** For the questions of this class. */
  get #own(): ClientProperties {
    return { 'bootstrap.servers': this.bootstrapServers, ...this.#security?.own }
  }

  #secured(method: string): KafkaSecurity {
    if (this.#security !== undefined) return this.#security
    throw new OptionsInvalidError(`${method}: received a cluster without, allowed is one with the option security`, {
      path: method,
    })
  }

  async #run(): Promise<void> {
    await this.#each((node) => node.start())
    await awaitMetadata(this.#own, {
      good: ({ brokers }) => brokers.length === this.nodes.length,
      timeoutMs: this.#startTimeoutMs,
    })
  }

  async #each(act: (node: KafkaNode) => Promise<void>): Promise<void> {
    await Promise.all(this.nodes.map(act))
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
const CHANGE_TIMEOUT_MS = 30_000
