/** Kafka's own measure of its own client, ProducerPerformance of kafka-tools: one process per cluster, at the same time. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { kafkaJars } from '@tandem/testing/internal'

import type { SendOrder } from './order.js'

/** The slower of the two decides when a message is in both. It has no keys, no headers and nobody who waits for it. */
export async function runJava({
  clusters,
  topic,
  valueBytes,
}: Pick<SendOrder, 'clusters' | 'topic' | 'valueBytes'>): Promise<{
  readonly sent: number
  readonly perSecond: number
}> {
  const sent = Math.round(BYTES / valueBytes)
  const jars = await kafkaJars()
  const rates = await Promise.all(
    Object.values(clusters).map(async (address: string) => {
      const { stdout } = await promisify(execFile)('java', [
        '-Xmx512m',
        '-cp',
        join(jars, '*'),
        'org.apache.kafka.tools.ProducerPerformance',
        ...['--topic', topic, '--num-records', String(sent), '--record-size', String(valueBytes), '--throughput', '-1'],
        ...['--producer-props', `bootstrap.servers=${address}`, ...PROPERTIES],
      ])
      return rateOf(stdout)
    }),
  )
  return { sent, perSecond: Math.min(...rates) }
}

/** Of its last line: all of the run, or what came after the warm-up. */
export function rateOf(output: string): number {
  const [, rate] = /^\d+ records sent, ([\d.]+) records\/sec .*\s*$/m.exec(output.trim().split('\n').at(-1)!) ?? []
  if (rate === undefined) throw new Error(`ProducerPerformance told no rate: ${output.slice(-500)}`)
  return Number(rate)
}

/** What its users set to have much of it: acknowledgements of all replicas as everywhere here, and longer batches. */
const PROPERTIES = ['acks=all', 'linger.ms=5', 'batch.size=131072', 'buffer.memory=67108864']
/** About 8 s of it, of which its own start takes little. */
const BYTES = 240_000_000
