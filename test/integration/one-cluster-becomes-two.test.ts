import { setTimeout as sleep } from 'node:timers/promises'

import { Consumer, RedisHighWaterStore } from '@tandem/consumer'
import { Producer } from '@tandem/producer'
import type { KafkaCluster } from '@tandem/testing'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import rdkafka from 'node-rdkafka'

import { until } from './program.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'

/** docs/migration.md on real clusters, with a producer and a consumer before it that know of no tandem. */
describe('from one cluster to two', function () {
  this.timeout(180_000)

  it('nothing is lost, each key keeps its order, and only what was committed shortly before comes again', async () => {
    const real = await realClusters()
    const topic = await createTopic(real, 'migrates')
    await writePlainly(real.east, topic, { first: 1, count: 8_000 })
    const seenBefore = await readPlainly(real.east, topic, 6_000)

    const redis = new Redis(real.redis.url)
    const consumer = new Consumer<Buffer>({
      groupId: GROUP,
      clusters: clustersOf(real),
      topics: [topic],
      highWater: new RedisHighWaterStore(redis),
      unstamped: { deliver: 'east' },
      fallbackRewindMs: 0,
    })
    const given: { readonly number: number; readonly key: string; readonly stamped: boolean }[] = []
    consumer.deliveries$.subscribe((delivery) => {
      given.push({ number: Number(delivery.bytes), key: String(delivery.key), stamped: delivery.stamped })
      delivery.ack()
    })
    const all = (count: number) => (): boolean =>
      new Set([...seenBefore, ...given.map(({ number }) => number)]).size === count
    await until('what was written before is delivered', all(8_000))
    await writePlainly(real.east, topic, { first: 8_001, count: 1_000 })
    await until('what the old producer still wrote is delivered', all(9_000))

    const producer = new Producer({ producerId: 'ledger', clusters: clustersOf(real), topics: { [topic]: {} } })
    await producer.connect()
    await Promise.all(
      numbers(9_001, 1_000).map((number) => producer.send({ topic, key: keyOf(number), value: String(number) })),
    )
    await until('what the new one wrote is delivered', all(10_000))
    await sleep(1_000)
    await producer.close()
    await consumer.close()
    redis.disconnect()

    const again = given.filter(({ number }) => seenBefore.has(number)).length
    expect(again).to.be.within(1, PARTITIONS * 1_000)
    expect(given.length, 'nothing else comes twice').to.equal(10_000 - seenBefore.size + again)
    expect(given.filter(({ stamped }) => stamped).length).to.equal(1_000)
    for (let key = 0; key < KEYS; key++) {
      const ofKey = given.filter((one) => one.key === keyOf(key)).map(({ number }) => number)
      expect(ofKey, keyOf(key)).to.deep.equal([...ofKey].sort((a, b) => a - b))
    }
  })
})

async function writePlainly(
  { bootstrapServers }: KafkaCluster,
  topic: string,
  { first, count }: { readonly first: number; readonly count: number },
): Promise<void> {
  const producer = new rdkafka.Producer(
    { 'bootstrap.servers': bootstrapServers, 'enable.idempotence': true },
    { partitioner: 'murmur2_random' },
  )
  await new Promise<void>((resolve, reject) => producer.connect({}, (error) => (error ? reject(error) : resolve())))
  for (const number of numbers(first, count)) producer.produce(topic, null, Buffer.from(String(number)), keyOf(number))
  await new Promise<void>((resolve, reject) => producer.flush(30_000, (error) => (error ? reject(error) : resolve())))
  await new Promise((resolve) => producer.disconnect(resolve))
}

/** As a consumer of one cluster does: reads so many or some more, commits how far it has come, and leaves. */
async function readPlainly({ bootstrapServers }: KafkaCluster, topic: string, count: number): Promise<Set<number>> {
  const consumer = new rdkafka.KafkaConsumer(
    { 'bootstrap.servers': bootstrapServers, 'group.id': GROUP, 'enable.auto.commit': false },
    { 'auto.offset.reset': 'earliest' },
  )
  await new Promise<void>((resolve, reject) => consumer.connect({}, (error) => (error ? reject(error) : resolve())))
  consumer.subscribe([topic])
  const seen = new Set<number>()
  while (seen.size < count) {
    const messages = await new Promise<rdkafka.Message[]>((resolve, reject) => {
      consumer.consume(500, (error: rdkafka.LibrdKafkaError | null, found) => (error ? reject(error) : resolve(found)))
    })
    for (const { value } of messages) seen.add(Number(value))
  }
  consumer.commitSync(null)
  await new Promise((resolve) => consumer.disconnect(resolve))
  return seen
}

function numbers(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

function keyOf(number: number): string {
  return `account-${number % KEYS}`
}

const GROUP = 'balances'
const KEYS = 50
const PARTITIONS = 4
