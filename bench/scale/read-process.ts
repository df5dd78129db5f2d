/** One instance of the group: takes its partitions, reads them when it is told to, and says all the time how far it is. */
import { cpuMicros } from '../consume/course.js'
import { MessageNumbers } from '../consume/message-numbers.js'
import { HARM_TO_CONSUMERS, HarmWatch } from '../harm.js'
import { consumerOf } from '../tandem-clients.js'
import type { ReadCommand, ReadOrder, ReadReport } from './order.js'

const order = JSON.parse(process.argv[2]!) as ReadOrder
const { consumer, redis, close } = consumerOf(order)
const harm = new HarmWatch(consumer, HARM_TO_CONSUMERS)
const numbers = new MessageNumbers(order.messages)
process.on('disconnect', () => process.exit(1)) // nobody is left to tell
await consumer.connect()

// Both logs are to be read whole, so second copies count as much as first ones.
const look = setInterval(() => {
  const { partitions, delivered, duplicatesDropped } = consumer.status()
  report({
    kind: 'progress',
    held: partitions.length,
    done: delivered + duplicatesDropped,
    cpuMicros: cpuMicros(),
    redisCommands: redis.commands,
  })
}, 50)

process.on('message', (command: ReadCommand) => {
  if (command === 'end') {
    void end()
    return
  }
  consumer.deliveries$.subscribe((delivery) => {
    numbers.take(delivery.value)
    delivery.ack()
  })
})

async function end(): Promise<void> {
  clearInterval(look)
  await close()
  harm.check()
  const { taken, seen } = numbers
  report({ kind: 'ended', taken, seen, memoryBytesMax: process.resourceUsage().maxRSS * 1024 })
  process.channel!.unref()
}

function report(message: ReadReport): void {
  process.send!(message)
}
