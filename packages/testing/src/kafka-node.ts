import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { awaitCertificate } from './certificates.js'
import { expectFree } from './free-ports.js'
import { awaitPort } from './kafka-admin.js'
import { KAFKA_LOGGING, kafkaCommand, propertiesText } from './kafka-program.js'
import { SCRAM } from './kafka-security.js'
import { Service, type ServiceCommand } from './service.js'
import { TcpProxy } from './tcp-proxy.js'
import type { ServiceState } from './test-cluster.js'

export interface KafkaNodeOptions {
  readonly clusterName: string
  readonly clusterId: string
  /** 1, 2, 3 …: its place in `controllerPorts`, counted from 1. */
  readonly nodeId: number
  /** Clients talk to it here. */
  readonly port: number
  /** Other brokers do. */
  readonly brokerPort: number
  /** Of all nodes, by node id. */
  readonly controllerPorts: readonly number[]
  /** Whether clients reach it only through a proxy of its own. */
  readonly proxied: boolean
  /** Ports of further entrances, each behind a proxy of its own. */
  readonly sidePorts: readonly number[]
  readonly startTimeoutMs: number
  readonly java: string
  /** The folder with Kafka's jars. */
  readonly jars: string
  readonly heapBytes: number
  /** Over ours. */
  readonly properties: Readonly<Record<string, string | number | boolean>>
  /** Whom it lets in; everybody, in plain text, if it is left out. */
  readonly security?: NodeSecurity | undefined
}

export interface NodeSecurity {
  /** Key and certificate, as PEM. */
  readonly keystore: string
  /** Passwords by name: who is known when the cluster begins. */
  readonly users: ReadonlyMap<string, string>
}

/**
 * One Kafka process, broker and controller in one, with its ports and its data, which it keeps over restarts.
 *
 * Made by `KafkaCluster`, and found in its `nodes`.
 */
export class KafkaNode {
  /** Formats a data folder; does not start the process. */
  static async create(options: KafkaNodeOptions): Promise<KafkaNode> {
    const { clusterName, clusterId, nodeId } = options
    const service = await Service.create({
      what: `node ${nodeId} of the Kafka cluster ${clusterName}`,
      prefix: `kafka-${clusterName}-${nodeId}`,
    })
    let proxy: TcpProxy | undefined
    const sideProxies: TcpProxy[] = []
    try {
      if (options.proxied) proxy = await TcpProxy.start({ target: options.port })
      for (const target of options.sidePorts) sideProxies.push(await TcpProxy.start({ target }))
      const node = new KafkaNode(service, options, { proxy, sideProxies })
      await writeFile(node.#file('server.properties'), propertiesText(node.#properties()))
      await writeFile(node.#file('log4j2.properties'), KAFKA_LOGGING)
      if (options.security !== undefined) await writeFile(node.#file(KEYSTORE), options.security.keystore)
      await service.run(
        node.#command(
          'kafka.tools.StorageTool',
          'format',
          `--cluster-id=${clusterId}`,
          '--config',
          node.#file('server.properties'),
          ...[...(options.security?.users ?? [])].flatMap(([name, password]) => [
            '--add-scram',
            `${SCRAM}=[name=${name},password=${password}]`,
          ]),
        ),
      )
      return node
    } catch (error) {
      for (const one of [proxy, ...sideProxies]) await one?.stop()
      await service.stop()
      throw error
    }
  }

  /** Between clients and this node, if the cluster is `proxied`; brokers do not pass through it. */
  readonly proxy: TcpProxy | undefined
  /** Those of its side entrances, in their order. */
  readonly sideProxies: readonly TcpProxy[]
  readonly #service: Service
  readonly #options: KafkaNodeOptions
  #keystores = 1

  private constructor(
    service: Service,
    options: KafkaNodeOptions,
    { proxy, sideProxies }: Pick<KafkaNode, 'proxy' | 'sideProxies'>,
  ) {
    this.#service = service
    this.#options = options
    this.proxy = proxy
    this.sideProxies = sideProxies
  }

  get nodeId(): number {
    return this.#options.nodeId
  }

  /** Where clients find it. */
  get address(): string {
    return `127.0.0.1:${this.proxy?.port ?? this.#options.port}`
  }

  get state(): ServiceState {
    return this.#service.state
  }

  /** Starts the process and waits until it serves clients, which takes a majority of the nodes. */
  async start(): Promise<void> {
    await expectFree(this.#options.port)
    await this.#service.start(
      this.#command('kafka.Kafka', this.#file('server.properties')),
      // It opens this port only when the controller has let the broker in.
      (over) => awaitPort(this.#options.port, over),
      this.#options.startTimeoutMs,
    )
  }

  hang(): Promise<void> {
    return this.#service.hang()
  }

  resume(): Promise<void> {
    return this.#service.resume()
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.#service.kill()
  }

  /** Keeps a copy of its data as it is now, for `restart({ from: 'dump' })`; it stands still meanwhile. */
  async dump(): Promise<void> {
    await this.hang()
    try {
      await rm(this.#file(DUMP), { recursive: true, force: true })
      await cp(this.#file(DATA), this.#file(DUMP), { recursive: true })
    } finally {
      await this.resume()
    }
  }

  /**
   * Starts it again with the same ports and data, and waits until it serves clients; kills it first if it runs.
   *
   * @param options.from `'dump'`: with the data of the last `dump()`, which must have been.
   */
  async restart(options: { readonly from?: 'dump' } = {}): Promise<void> {
    await this.kill()
    await this.take(options.from)
    await this.start()
  }

  /** Puts data in the place of what it has; it must not run. */
  async take(from: 'dump' | undefined): Promise<void> {
    if (from === undefined) return
    await rm(this.#file(DATA), { recursive: true })
    await cp(this.#file(DUMP), this.#file(DATA), { recursive: true })
  }

  /** Makes the cluster that it belongs to know a password; the node must be running, and a majority with it. */
  async setPassword(user: string, password: string): Promise<void> {
    await this.#configure('take a password', 'users', user, `${SCRAM}=[password=${password}]`)
  }

  /** Waits until new connections of clients see the other certificate; those that are open stay. */
  async setKeystore(keystore: string): Promise<void> {
    // Another name each time: what is configured has to differ for the broker to look at it.
    const file = this.#file(`${++this.#keystores}-${KEYSTORE}`)
    await writeFile(file, keystore)
    await this.#configure(
      'take a certificate',
      'brokers',
      String(this.nodeId),
      `${CLIENT_SSL}.keystore.location=${file}`,
    )
    await awaitCertificate(this.#options.port, keystore)
  }

  /** Ends it for good and removes what it stored. */
  async stop(): Promise<void> {
    await this.#service.stop()
    for (const one of [this.proxy, ...this.sideProxies]) await one?.stop()
  }

  /** Between brokers nobody is asked for a password, so that no client's mistake is in the way. */
  async #configure(verb: string, kind: 'users' | 'brokers', name: string, config: string): Promise<void> {
    await this.#service.run(
      this.#command(
        'kafka.admin.ConfigCommand',
        ...['--bootstrap-server', `127.0.0.1:${this.#options.brokerPort}`],
        ...['--alter', '--entity-type', kind, '--entity-name', name, '--add-config', config],
      ),
      verb,
    )
  }

  #file(name: string): string {
    return join(this.#service.folder, name)
  }

  #command(main: string, ...args: string[]): ServiceCommand {
    const { java, jars, heapBytes } = this.#options
    return kafkaCommand({ java, jars, heapBytes, loggingFile: this.#file('log4j2.properties') }, main, ...args)
  }

  #properties(): Record<string, string | number | boolean> {
    const { nodeId, port, brokerPort, controllerPorts, sidePorts, properties, security } = this.#options
    const nodes = controllerPorts.length
    const replicas = Math.min(nodes, REPLICAS_MAX)
    const inSyncMin = Math.max(1, replicas - 1)
    const plain = ['BROKER', 'CONTROLLER', ...sidePorts.map((_, index) => `SIDE${index}`)]
    return {
      'process.roles': 'broker,controller',
      'node.id': nodeId,
      'controller.quorum.voters': controllerPorts.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(),
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'BROKER',
      'listener.security.protocol.map': [
        `CLIENT:${security === undefined ? 'PLAINTEXT' : 'SASL_SSL'}`,
        ...plain.map((name) => `${name}:PLAINTEXT`),
      ].join(),
      ...(security === undefined
        ? {}
        : {
            'listener.name.client.sasl.enabled.mechanisms': SCRAM,
            [`listener.name.client.${SCRAM.toLowerCase()}.sasl.jaas.config`]:
              'org.apache.kafka.common.security.scram.ScramLoginModule required;',
            [`${CLIENT_SSL}.keystore.type`]: 'PEM',
            [`${CLIENT_SSL}.keystore.location`]: this.#file(KEYSTORE),
          }),
      listeners: [
        `CLIENT://127.0.0.1:${port}`,
        `BROKER://127.0.0.1:${brokerPort}`,
        `CONTROLLER://127.0.0.1:${controllerPorts[nodeId - 1]}`,
        ...sidePorts.map((port, index) => `SIDE${index}://127.0.0.1:${port}`),
      ].join(),
      'advertised.listeners': [
        `CLIENT://${this.address}`,
        `BROKER://127.0.0.1:${brokerPort}`,
        ...this.sideProxies.map(({ port }, index) => `SIDE${index}://127.0.0.1:${port}`),
      ].join(),
      'log.dirs': this.#file(DATA),
      'default.replication.factor': replicas,
      'min.insync.replicas': inSyncMin,
      'offsets.topic.replication.factor': replicas,
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': inSyncMin,
      'share.coordinator.state.topic.replication.factor': replicas,
      'share.coordinator.state.topic.min.isr': inSyncMin,
      ...DEFAULTS,
      ...properties,
    }
  }
}

/** Of each partition, as far as there are nodes; one of them may be away and writing goes on. */
export const REPLICAS_MAX = 3

/** Properties that hold the cluster together: a test cannot choose them. */
export const OWNED_PROPERTIES: readonly string[] = [
  'process.roles',
  'node.id',
  'controller.quorum.voters',
  'controller.listener.names',
  'inter.broker.listener.name',
  'listener.security.protocol.map',
  'listeners',
  'advertised.listeners',
  'log.dirs',
]

/** Folders, in that of the node. */
const DATA = 'data'
const DUMP = 'dump'
const KEYSTORE = 'keystore.pem'
const CLIENT_SSL = 'listener.name.client.ssl'

/** What a test wants otherwise than production does; all else is Kafka's own default. */
const DEFAULTS = {
  // A topic that a test forgot to create is a mistake, which production shows too.
  'auto.create.topics.enable': false,
  // Few partitions of topics that nobody looks at.
  'offsets.topic.num.partitions': 4,
  'transaction.state.log.num.partitions': 4,
  'share.coordinator.state.topic.num.partitions': 4,
  'group.initial.rebalance.delay.ms': 0,
  // A killed broker may not come back before its session has run out (9 s by default): that is most of a restart.
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
  // 128 MiB by default, taken at start from the heap; tests compact little.
  'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
}
