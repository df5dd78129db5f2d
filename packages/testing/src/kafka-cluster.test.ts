import { once } from 'node:events'
import { expect } from 'chai'
import rdkafka, { type LibrdKafkaError } from 'node-rdkafka'
import { KafkaCluster } from './kafka-cluster.js'
import type { KafkaNode } from './kafka-node.js'

describe('KafkaCluster of several nodes, proxied', function () {
  this.timeout(120_000)

  let cluster: KafkaCluster
  let writer: Writer
  before(async () => {
    cluster = await KafkaCluster.start({ name: 'three', nodes: 3, proxied: true })
    await cluster.createTopic('replicated', { partitions: 3 })
    writer = await Writer.connect(cluster)
  })
  after(async () => {
    await writer?.disconnect()
    await cluster?.stop()
  })

  it('has an address per node, each that of a proxy', () => {
    const addresses = cluster.nodes.map(({ proxy }) => `127.0.0.1:${proxy?.port}`)
    expect(cluster.bootstrapServers.split(',')).to.deep.equal(addresses)
    expect(new Set(addresses)).to.have.property('size', 3)
  })

  it('lets clients in through the proxies only', async () => {
    for (const partition of [0, 1, 2]) await writer.write(partition)
    const delayMs = 150
    for (const { proxy } of cluster.nodes) proxy!.slow(delayMs)
    try {
      for (const partition of [0, 1, 2]) {
        const from = performance.now()
        await writer.write(partition)
        expect(performance.now() - from).to.be.at.least(2 * delayMs)
      }
    } finally {
      for (const { proxy } of cluster.nodes) proxy!.pass()
    }
  })

  it('replicates beside the proxies', async () => {
    // Each partition is led by another node, and is acknowledged when two of them have it: with all proxies but its
    // leader's stalled that works only if they talk to each other directly.
    for (const partition of [0, 1, 2]) await writer.write(partition)
    for (const { proxy, nodeId } of cluster.nodes) {
      const led = writer.partitionsLedBy(nodeId)
      expect(led, `led by ${nodeId}`).to.have.length(1)
      const others = cluster.nodes.filter((other) => other.nodeId !== nodeId)
      for (const other of others) other.proxy!.stall()
      expect(proxy!.connections).to.be.above(0)
      for (const partition of led) await writer.write(partition)
      for (const other of others) other.proxy!.pass()
    }
  })

  it('goes on without a node that is killed, and has it in sync again after its restart', async () => {
    const [first] = cluster.nodes as [KafkaNode]
    await first.kill()
    expect([first.state, cluster.state]).to.deep.equal(['killed', 'killed'])
    for (const partition of [0, 1, 2]) await writer.write(partition)
    await first.restart()
    await cluster.awaitInSync()
    expect(cluster.state).to.equal('running')
    for (const partition of [0, 1, 2]) await writer.write(partition)
  })
})

/** A client that waits for all replicas in sync. */
class Writer {
  static async connect(cluster: KafkaCluster): Promise<Writer> {
    const client = new rdkafka.HighLevelProducer({
      'bootstrap.servers': cluster.bootstrapServers,
      'enable.idempotence': true,
      'topic.metadata.refresh.interval.ms': 500,
      'socket.timeout.ms': 3_000, // how long a hung leader is believed
      log_level: 0,
    })
    client.on('event.error', () => {}) // a node that is away is no news here
    const writer = new Writer(client)
    client.connect({ topic: 'replicated', timeout: 10_000 }, (_error, metadata) => {
      for (const { id, leader } of metadata.topics[0]!.partitions) writer.#leaders.set(id, leader)
    })
    await once(client, 'ready')
    return writer
  }

  readonly #client: InstanceType<typeof rdkafka.HighLevelProducer>
  readonly #leaders = new Map<number, number>()

  private constructor(client: InstanceType<typeof rdkafka.HighLevelProducer>) {
    this.#client = client
  }

  /** As the cluster said when this connected. */
  partitionsLedBy(nodeId: number): number[] {
    return [...this.#leaders].filter(([, leader]) => leader === nodeId).map(([partition]) => partition)
  }

  /** Resolves when it is acknowledged. */
  write(partition: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.produce('replicated', partition, Buffer.from('value'), null, undefined, (error: LibrdKafkaError) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  disconnect(): Promise<void> {
    return new Promise((resolve) => this.#client.disconnect(() => resolve()))
  }
}
