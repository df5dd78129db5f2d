/** Writes numbered messages to both clusters at a rate: by tandem, or as is done where a counter or a key is all there is. */
import { keyRangeOf, StampEncoder, STAMP_HEADER } from '@tandem/common/internal'
import kafka from 'node-rdkafka'

import { valueOf } from '../consume/message-numbers.js'
import { KEYS } from '../consume/order.js'
import { PARTITIONS } from '../logs.js'
import { dueAtRate } from '../pace.js'
import { answerOrder } from '../subject-process.js'
import { producerOf } from '../tandem-clients.js'
import type { FillAnswer, FillOrder } from './order.js'

/** Resolves when somebody has the message. */
type Send = (number: number) => Promise<unknown>

async function fill(order: FillOrder): Promise<FillAnswer> {
  const { send, close } = await (order.writer === 'tandem' ? tandem(order) : dual(order))
  const refused: number[] = []
  const sent: Promise<unknown>[] = []
  for await (const number of dueAtRate(order.perSecond)) {
    if (number === order.messages) break
    sent.push(send(number).catch(() => refused.push(number)))
  }
  await Promise.all(sent)
  await close()
  return { refused }
}

interface Open {
  readonly send: Send
  readonly close: () => Promise<unknown>
}

async function tandem(order: FillOrder): Promise<Open> {
  const producer = producerOf(order)
  await producer.connect()
  return {
    send: (number) => producer.send({ topic: order.topic, key: keyOf(number), value: valueOf(number, VALUE_BYTES) }),
    close: () => producer.close({ timeoutMs: 60_000 }),
  }
}

/**
 * Two clients that know nothing of each other, each behind a circuit breaker, as dual writes are mostly done: a message is
 * written when one cluster has it, and a cluster that has answered nothing for a while is left alone until it answers. What
 * was not written to it then it does not have. Each message has the next counter of its key range.
 */
async function dual({ clusters, topic }: FillOrder): Promise<Open> {
  const sides = await Promise.all([Side.connect(clusters.east, topic), Side.connect(clusters.west, topic)])
  const ranges = Array.from({ length: PARTITIONS }, (_, keyRange) => ({
    stamps: new StampEncoder({ producerId: 'dual', epoch: 1, incarnation: 1, keyRange }),
    counter: 0,
  }))
  return {
    send: (number) => {
      const key = Buffer.from(keyOf(number))
      const partition = keyRangeOf(key, PARTITIONS)
      const { stamps } = ranges[partition]!
      const headers = [{ [STAMP_HEADER]: stamps.encode('data', ++ranges[partition]!.counter, 1) }]
      const record = { partition, key, value: valueOf(number, VALUE_BYTES), headers }
      return Promise.any(sides.filter(({ closed }) => closed).map((side) => side.produce(record)))
    },
    close: () => Promise.all(sides.map((side) => side.close())),
  }
}

interface DualRecord {
  readonly partition: number
  readonly key: Buffer
  readonly value: Buffer
  readonly headers: Record<string, string>[]
}

/** One cluster, and the circuit of it. */
class Side {
  static async connect(bootstrapServers: string, topic: string): Promise<Side> {
    const producer = new kafka.Producer({ 'bootstrap.servers': bootstrapServers, dr_cb: true }, { acks: -1 })
    producer.on('event.error', () => undefined)
    await new Promise<void>((resolve, reject) => {
      producer.connect({ topic }, (error) => (error ? reject(error) : resolve()))
    })
    producer.setPollInterval(10)
    return new Side(producer, topic)
  }

  readonly #producer: kafka.Producer
  readonly #topic: string
  #unanswered = 0
  #answeredAt = performance.now()

  private constructor(producer: kafka.Producer, topic: string) {
    this.#producer = producer
    this.#topic = topic
    producer.on('delivery-report', (error, { opaque }) => {
      this.#unanswered--
      this.#answeredAt = performance.now()
      ;(opaque as Done)(error)
    })
  }

  /** Nothing is owed, or an answer came of late. */
  get closed(): boolean {
    return this.#unanswered === 0 || performance.now() - this.#answeredAt < SILENCE_MS_MAX
  }

  produce({ partition, key, value, headers }: DualRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      const done: Done = (error) => (error ? reject(new Error(error.message)) : resolve())
      this.#producer.produce(this.#topic, partition, value, key, Date.now(), done, headers)
      this.#unanswered++
    })
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#producer.flush(FLUSH_MS, (error) => {
        if (error) reject(new Error(error.message))
        else this.#producer.disconnect(() => resolve())
      })
    })
  }
}

type Done = (error: { readonly message: string } | null) => void

function keyOf(number: number): string {
  return `acct-${number % KEYS}`
}

const VALUE_BYTES = 200
const SILENCE_MS_MAX = 500
const FLUSH_MS = 60_000

await answerOrder(fill)
