/** The same load by way of tandem: what a user writes, with every option at its default but those that are the subject. */
import type { Message, ProducerOptions, Receipt } from '@tandem/producer'

import { HARM_TO_PRODUCERS, HarmWatch } from '../harm.js'
import { producerOf } from '../tandem-clients.js'
import { runBatches, runLoad, type LoadResult } from './load.js'
import { KEYS, type SendOrder } from './order.js'
import { isFramed, type Way } from './subjects.js'

export async function runTandem(order: SendOrder): Promise<LoadResult> {
  const { clusters, topic, load, valueBytes, way, journalPath } = order
  const ofTopic = isFramed(way) ? { framing: 'frame' as const } : {}
  const producer = producerOf({ clusters, topic }, ofTopic, optionsOf(way, journalPath))
  const harm = new HarmWatch(producer, HARM_TO_PRODUCERS)
  await producer.connect()
  const keys = Array.from({ length: KEYS }, (_, index) => `acct-${index}`)
  const value = Buffer.alloc(valueBytes, 'x')
  const messageOf = (index: number): Message => ({ topic, key: keys[index % KEYS], value })
  const sendMany = async (first: number, count: number): Promise<void> => {
    const results = await producer.sendMany(Array.from({ length: count }, (_, index) => messageOf(first + index)))
    const failure = results.find((result): result is Exclude<typeof result, Receipt> => result instanceof Error)
    if (failure !== undefined) throw failure
  }
  const inBatches = { size: Math.ceil(load.inFlightMax / BATCHES_AT_A_TIME), atOnce: BATCHES_AT_A_TIME }
  const result = await (way === 'send-many' || way === 'frames-many'
    ? runBatches(load, inBatches, (first, done) => void sendMany(first, inBatches.size).then(done))
    : runLoad(load, (index, done) => void producer.send(messageOf(index)).then(done)))
  await producer.close({ timeoutMs: CLOSE_TIMEOUT_MS })
  harm.check()
  return result
}

function optionsOf(way: Way, path: string): Partial<ProducerOptions> {
  switch (way) {
    case 'one':
    case 'available':
    case 'both':
      return { acknowledge: way }
    case 'send-many':
    case 'frames':
    case 'frames-many':
      return {}
    case 'on-outage':
    case 'always':
    case 'dead-letter':
      return { journal: { mode: way, path } }
    case 'frames-always':
      return { journal: { mode: 'always', path } }
    default:
      throw new Error(`${way} is not by way of tandem`)
  }
}

const CLOSE_TIMEOUT_MS = 30_000
const BATCHES_AT_A_TIME = 10
