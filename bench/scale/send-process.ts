/** Sends numbered messages by one producer or several, each with its own clients; message after message in turn. */
import { valueOf } from '../consume/message-numbers.js'
import { HARM_TO_PRODUCERS, HarmWatch } from '../harm.js'
import { runLoad, type LoadResult } from '../send/load.js'
import { answerOrder } from '../subject-process.js'
import { producerOf } from '../tandem-clients.js'
import { KEYS, type SendOrder } from './order.js'

async function send({ point, clusters, topic, load }: SendOrder): Promise<LoadResult> {
  const { partitions, keyRanges, valueBytes, framing } = point
  const producers = Array.from({ length: point.producers }, (_, index) => {
    const ofTopic = { framing, keyRanges: partitions * keyRanges }
    return producerOf({ clusters, topic }, ofTopic, { producerId: `bench-${index}` })
  })
  const harm = producers.map((producer) => new HarmWatch(producer, HARM_TO_PRODUCERS))
  await Promise.all(producers.map((producer) => producer.connect()))
  const result = await runLoad(load, (number, done) => {
    const message = { topic, key: `acct-${number % KEYS}`, value: valueOf(number, valueBytes) }
    void producers[number % producers.length]!.send(message).then(done)
  })
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 30_000 })))
  for (const watch of harm) watch.check()
  return result
}

await answerOrder(send)
