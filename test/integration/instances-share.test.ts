import { Consumer, RedisHighWaterStore, type ConsumerOptions, type Delivery } from '@tandem/consumer'
import { ClockEpochs, Producer } from '@tandem/producer'
import { expect } from 'chai'
import { Redis } from 'ioredis'

import { until } from './program.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'

/** Leases on real clusters and a real Redis: who reads what, and that nothing is lost or comes twice on its way. */
describe('instances of a group share its partitions', function () {
  this.timeout(90_000)

  it('when one more comes, and when it leaves again', async () => {
    const real = await realClusters()
    const topic = await createTopic(real, 'shared')
    const clusters = clustersOf(real)
    const redis = new Redis(real.redis.url)
    const producer = new Producer({ producerId: 'ledger', clusters, epochs: new ClockEpochs() })
    await producer.connect()
    const given: string[] = []
    const options = { groupId: 'shared', clusters, topics: [topic], leaseMs: 2_000 }
    const start = (): Consumer<Buffer> => subscribe(options, redis, ({ value }) => given.push(String(value)))
    let sent = 0
    const sending = setInterval(() => {
      void producer.send({ topic, key: `account-${sent % 20}`, value: String(sent++) })
    }, 5)
    const held = (consumer: Consumer<Buffer>): number => consumer.status().partitions.length

    const first = start()
    await until('it holds all', () => held(first) > 1)
    const all = held(first)
    const second = start()
    await until('they share', () => held(first) + held(second) === all && Math.abs(held(first) - held(second)) <= 1)
    expect(first.status().instances).to.equal(2)
    await second.close()
    await until('the first one has all again', () => held(first) === all)
    clearInterval(sending)
    await until('all is delivered', () => new Set(given).size === sent)
    expect(given.length, 'each once').to.equal(sent)
    await first.close()
    await producer.close()
    redis.disconnect()
  })

  it('when they read different topics: each topic among those who read it', async () => {
    const real = await realClusters()
    const [x, y] = [await createTopic(real, 'shared-x'), await createTopic(real, 'shared-y')]
    const clusters = clustersOf(real)
    const redis = new Redis(real.redis.url)
    const producer = new Producer({ producerId: 'ledger', clusters, epochs: new ClockEpochs() })
    await producer.connect()
    const given: string[] = []
    const start = (...topics: string[]): Consumer<Buffer> => {
      const options = { groupId: 'topics', clusters, topics, leaseMs: 2_000 }
      return subscribe(options, redis, ({ topic, value }) => given.push(`${topic} ${String(value)}`))
    }
    const held = (consumer: Consumer<Buffer>): string =>
      consumer
        .status()
        .partitions.map(({ topic }) => (topic === x ? 'x' : 'y'))
        .sort()
        .join('')

    const [first, second] = [start(x), start(y)]
    await until('each has all of its topic', () => held(first) === 'xxxx' && held(second) === 'yyyy')
    await until('they know that they are one group', () => first.status().instances === 2)
    const third = start(x, y)
    await until('the one that reads both has its share of each', () => {
      const counts = [first, second, third].map((one) => held(one).length)
      const even = counts.reduce((sum, count) => sum + count) === 8 && Math.max(...counts) - Math.min(...counts) <= 1
      return even && held(third).includes('x') && held(third).includes('y')
    })
    const sent: string[] = []
    for (let number = 0; number < 200; number++) {
      for (const topic of [x, y]) {
        await producer.send({ topic, key: `account-${number % 20}`, value: String(number) })
        sent.push(`${topic} ${number}`)
      }
    }
    await until('all is delivered', () => given.length >= sent.length)
    expect([...given].sort(), 'each once').to.deep.equal(sent.sort())
    for (const one of [first, second, third]) await one.close()
    await producer.close()
    redis.disconnect()
  })
})

/** An instance that acknowledges what it is given. */
function subscribe(
  options: Omit<ConsumerOptions, 'highWater'>,
  redis: Redis,
  give: (delivery: Delivery<Buffer>) => void,
): Consumer<Buffer> {
  const consumer = new Consumer<Buffer>({ ...options, highWater: new RedisHighWaterStore(redis) })
  consumer.deliveries$.subscribe((delivery) => {
    give(delivery)
    delivery.ack()
  })
  return consumer
}
