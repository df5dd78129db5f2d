import { json } from '@tandem/common'
import { Consumer, RedisHighWaterStore } from '@tandem/consumer'
import { Redis } from 'ioredis'

const consumer = new Consumer<{ number: number; amount: number }>({
  groupId: 'balances',
  clusters: {
    east: { 'bootstrap.servers': process.env['EAST'] ?? 'localhost:9092' },
    west: { 'bootstrap.servers': process.env['WEST'] ?? 'localhost:9192' },
  },
  topics: { transfers: { codec: json } },
  highWater: new RedisHighWaterStore(new Redis(process.env['REDIS_URL'] ?? 'redis://localhost:6379')),
})
consumer.events$.subscribe((event) => console.error(event.kind, event))

consumer.deliveries$.subscribe((delivery) => {
  console.log(delivery.key?.toString(), delivery.value, delivery.late ? 'late' : 'in order') // each message once
  delivery.ack() // finished: it does not come again, also after a restart
})
process.once('SIGINT', () => void consumer.close().then(() => process.exit()))
