import { isTandemError, type ErrorCode, type TandemEvent } from '@tandem/common'
import { encodeStamp, STAMP_HEADER } from '@tandem/common/internal'
import {
  Consumer,
  MemoryHighWaterStore,
  RedisHighWaterStore,
  type ConsumerOptions,
  type Delivery,
} from '@tandem/consumer'
import { ClockEpochs, Producer, type ProducerOptions } from '@tandem/producer'
import { freePorts, RedisServer } from '@tandem/testing'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import rdkafka from 'node-rdkafka'

import { until } from './program.js'
import { clustersOf, createTopic, realClusters, type RealClusters } from './real-clusters.js'

/** What is wrong gets a typed error, or an event, with what was received; and nothing is lost. */
describe('bad input on real clusters', function () {
  this.timeout(60_000)
  let real: RealClusters
  let topic: string

  before(async () => {
    real = await realClusters()
    topic = await createTopic(real, 'bad-input')
  })

  function producerOf(change: Partial<ProducerOptions> = {}, topics = [topic]): Producer {
    return new Producer({
      producerId: 'ledger',
      clusters: clustersOf(real),
      topics: Object.fromEntries(topics.map((name) => [name, {}])),
      epochs: new ClockEpochs(),
      connectTimeoutMs: 5_000,
      ...change,
    })
  }

  function consumerOf(change: Partial<ConsumerOptions> = {}): Consumer {
    return new Consumer({
      groupId: 'balances',
      clusters: clustersOf(real),
      topics: [topic],
      highWater: new MemoryHighWaterStore(),
      connectTimeoutMs: 5_000,
      ...change,
    })
  }

  const SIDES = [
    ['producer', (change: object, topics?: string[]) => producerOf(change, topics)],
    ['consumer', (change: object, topics?: string[]) => consumerOf({ ...change, ...(topics && { topics }) })],
  ] as const

  for (const [side, create] of SIDES) {
    it(`${side}: the same cluster under two names`, async () => {
      const east = { 'bootstrap.servers': real.east.bootstrapServers }
      await rejects(() => create({ clusters: { east, west: { ...east } } }), 'TANDEM_CLUSTER_SHARED')
      const alias = { 'bootstrap.servers': real.east.bootstrapServers.replace('127.0.0.1', 'localhost') }
      await rejects(() => create({ clusters: { east, west: alias } }), 'TANDEM_CLUSTER_SHARED')
    })

    it(`${side}: a topic with unequal partition counts, naming both`, async () => {
      const name = `unequal-${side}-${process.pid}`
      await real.east.createTopic(name, { partitions: 4 })
      await real.west.createTopic(name, { partitions: 3 })
      const error = await rejects(() => create({}, [name]), 'TANDEM_PARTITIONS_UNEQUAL')
      expect(error.message).to.include('4').and.to.include('3').and.to.include('east').and.to.include('west')
    })

    it(`${side}: a topic that does not exist`, async () => {
      const error = await rejects(() => create({}, ['no-such-topic']), 'TANDEM_TOPIC_MISSING')
      expect(error.message).to.include('no-such-topic')
    })

    it(`${side}: starts with one cluster when the other cannot be reached`, async () => {
      const [port] = await freePorts(1)
      const events: TandemEvent[] = []
      const clusters = { ...clustersOf(real), west: { 'bootstrap.servers': `127.0.0.1:${port}` } }
      const one = create({ clusters })
      one.events$.subscribe((event) => events.push(event))
      await one.connect()
      await until('the other one is told of', () => events.some(({ kind }) => kind === 'cluster-unreachable'))
      await one.close()
    })

    it(`${side}: a typed error in bounded time when neither can be reached`, async () => {
      const [a, b] = await freePorts(2)
      const clusters = {
        east: { 'bootstrap.servers': `127.0.0.1:${a}` },
        west: { 'bootstrap.servers': `127.0.0.1:${b}` },
      }
      const error = await rejects(() => create({ clusters, connectTimeoutMs: 2_000 }), 'TANDEM_CLUSTERS_UNREACHABLE')
      expect(error).to.have.property('outcome', 'not-written')
      for (const [cluster, port] of Object.entries({ east: a, west: b })) {
        expect(error.message).to.match(new RegExp(`${cluster}: .*:${port} failed: Connection refused`))
      }
    })
  }

  it('producer: a topic that is compacted, be it in one cluster, before anything is written; and when it is seen first', async () => {
    const name = `compacted-${process.pid}`
    await real.east.createTopic(name, { partitions: 2 })
    await real.west.createTopic(name, { partitions: 2, config: { 'cleanup.policy': 'compact' } })
    const error = await rejects(() => producerOf({}, [name]), 'TANDEM_TOPIC_COMPACTED')
    expect(error.message).to.include(name).and.to.include('west')
    const producer = producerOf()
    await producer.connect()
    const message = { topic: name, key: 'account', value: 'text' }
    const refused = await producer.send(message).catch((reason: unknown) => reason)
    expect(refused).to.have.property('code', 'TANDEM_TOPIC_COMPACTED')
    await producer.close()
  })

  it('consumer: a void of nothing, by which a producer tries a topic, passes without a word', async () => {
    const tried = await createTopic(real, 'tried')
    const producer = producerOf({}, [tried])
    await producer.connect()
    await producer.close()
    const consumer = consumerOf({ topics: [tried] })
    const events: TandemEvent[] = []
    consumer.events$.subscribe((event) => events.push(event))
    consumer.deliveries$.subscribe((delivery) =>
      expect.fail(`nothing was sent, and there came ${delivery.position.counter}`),
    )
    const passed = (): boolean => {
      const [partition] = consumer.status().partitions
      return ['east', 'west'].every((cluster) => partition?.feeds[cluster]?.nextOffset === 1)
    }
    await until('both feeds were read', passed)
    expect(events.filter(({ kind }) => ['record-unstamped', 'stamp-malformed'].includes(kind))).to.deep.equal([])
    await consumer.close()
  })

  it('consumer: records without a stamp, or with one that cannot be read, are told of and pass', async () => {
    const foreign = await createTopic(real, 'foreign')
    const stamp = (first: number) =>
      encodeStamp({ kind: 'data', producerId: 'p', epoch: 1, incarnation: 1, keyRange: 0, first, count: 1 })
    for (const { bootstrapServers } of [real.east, real.west]) {
      await write(bootstrapServers, foreign, [
        { value: 'one', headers: [{ [STAMP_HEADER]: stamp(1) }] },
        { value: 'no headers' },
        { value: 'other headers', headers: [{ trace: 'x' }] },
        { value: 'malformed', headers: [{ [STAMP_HEADER]: '1:d:p:1:1:0:zero:1' }] },
        { value: 'of the future', headers: [{ [STAMP_HEADER]: `2${stamp(2).slice(1)}` }] },
        { value: 'two', headers: [{ [STAMP_HEADER]: stamp(2) }] },
      ])
    }
    const consumer = consumerOf({ topics: [foreign] })
    const events: TandemEvent[] = []
    const values: string[] = []
    consumer.events$.subscribe((event) => events.push(event))
    consumer.deliveries$.subscribe((delivery: Delivery) => {
      values.push(String(delivery.value))
      delivery.ack()
    })
    const count = (kind: string): number => events.filter((event) => event.kind === kind).length
    await until('both feeds were read', () => count('record-unstamped') === 4 && count('stamp-malformed') === 4)
    await until('all is delivered', () => values.length === 2)
    expect(values).to.deep.equal(['one', 'two'])
    const offsets = consumer.status().partitions[0]!.feeds
    expect([offsets['east']!.nextOffset, offsets['west']!.nextOffset]).to.deep.equal([6, 6])
    await consumer.close()
  })

  it('consumer: a store that does not let it in, at once', async () => {
    const redis = new Redis(real.redis.url, { username: 'nobody', password: 'secret' })
    redis.on('error', () => undefined) // it is not let in
    const highWater = new RedisHighWaterStore(redis)
    const begun = performance.now()
    const create = (): Consumer => consumerOf({ highWater, connectTimeoutMs: 60_000 })
    const error = await rejects(create, 'TANDEM_HIGH_WATER_STORE_UNUSABLE')
    redis.disconnect()
    expect(error.message).to.include('WRONGPASS').and.not.to.include('secret')
    expect(performance.now() - begun, 'not tried until time is up').to.be.below(30_000)
  })

  it('consumer: a store with a position of a newer version, at once, and leaves it as it is', async () => {
    const redis = new Redis(real.redis.url)
    const key = `tandem:{newer/${topic}/2}:p`
    await redis.hset(key, { v: '2', owner: 'somebody', token: '7', 's:new': 'of which this version knows nothing' })
    const before = await redis.hgetall(key)
    const highWater = new RedisHighWaterStore(redis)
    const create = (): Consumer => consumerOf({ groupId: 'newer', highWater, connectTimeoutMs: 60_000 })
    const error = await rejects(create, 'TANDEM_HIGH_WATER_STORE_UNUSABLE')
    expect(error.message).to.include(key).and.to.include('format 2')
    expect(await redis.hgetall(key)).to.deep.equal(before)
    redis.disconnect()
  })

  it('consumer: a store in a read-only replica, when the time for a start is up', async () => {
    await using server = await RedisServer.start()
    const redis = new Redis(server.url, { enableReadyCheck: false })
    await redis.replicaof('127.0.0.1', 1)
    const highWater = new RedisHighWaterStore(redis)
    const error = await rejects(() => consumerOf({ highWater }), 'TANDEM_HIGH_WATER_STORE_FAILED')
    expect(error.message).to.include('READONLY')
    expect(error).to.have.property('retriable', true)
    redis.disconnect()
  })

  it('consumer: a store that may lose what it is given is told of, and used all the same', async () => {
    await using server = await RedisServer.start()
    const redis = new Redis(server.url)
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await redis.config('SET', 'appendonly', 'no')
    const consumer = consumerOf({ highWater: new RedisHighWaterStore(redis) })
    const reasons: string[] = []
    consumer.events$.subscribe((event) => {
      if (event.kind === 'store-unsafe') reasons.push(event.reason)
    })
    await consumer.connect()
    await until('both are told', () => reasons.length === 2)
    expect(reasons[0]).to.include('allkeys-lru')
    expect(reasons[1]).to.include('append-only')
    expect(consumer.health().degraded.filter((reason) => reason.includes('unsafe'))).to.have.length(2)
    await consumer.close()
    redis.disconnect()
  })

  it('consumer: a second subscription', async () => {
    const consumer = consumerOf()
    consumer.deliveries$.subscribe()
    const error = await new Promise((resolve) => consumer.deliveries$.subscribe({ error: resolve }))
    expect(isTandemError(error, 'TANDEM_ALREADY_SUBSCRIBED')).to.equal(true)
    await consumer.close()
  })

  it('consumer: deliveries$ errors with what connect() rejects with', async () => {
    const consumer = consumerOf({ topics: ['no-such-topic'] })
    const error = await new Promise((resolve) => consumer.deliveries$.subscribe({ error: resolve }))
    expect(isTandemError(error, 'TANDEM_TOPIC_MISSING')).to.equal(true)
    await consumer.close()
  })

  it('producer: keys, values, headers and sizes that are wrong, each refused before it is stamped', async () => {
    const producer = producerOf({ topics: { [topic]: { messageBytesMax: 1_000 } } })
    await producer.connect()
    const good = { topic, key: 'account-1', value: 'x' }
    const first = await producer.send(good)
    const refused: [object, ErrorCode][] = [
      [{ ...good, key: 7 }, 'TANDEM_MESSAGE_INVALID'],
      [{ ...good, value: 7 }, 'TANDEM_MESSAGE_INVALID'],
      [{ ...good, topic: '' }, 'TANDEM_MESSAGE_INVALID'],
      [{ ...good, headers: { trace: Buffer.from([0xff]) } }, 'TANDEM_MESSAGE_INVALID'],
      [{ ...good, headers: { trace: 'a\0b' } }, 'TANDEM_MESSAGE_INVALID'],
      [{ ...good, timestampMs: -1 }, 'TANDEM_MESSAGE_INVALID'],
      [{ ...good, value: Buffer.alloc(2_000) }, 'TANDEM_MESSAGE_OVERSIZED'],
      [{ ...good, topic: 'no-such-topic' }, 'TANDEM_TOPIC_MISSING'],
    ]
    for (const [message, code] of refused) {
      const error: unknown = await producer.send(message as never).catch((caught: unknown) => caught)
      expect(isTandemError(error, code), `${JSON.stringify(message)}: ${String(error)}`).to.equal(true)
    }
    const next = await producer.send(good)
    expect(next.position.counter, 'no counter was burnt').to.equal(first.position.counter + 1)
    await producer.close()
    const closed: unknown = await producer.send(good).catch((caught: unknown) => caught)
    expect(isTandemError(closed, 'TANDEM_CLOSED')).to.equal(true)
  })
})

interface Connectable {
  connect(): Promise<void>
  close(): Promise<unknown>
}

/** Refused by the constructor or by connect(). */
async function rejects(create: () => Connectable, code: ErrorCode): Promise<Error> {
  let one: Connectable | undefined
  try {
    one = create()
    await one.connect()
  } catch (error) {
    expect(isTandemError(error, code), String(error)).to.equal(true)
    return error as Error
  } finally {
    await one?.close()
  }
  return expect.fail(`it should have been refused with ${code}`)
}

/** By a client that knows nothing of tandem. */
async function write(
  bootstrapServers: string,
  topic: string,
  records: readonly { value: string; headers?: Record<string, string>[] }[],
): Promise<void> {
  const producer = new rdkafka.Producer({ 'bootstrap.servers': bootstrapServers })
  await new Promise<void>((resolve, reject) => producer.connect({}, (error) => (error ? reject(error) : resolve())))
  for (const { value, headers } of records) producer.produce(topic, 0, Buffer.from(value), null, null, null, headers)
  await new Promise<void>((resolve, reject) => producer.flush(10_000, (error) => (error ? reject(error) : resolve())))
  await new Promise<void>((resolve) => producer.disconnect(1_000, () => resolve()))
}
