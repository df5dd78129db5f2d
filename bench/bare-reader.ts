/** One log, read by node-rdkafka alone, with the settings, the size of a batch and the patience of tandem's clients. */
import { READER, readerProperties } from '@tandem/consumer/internal'
import kafka from 'node-rdkafka'

import { PARTITIONS } from './logs.js'

export interface Log {
  readonly bootstrapServers: string
  readonly topic: string
}

/** From its beginning until that is over. */
export async function readLog(
  { bootstrapServers, topic }: Log,
  until: { readonly over: boolean },
  handle: (batch: kafka.Message[]) => void | Promise<void>,
): Promise<void> {
  const properties = readerProperties({ groupId: 'bench-raw', properties: { 'bootstrap.servers': bootstrapServers } })
  const consumer = new kafka.KafkaConsumer(properties, { 'auto.offset.reset': 'error' })
  let failure: kafka.LibrdKafkaError | undefined
  consumer.on('event.error', (error) => (failure = error))
  await new Promise<void>((resolve, reject) => {
    consumer.connect({ topic }, (error) => (error ? reject(error) : resolve()))
  })
  consumer.setDefaultConsumeTimeout(READER.pollTimeoutMs)
  consumer.assign(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset: 0 })))
  try {
    while (!until.over) {
      if (failure !== undefined) throw new Error(failure.message)
      await handle(await nextBatch(consumer))
    }
  } finally {
    await new Promise((resolve) => consumer.disconnect(resolve))
  }
}

function nextBatch(consumer: kafka.KafkaConsumer): Promise<kafka.Message[]> {
  return new Promise((resolve, reject) => {
    consumer.consume(READER.batchMax, (error, batch) => (error ? reject(error) : resolve(batch)))
  })
}
