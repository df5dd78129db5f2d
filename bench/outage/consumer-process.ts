import { numberIn } from '../consume/message-numbers.js'
import { answerOrder, heard, report } from '../subject-process.js'
import { consumerOf } from '../tandem-clients.js'
import { nowMs } from './clock.js'
import { GAUGE_EVERY_MS, OVER, type ConsumeOrder, type ConsumerGauge } from './order.js'
import { dueIn } from './payload.js'
import { SampleFile } from './samples.js'

async function consume(order: ConsumeOrder): Promise<object> {
  const over = heard(OVER)
  const { samplesPath, beginMs } = order
  const { consumer, redis, close } = consumerOf(order)
  await consumer.connect()
  const samples = new SampleFile(samplesPath, beginMs)
  consumer.deliveries$.subscribe((delivery) => {
    samples.add(numberIn(delivery.value), { atMs: nowMs(), dueMs: dueIn(delivery.value) })
    delivery.ack()
  })
  const telling = setInterval(() => {
    const { delivered, duplicatesDropped } = consumer.status()
    const gauge: ConsumerGauge = {
      atMs: nowMs(),
      memoryBytes: process.memoryUsage.rss(),
      delivered: samples.count,
      read: delivered + duplicatesDropped,
      redisCommands: redis.commands,
    }
    report(gauge)
  }, GAUGE_EVERY_MS)
  await over
  clearInterval(telling)
  await close()
  samples.close()
  return {}
}

await answerOrder(consume)
