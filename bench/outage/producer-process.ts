import { setTimeout as sleep } from 'node:timers/promises'

import type { ProducerStatus } from '@tandem/producer'

import { KEYS } from '../consume/order.js'
import { answerOrder, heard, report } from '../subject-process.js'
import { producerOf } from '../tandem-clients.js'
import { nowMs } from './clock.js'
import {
  ALONE_MS_MAX,
  GAUGE_EVERY_MS,
  OVER,
  type ProduceAnswer,
  type ProduceOrder,
  type ProducerGauge,
} from './order.js'
import { atFullSpeed, atRate } from './pace.js'
import { payloadOf } from './payload.js'
import { SampleFile } from './samples.js'

async function produce(order: ProduceOrder): Promise<Omit<ProduceAnswer, 'memoryBytesMax'>> {
  const loadOver = new AbortController()
  const over = loadOver.signal
  void heard(OVER).then(() => loadOver.abort())
  const { clusters, topic, framing, samplesPath, beginMs, perSecond } = order
  const producer = producerOf({ clusters, topic }, { framing })
  await producer.connect()
  const samples = new SampleFile(samplesPath, beginMs)
  const keys = Array.from({ length: KEYS }, (_, index) => `acct-${index}`)
  let sent = 0
  let refused = 0
  const send = async (dueMs: number): Promise<void> => {
    const number = sent++
    try {
      await producer.send({ topic, key: keys[number % KEYS], value: payloadOf(number, dueMs) })
      samples.add(number, { atMs: nowMs(), dueMs })
    } catch {
      refused++ // is missing from what was accepted
    }
  }
  const telling = setInterval(() => {
    const gauge: ProducerGauge = {
      atMs: nowMs(),
      memoryBytes: process.memoryUsage.rss(),
      redundant: isRedundant(producer.status()),
    }
    report(gauge)
  }, GAUGE_EVERY_MS)
  await (perSecond === undefined ? atFullSpeed(IN_FLIGHT_MAX, send, over) : atRate(perSecond, send, over))
  while (samples.count + refused < sent) await sleep(10)
  clearInterval(telling)
  const drainMs = nowMs() + DRAIN_MS_MAX
  while (unwritten(producer.status()) > 0) {
    if (nowMs() > drainMs)
      throw new Error(`after all that time ${unwritten(producer.status())} records are not written`)
    await sleep(10)
  }
  await producer.close()
  samples.close()
  return { sent, acknowledged: samples.count }
}

/** Both are well, and what one has alone the other is just about to have. */
function isRedundant({ clusters }: ProducerStatus): boolean {
  return Object.values(clusters).every(
    ({ circuit, voids, exposure: { oldestMs = 0 } }) => circuit === 'closed' && voids === 0 && oldestMs < ALONE_MS_MAX,
  )
}

function unwritten({ clusters }: ProducerStatus): number {
  return Object.values(clusters).reduce((sum, { backlog, voids }) => sum + backlog.records + voids, 0)
}

const IN_FLIGHT_MAX = 10_000
/** Both clusters are well by then. */
const DRAIN_MS_MAX = 120_000

await answerOrder(produce)
