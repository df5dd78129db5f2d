import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import rdkafka, { type LibrdKafkaError } from 'node-rdkafka'
import { isTandemError } from '@tandem/common/internal'
import { certificateAt } from './certificates.js'
import type { ClientProperties } from './kafka-admin.js'
import { KafkaCluster } from './kafka-cluster.js'
import type { KafkaNode } from './kafka-node.js'

describe('KafkaCluster of several nodes, proxied', function () {
  this.timeout(120_000)

  let cluster: KafkaCluster
  let writer: Writer
  before(async () => {
    cluster = await KafkaCluster.start({ name: 'three', nodes: 3, proxied: true, sideEntrances: 1 })
    await cluster.createTopic('replicated', { partitions: 3 })
    writer = await Writer.connect(cluster.bootstrapServers)
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

  it('asks nobody who he is unless it is told to', async () => {
    expect(cluster.clientProperties()).to.deep.equal({ 'bootstrap.servers': cluster.bootstrapServers })
    await invalid(() => cluster.setPassword('ledger', 'one'))
    await invalid(() => cluster.renewCertificates())
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

  it('has a side entrance, which is closed without the others', async () => {
    const aside = await Writer.connect(cluster.sideServers[0]!)
    try {
      for (const partition of [0, 1, 2]) await aside.write(partition)
      for (const { sideProxies } of cluster.nodes) sideProxies[0]!.stall()
      const written = aside.write(0)
      for (const partition of [0, 1, 2]) await writer.write(partition)
      expect(await Promise.race([written, sleep(200, 'nothing')])).to.equal('nothing')
      for (const { sideProxies } of cluster.nodes) sideProxies[0]!.pass()
      await written
    } finally {
      await aside.disconnect()
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

  it('says which node leads a partition, and that none does when the only one with a replica is killed', async () => {
    await cluster.createTopic('single', { replicas: 1, config: { 'min.insync.replicas': '1' } })
    const [leader] = (await cluster.leaders('single')) as [KafkaNode]
    await leader.kill()
    const leaders = async (): Promise<unknown[]> => [...(await cluster.leaders('single'))]
    while ((await leaders()).includes(leader)) await sleep(100) // the others take a while to believe it
    expect(await leaders()).to.include(undefined)
    await leader.restart()
    await cluster.awaitInSync()
    expect((await cluster.leaders('single'))[0]).to.equal(leader)
  })
})

describe('KafkaCluster with security', function () {
  this.timeout(60_000)

  let cluster: KafkaCluster
  before(async () => {
    cluster = await KafkaCluster.start({ name: 'safe', security: { users: { ledger: 'one', audit: 'two' } } })
    await cluster.createTopic('entries')
  })
  after(() => cluster?.stop())

  it('lets in its users, and nobody else', async () => {
    const good = cluster.clientProperties()
    expect(good).to.include({ 'sasl.username': 'ledger', 'sasl.password': 'one' })
    for (const properties of [good, cluster.clientProperties('audit')]) await enter(properties)
    await refused({ ...good, 'sasl.password': 'two' })
    await refused({ ...good, 'sasl.username': 'nobody' })
    await refused({ 'bootstrap.servers': cluster.bootstrapServers })
    const { 'ssl.ca.pem': _, ...trusting } = good
    await refused(trusting)
  })

  it('changes passwords while it runs', async () => {
    const old = cluster.clientProperties('audit')
    await cluster.setPassword('audit', 'another')
    expect(cluster.clientProperties('audit')).to.include({ 'sasl.password': 'another' })
    await enter(cluster.clientProperties('audit'))
    await refused(old)
    await cluster.setPassword('late-comer', 'three')
    await enter(cluster.clientProperties('late-comer'))
  })

  it('changes its certificate while it runs, for one of the same authority', async () => {
    const old = await certificateAt(portOf(cluster))
    await cluster.renewCertificates()
    expect(await certificateAt(portOf(cluster))).to.not.equal(old)
    await enter(cluster.clientProperties())
  })

  it('comes back from kill with its passwords and its certificate', async () => {
    const certificate = await certificateAt(portOf(cluster))
    await cluster.restart()
    expect(await certificateAt(portOf(cluster))).to.equal(certificate)
    await enter(cluster.clientProperties())
    await enter(cluster.clientProperties('audit'))
  })

  it('says what it does not have, and does not take', async () => {
    await invalid(() => cluster.clientProperties('nobody'))
    await invalid(() => cluster.setPassword('ledger', 'a password, and more'))
    await invalid(() => cluster.setPassword('Ledger', 'one'))
    await invalid(() => KafkaCluster.start({ security: { users: {} } }))
  })
})

async function invalid(wrong: () => unknown): Promise<void> {
  const error: unknown = await (async () => wrong())().catch((error: unknown) => error)
  expect(isTandemError(error, 'TANDEM_OPTIONS_INVALID'), String(error)).to.equal(true)
}

function portOf(cluster: KafkaCluster): number {
  return Number(cluster.bootstrapServers.split(':')[1])
}

function enter(properties: ClientProperties, timeoutMs = 10_000): Promise<void> {
  const client = new rdkafka.Producer({ ...properties, log_level: 0 })
  return new Promise((resolve, reject) => {
    client.connect({ topic: 'entries', timeout: timeoutMs }, (error: LibrdKafkaError | null) => {
      if (error) reject(error)
      else client.disconnect(() => resolve())
    })
  })
}

async function refused(properties: ClientProperties): Promise<void> {
  const error: unknown = await enter(properties, 1_500).catch((error: unknown) => error)
  expect(error)
    .to.have.property('message')
    .that.matches(/transport failure/)
}

/** A client that waits for all replicas in sync. */
class Writer {
  static async connect(bootstrapServers: string): Promise<Writer> {
    const client = new rdkafka.HighLevelProducer({
      'bootstrap.servers': bootstrapServers,
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
