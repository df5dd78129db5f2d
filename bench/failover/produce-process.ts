/** Sends numbered messages at a rate, and writes each down that is acknowledged, until it is told to end. */
import { TransferSource } from '@tandem/cli/internal'
import type kafka from 'node-rdkafka'

import { dueAtRate } from '../pace.js'
import { connectRaw } from '../send/raw-subject.js'
import { answerOrder, heard } from '../subject-process.js'
import { producerOf } from '../tandem-clients.js'
import { ACCOUNTS, PER_SECOND, VALUE_BYTES, type FailoverOrder, type ProduceAnswer } from './order.js'
import { SightingFile } from './sightings.js'

async function produce(order: FailoverOrder): Promise<ProduceAnswer> {
  let over = false
  void heard('end').then(() => (over = true))
  const file = new SightingFile(order.path)
  const { send, close } = await (order.subject === 'tandem' ? toBoth(order, file) : toOne(order, file))
  const source = new TransferSource({ accounts: ACCOUNTS, seed: 1 })
  let sent = 0
  for await (const due of dueAtRate(PER_SECOND)) {
    if (over) break
    const transfer = source.next()
    // Blanks behind a text of JSON belong to it.
    send({ number: due + 1, key: `acct-${transfer.from}`, value: JSON.stringify(transfer).padEnd(VALUE_BYTES) })
    sent++
  }
  await close()
  return { sent }
}

interface Open {
  readonly send: (message: { readonly number: number; readonly key: string; readonly value: string }) => void
  readonly close: () => Promise<unknown>
}

async function toBoth(order: FailoverOrder, file: SightingFile): Promise<Open> {
  const producer = producerOf(order)
  await producer.connect()
  return {
    send: ({ number, key, value }) => {
      producer.send({ topic: order.topic, key, value }).then(
        () => file.append(number),
        () => undefined, // not acknowledged
      )
    },
    close: () => producer.close({ timeoutMs: CLOSE_TIMEOUT_MS }),
  }
}

/**
 * To the east, and from the instant on at which it is told to, to the west, where it has been connected for long. What the
 * east had not acknowledged by then is not sent again: it could come twice.
 */
async function toOne({ clusters, topic }: FailoverOrder, file: SightingFile): Promise<Open> {
  const switched = heard('switch')
  const [east, west] = await Promise.all([connect(clusters.east), connect(clusters.west)])
  let current = east
  void switched.then(() => (current = west))
  return {
    send: ({ number, key, value }) => {
      current.produce(topic, null, Buffer.from(value), key, Date.now(), number)
    },
    close: () =>
      Promise.all([
        new Promise((resolve) => west.disconnect(resolve)),
        new Promise((resolve) => east.disconnect(0, resolve)),
      ]),
  }

  function connect(bootstrapServers: string): Promise<kafka.Producer> {
    const handleReport = (error: unknown, { opaque }: { readonly opaque?: unknown }): void => {
      if (!error) file.append(opaque as number)
    }
    // The east fails, that is what this is about.
    return connectRaw({ bootstrapServers, topic, handleReport, handleFailure: () => undefined })
  }
}

/** The west has answered everything by then, and the east never will. */
const CLOSE_TIMEOUT_MS = 1_000

await answerOrder(produce)
