/** The same load by way of tandem: what a user writes, with every option at its default but those that are the subject. */
import type { EventKind } from '@tandem/common/internal'
import { Producer, type Message, type ProducerOptions, type Receipt } from '@tandem/producer'

import { runLoad, type LoadResult } from './load.js'
import { KEYS, type SendOrder } from './order.js'
import type { Way } from './subjects.js'

export async function runTandem(order: SendOrder): Promise<LoadResult> {
  const { clusters, topic, load, valueBytes, way, journalPath } = order
  const producer = new Producer({
    producerId: 'bench',
    clusters: {
      east: { 'bootstrap.servers': clusters.east },
      west: { 'bootstrap.servers': clusters.west },
    },
    topics: { [topic]: {} },
    ...optionsOf(way, journalPath),
  })
  const harm = new Set<string>()
  producer.events$.subscribe(({ kind }) => {
    if (HARM.has(kind)) harm.add(kind)
  })
  await producer.connect()
  const keys = Array.from({ length: KEYS }, (_, index) => `acct-${index}`)
  const value = Buffer.alloc(valueBytes, 'x')
  const messageOf = (index: number): Message => ({ topic, key: keys[index % KEYS], value })
  const result = await (way === 'send-many'
    ? runInBatches(producer, load, messageOf)
    : runLoad(load, (index, done) => void producer.send(messageOf(index)).then(done)))
  await producer.close({ timeoutMs: CLOSE_TIMEOUT_MS })
  if (harm.size > 0) throw new Error(`both clusters were to be well, but: ${[...harm].join(', ')}`)
  return result
}

function optionsOf(way: Way, path: string): Partial<ProducerOptions> {
  switch (way) {
    case 'raw':
      throw new Error('raw is not by way of tandem')
    case 'one':
    case 'available':
    case 'both':
      return { acknowledge: way }
    case 'send-many':
      return {}
    case 'on-outage':
    case 'always':
    case 'dead-letter':
      return { journal: { mode: way, path } }
    default:
      throw way satisfies never
  }
}

/** Some calls of `sendMany` at a time, together as many messages under way as with the others. */
async function runInBatches(
  producer: Producer,
  load: SendOrder['load'],
  messageOf: (index: number) => Message,
): Promise<LoadResult> {
  const size = Math.ceil(load.inFlightMax / BATCHES_AT_A_TIME)
  const options = { ...load, inFlightMax: BATCHES_AT_A_TIME }
  const batches = await runLoad(options, (batch, done) => {
    const messages = Array.from({ length: size }, (_, index) => messageOf(batch * size + index))
    void producer.sendMany(messages).then((results) => {
      const failure = results.find((result): result is Exclude<typeof result, Receipt> => result instanceof Error)
      if (failure !== undefined) throw failure
      done()
    })
  })
  return { ...batches, sent: batches.sent * size, answered: batches.answered * size }
}

/** After these it is an outage that was measured, and not what sending costs. */
const HARM: ReadonlySet<string> = new Set<EventKind>([
  'circuit-opened',
  'client-discarded',
  'lane-away',
  'record-given-up',
  'journal-filled',
  'journal-failed',
])
const CLOSE_TIMEOUT_MS = 30_000
const BATCHES_AT_A_TIME = 10
