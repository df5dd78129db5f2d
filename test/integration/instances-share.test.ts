import { Consumer, RedisHighWaterStore, type Delivery } from '@tandem/consumer'
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
    const start = (): Consumer<Buffer> => {
      const highWater = new RedisHighWaterStore(redis)
      const consumer = new Consumer<Buffer>({ groupId: 'shared', clusters, topics: [topic], highWater, leaseMs: 2_000 })
      consumer.deliveries$.subscribe((delivery: Delivery<Buffer>) => {
        given.push(String(delivery.value))
        delivery.ack()
      })
      return consumer
    }
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
})
