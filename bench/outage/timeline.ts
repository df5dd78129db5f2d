import { percentileOf, rounded } from '../statistics.js'
import { perSecond, type Series, type Timeline } from '../timeline.js'
import type { Measured } from './figures.js'
import type { Gauge, ProducerGauge } from './order.js'
import type { Samples } from './samples.js'
import type { Verdict } from './verdict.js'

/** Rates by when something was done, latencies by when it was due. */
export function timelineOf(
  { phases, acknowledged, delivered, consumerGauges, producerGauges }: Measured & ProducerGauges,
  { settledAtMs }: Verdict,
): Pick<Timeline, 'bucketMs' | 'phases' | 'series'> {
  const { fromMs } = phases[0]!
  const bucketCount = Math.floor((phases.at(-1)!.toMs - fromMs) / BUCKET_MS)
  const bucketOf = (ms: number): number => Math.floor((ms - fromMs) / BUCKET_MS)
  const each = <T>(make: (bucket: number) => T): T[] => Array.from({ length: bucketCount }, (_, bucket) => make(bucket))

  const rate = ({ atMs }: Samples): number[] => perSecond(atMs, { fromMs, count: bucketCount, bucketMs: BUCKET_MS })
  const latencies = ({ atMs, latencyMs }: Samples): ((part: number) => (number | null)[]) => {
    const byBucket = each((): number[] => [])
    for (const [index, ms] of latencyMs.entries()) byBucket[bucketOf(atMs[index]! - ms)]?.push(ms)
    for (const values of byBucket) values.sort((a, b) => a - b)
    return (part) => byBucket.map((values) => (values.length === 0 ? null : percentileOf(values, part)))
  }
  const alone = (): number[] => {
    const changes = new Float64Array(bucketCount)
    const change = (ms: number, by: number): void => {
      const bucket = Math.max(0, bucketOf(ms))
      if (bucket < bucketCount) changes[bucket]! += by
    }
    for (const [index, number] of acknowledged.numbers.entries()) {
      const ms = acknowledged.atMs[index]!
      change(ms, 1)
      change(Math.max(ms, settledAtMs[number]!), -1)
    }
    let sum = 0
    return each((bucket) => (sum += changes[bucket]!))
  }
  const memory = (gauges: readonly Gauge[]): (number | null)[] => {
    const values = each((): number | null => null)
    for (const { atMs, memoryBytes } of gauges) {
      const bucket = bucketOf(atMs)
      if (bucket >= 0 && bucket < bucketCount) values[bucket] = memoryBytes / 1e6
    }
    return values
  }

  const [sending, endToEnd] = [latencies(acknowledged), latencies(delivered)]
  const series: Series[] = [
    { name: 'accepted', unit: 'messages/s', values: rate(acknowledged) },
    { name: 'delivered', unit: 'messages/s', values: rate(delivered) },
    { name: 'send p50', unit: 'ms', values: sending(0.5) },
    { name: 'send p99', unit: 'ms', values: sending(0.99) },
    { name: 'end to end p99', unit: 'ms', values: endToEnd(0.99) },
    { name: 'in one log alone', unit: 'messages', values: alone() },
    { name: 'producer', unit: 'MB', values: memory(producerGauges) },
    { name: 'consumer', unit: 'MB', values: memory(consumerGauges) },
  ]
  const sinceBegin = (ms: number): number => Math.round(ms - fromMs)
  return {
    bucketMs: BUCKET_MS,
    phases: phases.map((phase) => ({
      name: phase.name,
      fromMs: sinceBegin(phase.fromMs),
      toMs: sinceBegin(phase.toMs),
    })),
    series: series.map(({ values, ...one }) => ({
      ...one,
      values: values.map((value) => (value === null ? null : rounded(value))),
    })),
  }
}

export interface ProducerGauges {
  readonly producerGauges: readonly ProducerGauge[]
}

const BUCKET_MS = 500
