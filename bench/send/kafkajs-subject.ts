/** The same load by two producers of kafkajs: as its users write it, with every option at its default. */
import { STAMP_HEADER } from '@tandem/common/internal'

import { peer } from '../peers.js'
import { runBatches, type LoadResult } from './load.js'
import { KEYS, STAMP, type SendOrder } from './order.js'
import { callsOf } from './subjects.js'

export async function runKafkajs({ clusters, topic, load, valueBytes, way }: SendOrder): Promise<LoadResult> {
  const { Kafka, Partitioners, logLevel } = await peer<Kafkajs>('kafkajs')
  const producers = Object.values(clusters).map((address: string) => {
    return new Kafka({ brokers: [address], logLevel: logLevel.ERROR }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    })
  })
  await Promise.all(producers.map((producer) => producer.connect()))
  const keys = Array.from({ length: KEYS }, (_, index) => `acct-${index}`)
  const value = Buffer.alloc(valueBytes, 'x')
  const headers = { [STAMP_HEADER]: Buffer.from(STAMP) }
  const calls = callsOf(way)
  const result = await runBatches(load, calls, (first, done) => {
    const messages = Array.from({ length: calls.size }, (_, index) => {
      return { key: keys[(first + index) % KEYS]!, value, headers }
    })
    void Promise.all(producers.map((producer) => producer.send({ topic, messages }))).then(done)
  })
  await Promise.all(producers.map((producer) => producer.disconnect()))
  return result
}

/** What is used of it. */
interface Kafkajs {
  readonly Kafka: new (options: object) => { producer(options: object): KafkajsProducer }
  readonly Partitioners: { readonly DefaultPartitioner: unknown }
  readonly logLevel: { readonly ERROR: number }
}

interface KafkajsProducer {
  connect(): Promise<void>
  send(batch: { readonly topic: string; readonly messages: readonly object[] }): Promise<unknown>
  disconnect(): Promise<void>
}
