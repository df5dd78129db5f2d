import { RedisHighWaterStore } from '@tandem/consumer'
import { RedisServer } from '@tandem/testing'
import { expect } from 'chai'
import { Redis, type Command } from 'ioredis'

import { World } from '../simulation/world.js'

/** What a consumer asks of Redis while messages come without a pause: simulated time and clusters, a real Redis. */
describe('conformance: commands to Redis', function () {
  this.timeout(60_000)
  let server: RedisServer

  before(async () => (server = await RedisServer.start()))
  after(() => server.stop())

  for (const partitions of [1, 4]) {
    it(`are at most 12 a second and partition, of ${partitions}`, async () => {
      const redis = new CountingRedis(server.url)
      const world = new World({ topics: { entries: partitions } })
      const pass = async (ms: number): Promise<void> => {
        for (let left = ms; left > 0; left -= STEP_MS) {
          await world.run(STEP_MS)
          await redis.ping() // what was sent before it is answered before it
        }
      }
      const highWater = new RedisHighWaterStore(redis)
      const consumer = world.createConsumer({ groupId: `of-${partitions}`, name: 'consumer', options: { highWater } })
      const producer = world.createProducer({ producerId: 'ledger', name: 'ledger' }).start()
      consumer.start()
      await pass(1_000)
      let sent = 0
      const send = (): void => {
        producer.send(String(++sent), { key: `key-${sent % KEYS}` })
        world.timeline.after(SEND_EVERY_MS, send)
      }
      send()
      await pass(1_000)
      redis.counts.clear()
      await pass(SECONDS * 1_000)
      const { counts } = redis
      counts.delete('ping')
      const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
      const told = JSON.stringify([...counts])
      redis.disconnect()
      expect(consumer.deliveries.length).to.be.greaterThan(0.9 * sent)
      expect(new Set(consumer.deliveries.map(({ delivery }) => delivery.partition)).size).to.equal(partitions)
      expect(counts.get('evalsha'), `a flush each 100 ms: ${told}`).to.be.greaterThan(9 * SECONDS * partitions)
      expect(all / (SECONDS * partitions), told).to.be.at.most(12)
    })
  }
})

/** Counts what is sent, by the name of the command. */
class CountingRedis extends Redis {
  readonly counts = new Map<string, number>()

  override sendCommand(command: Command, ...more: never[]): unknown {
    this.counts.set(command.name, (this.counts.get(command.name) ?? 0) + 1)
    return super.sendCommand(command, ...more)
  }
}

const SECONDS = 10
const SEND_EVERY_MS = 2
/** Enough for each partition to have some. */
const KEYS = 64
const STEP_MS = 5
