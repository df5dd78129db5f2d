import { json } from '@tandem/common'
import { Consumer, inKeyOrder, MemoryHighWaterStore, type Verdict } from '@tandem/consumer'
import { Producer } from '@tandem/producer'

import { book } from './database.js'

const clusters = {
  east: { 'bootstrap.servers': process.env['EAST'] ?? 'localhost:9092' },
  west: { 'bootstrap.servers': process.env['WEST'] ?? 'localhost:9192' },
}
const producer = new Producer({ producerId: 'balances-1', clusters, topics: { 'transfers.dlq': {} } })
await producer.connect()
const consumer = new Consumer<{ number: number; amount: number }>({
  groupId: 'balances',
  clusters,
  topics: { transfers: { codec: json } },
  highWater: new MemoryHighWaterStore(),
})

const VERDICTS = new Map<unknown, Verdict>([
  ['ECONNREFUSED', 'transient'],
  ['23505', 'permanent'], // PostgreSQL: a key that is there already
])
consumer.deliveries$
  .pipe(
    inKeyOrder((delivery, signal) => book(delivery.value, { signal, fence: delivery.fence }), {
      concurrency: 64,
      classify: (error) => VERDICTS.get((error as { code?: unknown }).code),
      deadLetter: producer.deadLetter('transfers.dlq'),
    }),
  )
  .subscribe()
