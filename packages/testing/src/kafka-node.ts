import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expectFree, freePort } from './free-ports.js'
import { awaitPort } from './kafka-admin.js'
import { Service } from './service.js'

export interface KafkaNodeOptions {
  readonly clusterName: string
  readonly clusterId: string
  readonly nodeId: number
  readonly java: string
  /** The folder with Kafka's jars. */
  readonly jars: string
  readonly heapBytes: number
  /** Over ours. */
  readonly properties: Readonly<Record<string, string | number | boolean>>
}

/** One Kafka process, broker and controller in one, with its ports and its data, which it keeps over restarts. */
export class KafkaNode {
  /** Takes ports, and formats a data folder. */
  static async create(options: KafkaNodeOptions): Promise<KafkaNode> {
    const { clusterName, clusterId, nodeId } = options
    const service = await Service.create({
      what: `node ${nodeId} of the Kafka cluster ${clusterName}`,
      prefix: `kafka-${clusterName}-${nodeId}`,
    })
    try {
      const node = new KafkaNode(service, options, await freePort())
      const properties = node.#properties(await freePort())
      await writeFile(node.#file('server.properties'), propertiesText(properties))
      await writeFile(node.#file('log4j2.properties'), LOGGING)
      await service.run(
        node.#command(
          'kafka.tools.StorageTool',
          'format',
          `--cluster-id=${clusterId}`,
          '--config',
          node.#file('server.properties'),
        ),
      )
      return node
    } catch (error) {
      await service.stop()
      throw error
    }
  }

  readonly port: number
  readonly service: Service
  readonly #options: KafkaNodeOptions

  private constructor(service: Service, options: KafkaNodeOptions, port: number) {
    this.service = service
    this.port = port
    this.#options = options
  }

  /** Starts the process and waits until it serves clients. */
  async start(timeoutMs: number): Promise<void> {
    await expectFree(this.port)
    await this.service.start(
      this.#command('kafka.Kafka', this.#file('server.properties')),
      // It opens this port only when the controller has let the broker in.
      (over) => awaitPort(this.port, over),
      timeoutMs,
    )
  }

  #file(name: string): string {
    return join(this.service.folder, name)
  }

  #command(main: string, ...args: string[]): { command: string; arguments: string[] } {
    const { java, jars, heapBytes } = this.#options
    return {
      command: java,
      arguments: [
        `-Xmx${Math.ceil(heapBytes / 1024)}k`,
        // For a JVM that starts often, lives for a minute and shares two cores with its clients.
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-XX:-UsePerfData',
        '-Djava.awt.headless=true',
        `-Dlog4j2.configurationFile=${this.#file('log4j2.properties')}`,
        '-cp',
        join(jars, '*'),
        main,
        ...args,
      ],
    }
  }

  #properties(controllerPort: number): Record<string, string | number | boolean> {
    const { nodeId, properties } = this.#options
    return {
      'process.roles': 'broker,controller',
      'node.id': nodeId,
      'controller.quorum.voters': `${nodeId}@127.0.0.1:${controllerPort}`,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'BROKER',
      'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
      listeners: `BROKER://127.0.0.1:${this.port},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `BROKER://127.0.0.1:${this.port}`,
      'log.dirs': this.#file('data'),
      ...DEFAULTS,
      ...properties,
    }
  }
}

/** Properties that hold the cluster together: a test cannot choose them. */
export const OWNED_PROPERTIES: readonly string[] = [
  'process.roles',
  'node.id',
  'controller.quorum.voters',
  'controller.listener.names',
  'inter.broker.listener.name',
  'listeners',
  'log.dirs',
]

/** What a test wants otherwise than production does; all else is Kafka's own default. */
const DEFAULTS = {
  // A topic that a test forgot to create is a mistake, which production shows too.
  'auto.create.topics.enable': false,
  // One node, so one copy; and few partitions of topics that nobody looks at.
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 4,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 4,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 4,
  'group.initial.rebalance.delay.ms': 0,
  // A killed broker may not come back before its session has run out (9 s by default): that is most of a restart.
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500,
  // 128 MiB by default, taken at start from the heap; tests compact little.
  'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
}

const LOGGING = `
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`

function propertiesText(properties: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('')
}
