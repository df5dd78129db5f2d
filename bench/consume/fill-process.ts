/** Writes the messages of a size to both clusters by tandem's producer, so that each record has its stamp. */
import type { Receipt } from '@tandem/producer'

import { answerOrder } from '../subject-process.js'
import { producerOf } from '../tandem-clients.js'
import { valueOf } from './message-numbers.js'
import { KEYS, type FillOrder } from './order.js'

async function fill({ clusters, topic, messages, valueBytes, framing }: FillOrder): Promise<object> {
  const producer = producerOf({ clusters, topic }, { framing })
  await producer.connect()
  for (let first = 0; first < messages; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, messages - first) }, (_, index) => first + index)
    const receipts = await producer.sendMany(
      numbers.map((number) => ({ topic, key: `acct-${number % KEYS}`, value: valueOf(number, valueBytes) })),
    )
    const failed = receipts.find((receipt): receipt is Exclude<typeof receipt, Receipt> => receipt instanceof Error)
    if (failed !== undefined) throw failed
  }
  await producer.close({ timeoutMs: 30_000 })
  return {}
}

const AT_ONCE = 10_000

await answerOrder(fill)
