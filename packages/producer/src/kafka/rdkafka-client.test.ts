import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { isTandemError, type ClusterDescription } from '@tandem/common/internal'
import { expect } from 'chai'
import rdkafka from 'node-rdkafka'

import { sealed, sequences } from '../core/given.test.js'
import type { WriteFailure } from '../core/write-failure.js'
import type { ClientStatistics, ClusterClientOptions } from './cluster-client.js'
import { nativeProperties, RdkafkaClient } from './rdkafka-client.js'

function options(properties: Record<string, string>): ClusterClientOptions {
  return { cluster: 'east', properties, connectTimeoutMs: 2_000, messageBytesMax: 1_000_000 }
}

type Heard =
  | { kind: 'connected' }
  | { kind: 'failed' | 'fatal'; reason: string }
  | { kind: 'report'; id: number; offset: number; failure: WriteFailure | undefined }

/** A client, and what it says. */
class Bench {
  readonly heard: Heard[] = []
  readonly statistics: ClientStatistics[] = []
  readonly client: RdkafkaClient
  #listener: () => void = () => undefined

  constructor(given: ClusterClientOptions) {
    this.client = new RdkafkaClient(given, {
      handleConnected: () => this.#hear({ kind: 'connected' }),
      handleConnectFailed: (reason) => this.#hear({ kind: 'failed', reason }),
      handleReport: (id, offset, failure) => this.#hear({ kind: 'report', id, offset, failure }),
      handleAllReported: () => undefined,
      handleFatal: (reason) => this.#hear({ kind: 'fatal', reason }),
      handleStatistics: (statistics) => void this.statistics.push(statistics),
    })
  }

  async hears(count: number): Promise<Heard[]> {
    while (this.heard.length < count) await new Promise<void>((resolve) => (this.#listener = resolve))
    return this.heard
  }

  describe(topics: readonly string[]): Promise<ClusterDescription | string> {
    return new Promise((resolve) =>
      this.client.describe(topics, 2_000, (description, reason) => resolve(description ?? reason)),
    )
  }

  discard(): Promise<void> {
    return new Promise((resolve) => this.client.discard(resolve))
  }

  #hear(heard: Heard): void {
    this.heard.push(heard)
    this.#listener()
  }
}

describe('rdkafka-client properties', () => {
  it('passes on what a user gives, topic properties where librdkafka looks for them', () => {
    const { globals, topics } = nativeProperties(
      options({ 'bootstrap.servers': 'east:1', 'compression.codec': 'lz4', 'compression.level': '3' }),
    )
    expect(globals).to.include({ 'bootstrap.servers': 'east:1', 'compression.codec': 'lz4' })
    expect(topics).to.include({ 'compression.level': '3', acks: 'all' })
  })

  it('sets what the protocol depends on', () => {
    const { globals, topics } = nativeProperties(options({ 'bootstrap.servers': 'east:1' }))
    expect(globals).to.include({
      'enable.idempotence': 'true',
      'metadata.recovery.strategy': 'none',
      'allow.auto.create.topics': 'false',
      dr_cb: true,
    })
    expect(Number(globals['message.max.bytes'])).to.be.above(1_000_000)
    // The circuit judges by its own clock before librdkafka gives up.
    for (const ms of [globals['socket.timeout.ms'], topics['message.timeout.ms'], topics['request.timeout.ms']]) {
      expect(Number(ms)).to.be.above(5_000)
    }
  })

  it('names a property that librdkafka does not know, or a value that it does not take', () => {
    const wrong: Record<string, string>[] = [
      { 'bootstrap.severs': 'east:1' },
      { 'bootstrap.servers': 'east:1', 'batch.size': 'x' },
    ]
    for (const properties of wrong) {
      let error: unknown
      try {
        new RdkafkaClient(options(properties), {} as never)
      } catch (thrown) {
        error = thrown
      }
      expect(isTandemError(error, 'TANDEM_OPTIONS_INVALID')).to.equal(true)
      expect((error as Error).message)
        .to.contain('clusters.east')
        .and.to.contain(Object.keys(properties).at(-1))
    }
  })
})

describe('rdkafka-client on an embedded cluster', () => {
  let folder: string
  let cluster: ChildProcess
  let bootstrapServers: string

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-client-'))
    const program = join(folder, 'cluster.cjs')
    writeFileSync(program, CLUSTER)
    cluster = fork(program, [createRequire(import.meta.url).resolve('node-rdkafka')], { stdio: 'ignore' })
    bootstrapServers = await new Promise((resolve) => cluster.once('message', (message) => resolve(String(message))))
  })

  after(() => {
    cluster.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  it('connects, describes without making topics, writes data and voids, and reports where', async () => {
    const bench = new Bench(options({ 'bootstrap.servers': bootstrapServers }))
    bench.client.connect()
    expect(await bench.hears(1)).to.deep.equal([{ kind: 'connected' }])
    for (let twice = 0; twice < 2; twice++) {
      const described = (await bench.describe(['entries', 'nowhere'])) as ClusterDescription
      expect(described.topics.map(({ name, partitions }) => [name, partitions.length])).to.deep.equal([['entries', 4]])
      expect(described.topics[0]!.partitions[1]).to.deep.equal({ partition: 1, leader: 1, replicas: 1, inSync: 1 })
      expect(described.brokers.map(({ host, port }) => `${host}:${port}`)).to.deep.equal([bootstrapServers])
    }
    const many = Array.from({ length: 30 }, (_, i) => `nowhere-${i}`)
    const among = (await bench.describe([...many, 'entries'])) as ClusterDescription
    expect(among.topics.map(({ name }) => name)).to.deep.equal(['entries'])
    expect(((await bench.describe([])) as ClusterDescription).topics).to.deep.equal([])
    const record = sealed(sequences(4)[2]!)
    const tombstone = { ...record, topic: record.topic, partition: 2, value: null }
    expect(bench.client.produce(5, record)).to.equal(undefined)
    expect(bench.client.produce(2 ** 31 - 1, tombstone)).to.equal(undefined)
    expect((await bench.hears(3)).slice(1)).to.deep.equal([
      { kind: 'report', id: 5, offset: 0, failure: undefined },
      { kind: 'report', id: 2 ** 31 - 1, offset: 1, failure: undefined },
    ])
    await bench.discard()
  })

  it('says how it is as often as it is asked to, until it is discarded, and not at all unasked', async () => {
    const asked = new Bench({ ...options({ 'bootstrap.servers': bootstrapServers }), statisticsIntervalMs: 50 })
    const unasked = new Bench(options({ 'bootstrap.servers': bootstrapServers }))
    for (const bench of [asked, unasked]) bench.client.connect()
    await Promise.all([asked.hears(1), unasked.hears(1)])
    asked.client.produce(1, sealed(sequences(4)[0]!))
    await asked.hears(2)
    const heardOf = asked.statistics.length
    while (asked.statistics.length < heardOf + 3) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(asked.statistics.reduce((sum, { grown }) => sum + grown.connects, 0)).to.be.above(0)
    expect(asked.statistics.some(({ roundTripP99Ms }) => roundTripP99Ms !== undefined)).to.equal(true)
    expect(asked.statistics.at(-1)).to.include({ queueMessages: 0, queueBytes: 0, requestsWaiting: 0 })
    await asked.discard()
    const heard = asked.statistics.length
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect([asked.statistics.length, unasked.statistics.length]).to.deep.equal([heard, 0])
    await unasked.discard()
  }).timeout(10_000)

  it('says at once what it does not take', async () => {
    const bench = new Bench(options({ 'bootstrap.servers': bootstrapServers }))
    bench.client.connect()
    await bench.hears(1)
    const record = sealed(sequences(4)[0]!)
    const large = { ...record, topic: record.topic, partition: 0, value: Buffer.alloc(2_000_000) }
    expect(bench.client.produce(1, large)).to.deep.equal({ kind: 'refused', reason: 'message size too large' })
    await bench.discard()
  })

  it('says nothing any more once it is discarded, and has then let go of everything', async () => {
    const bench = new Bench(options({ 'bootstrap.servers': bootstrapServers }))
    bench.client.connect()
    await bench.hears(1)
    for (let id = 0; id < 100; id++) bench.client.produce(id, sealed(sequences(4)[0]!))
    await bench.discard()
    expect(bench.heard).to.have.length(1)
  })

  it('can be discarded while it connects', async () => {
    const bench = new Bench(options({ 'bootstrap.servers': '127.0.0.1:1' }))
    bench.client.connect()
    await bench.discard()
    expect(bench.heard).to.deep.equal([])
  })

  it('says when librdkafka gives itself up', async () => {
    const bench = new Bench(options({ 'bootstrap.servers': bootstrapServers }))
    const native = nativeOf(() => bench.client.connect()).deref()!
    await bench.hears(1)
    const { event_cb: say } = native._cb_configs.event // what its native part calls
    say('error', new Error('Local: All broker connections are down'))
    say('error', new Error('Local: Fatal error'))
    await bench.discard()
    expect(bench.heard.slice(1)).to.deep.equal([{ kind: 'fatal', reason: 'fatal error' }])
  })

  it('leaves nothing of an attempt to connect that failed', async () => {
    const attempt = async (): Promise<WeakRef<object>> => {
      const bench = new Bench({ ...options({ 'bootstrap.servers': '127.0.0.1:1' }), connectTimeoutMs: 100 })
      const native = nativeOf(() => bench.client.connect())
      await bench.hears(1)
      await bench.discard()
      return native
    }
    const natives = [await attempt(), await attempt(), await attempt()]
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const left = (): number => natives.filter((native) => native.deref() !== undefined).length
    for (let tries = 0; tries < 100 && left() > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      collect()
    }
    expect(left()).to.equal(0)
  }).timeout(10_000)

  it('fails to connect in bounded time, and says why', async () => {
    const bench = new Bench(options({ 'bootstrap.servers': '127.0.0.1:1' }))
    bench.client.connect()
    expect((await bench.hears(1))[0]).to.deep.equal({
      kind: 'failed',
      reason: '127.0.0.1:1: Connect to ipv4#127.0.0.1:1 failed: Connection refused',
    })
    await bench.discard()
  }).timeout(10_000)
})

interface Native {
  readonly _cb_configs: { readonly event: { readonly event_cb: (type: string, error: Error) => void } }
}

/** node-rdkafka's object that `connect` connects. */
function nativeOf(connect: () => void): WeakRef<Native> {
  const { prototype } = rdkafka.Producer as unknown as {
    prototype: { connect: (this: Native, ...all: unknown[]) => void }
  }
  const original = Object.getOwnPropertyDescriptor(prototype, 'connect')
  const inherited = prototype.connect
  let native: WeakRef<Native> | undefined
  prototype.connect = function (...all) {
    native = new WeakRef(this)
    inherited.apply(this, all)
  }
  try {
    connect()
  } finally {
    if (original === undefined) Reflect.deleteProperty(prototype, 'connect')
    else Object.defineProperty(prototype, 'connect', original)
  }
  return native!
}

/** librdkafka's mock cluster; it ends with its parent. */
const CLUSTER = `
const rdkafka = require(process.argv[2])
const client = new rdkafka.Producer({ 'bootstrap.servers': 'embedded', 'test.mock.num.brokers': 1 })
client.connect({ timeout: 10000 }, (error, { brokers }) => {
  const make = () => client.getMetadata({ topic: 'entries' }, (failed, { topics }) =>
    topics.some(({ partitions }) => partitions.length > 0)
      ? process.send(brokers.map(({ host, port }) => host + ':' + port).join())
      : setTimeout(make, 10))
  make()
})
process.on('disconnect', () => process.exit())
`
