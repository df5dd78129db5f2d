/**
 * The least that a program can do to have each message in two clusters: node-rdkafka, one producer each, a message
 * handed to both, both reports waited for. It remembers nothing but how many reports are still to come, knows no
 * sequence, judges no failure (one is the end of the run) and makes no promise.
 *
 * The settings are those of tandem's clients, it polls as often, and the record is the same: key, value, timestamp, and
 * a header with as many bytes as a stamp has. With `raw-32` a record is as long as a frame of 32 messages, and counts
 * as that many.
 */
import { STAMP_HEADER } from '@tandem/common/internal'
import { nativeProperties, POLL_EVERY_MS, TOPIC_DEFAULTS } from '@tandem/producer/internal'
import kafka from 'node-rdkafka'

import { runBatches, type LoadResult } from './load.js'
import { KEYS, STAMP, type SendOrder } from './order.js'

export async function runRaw({ clusters, topic, load, valueBytes, way }: SendOrder): Promise<LoadResult> {
  const perRecord = way === 'raw-32' ? 32 : 1
  const underWay = new Map<number, { reports: number; readonly done: () => void }>()
  const handleReport: HandleReport = (error, report) => {
    if (error) throw new Error(error.message)
    const index = report.opaque as number
    const message = underWay.get(index)!
    message.reports--
    if (message.reports > 0) return
    underWay.delete(index)
    message.done()
  }
  const handleFailure = ({ message }: { readonly message: string }): void => {
    throw new Error(message)
  }
  const producers = await Promise.all([
    connectRaw({ bootstrapServers: clusters.east, topic, handleReport, handleFailure }),
    connectRaw({ bootstrapServers: clusters.west, topic, handleReport, handleFailure }),
  ])
  const keys = Array.from({ length: KEYS }, (_, index) => Buffer.from(`acct-${index}`))
  const value = Buffer.alloc(perRecord * valueBytes, 'x')
  const headers = [{ [STAMP_HEADER]: STAMP }]
  const runs = { size: perRecord, atOnce: Math.ceil(load.inFlightMax / perRecord) }
  const result = await runBatches(load, runs, (first, done) => {
    const index = first / perRecord
    underWay.set(index, { reports: producers.length, done })
    const timestampMs = Date.now()
    for (const producer of producers) {
      producer.produce(topic, null, value, keys[index % KEYS], timestampMs, index, headers)
    }
  })
  await Promise.all(producers.map((producer) => new Promise((resolve) => producer.disconnect(resolve))))
  return result
}

/** One producer with the settings of tandem's own clients. */
export async function connectRaw({
  bootstrapServers,
  topic,
  handleReport,
  handleFailure,
}: RawProducerOptions): Promise<kafka.Producer> {
  const { globals, topics } = nativeProperties({
    cluster: 'raw',
    properties: { 'bootstrap.servers': bootstrapServers },
    connectTimeoutMs: 10_000,
    messageBytesMax: TOPIC_DEFAULTS.messageBytesMax,
  })
  // Where tandem writes a key to as well.
  const producer = new kafka.Producer(globals, { ...topics, partitioner: 'murmur2_random' })
  producer.on('delivery-report', handleReport)
  producer.on('event.error', handleFailure)
  await new Promise<void>((resolve, reject) => {
    producer.connect({ topic }, (error) => (error ? reject(error) : resolve()))
  })
  producer.setPollInterval(POLL_EVERY_MS)
  return producer
}

export interface RawProducerOptions {
  readonly bootstrapServers: string
  readonly topic: string
  readonly handleReport: HandleReport
  readonly handleFailure: (error: { readonly message: string }) => void
}

type HandleReport = (error: { readonly message: string } | null, report: { readonly opaque?: unknown }) => void
