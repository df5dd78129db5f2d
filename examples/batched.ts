import { batched, Consumer, MemoryHighWaterStore } from '@tandem/consumer'
import { concatMap } from 'rxjs'

import { insertAll } from './database.js'

const consumer = new Consumer<Buffer>({
  groupId: 'archive',
  clusters: {
    east: { 'bootstrap.servers': process.env['EAST'] ?? 'localhost:9092' },
    west: { 'bootstrap.servers': process.env['WEST'] ?? 'localhost:9192' },
  },
  topics: ['transfers'],
  highWater: new MemoryHighWaterStore(),
})
consumer.deliveries$
  .pipe(
    batched(200, 500),
    concatMap(async (batch) => {
      await insertAll(batch.map(({ value }) => value))
      batch.ack()
    }),
  )
  .subscribe()
