import { CPU, RATE, type Comparison } from '../suite.js'

/** What is measured: one way to write messages of one size to both clusters. */
export interface SendSubject {
  readonly way: Way
  readonly valueBytes: number
}

/**
 * - `raw`: node-rdkafka alone, with the settings of tandem's clients; `raw-32`: one record for 32 messages
 * - `one`, `available`, `both`: `send()` with that `acknowledge`
 * - `send-many`: `sendMany()`
 * - `on-outage`, `always`, `dead-letter`: `one`, with the journal in that mode
 * - `frames`, `frames-many`, `frames-always`: `one`, `send-many`, `always`, on a topic with `framing: 'frame'`
 * - `kafkajs`, `platformatic`: that client, a message a call; with a number, so many a call
 * - `java`: Kafka's own ProducerPerformance, a process per cluster
 */
export type Way = (typeof WAYS)[number]

/** Whether messages share records. */
export function isFramed(way: Way): boolean {
  return way.startsWith('frames')
}

/** How the others are called: their one call at a time waits for its answer, so many of them do at once. */
export function callsOf(way: Way): { readonly size: number; readonly atOnce: number } {
  const [, size] = /-(\d+)$/.exec(way) ?? []
  return size === undefined ? { size: 1, atOnce: 1_000 } : { size: Number(size), atOnce: 10 }
}

/** All that tandem and node-rdkafka do by themselves. */
const PLAIN = ['raw', 'raw-32', 'one', 'frames'] as const
const TANDEM = ['available', 'both', 'send-many', 'on-outage', 'always', 'dead-letter'] as const
const FRAMES = ['frames-many', 'frames-always'] as const
const PEERS = [
  'kafkajs',
  'kafkajs-100',
  'kafkajs-1000',
  'platformatic',
  'platformatic-100',
  'platformatic-1000',
  'java',
] as const

export const WAYS = [...PLAIN, ...TANDEM, ...FRAMES, ...PEERS] as const

/** The size that counts, another one that all are measured with, and two for those that there is time for. */
const SIZES = [200, 1_024, 100, 16_384] as const

const QUICK: readonly Way[] = [
  'raw',
  'raw-32',
  'one',
  'both',
  'always',
  'frames',
  'frames-many',
  'frames-always',
  'java',
]
const QUICK_PEERS: readonly Way[] = ['kafkajs', 'kafkajs-1000', 'platformatic', 'platformatic-1000']

export function subjectsOf(quick: boolean): readonly SendSubject[] {
  if (quick) return [...QUICK, ...QUICK_PEERS].map((way) => ({ way, valueBytes: SIZES[0] }))
  return SIZES.flatMap((valueBytes, index) => (index < 2 ? WAYS : PLAIN).map((way) => ({ way, valueBytes })))
}

export function nameOf({ way, valueBytes }: SendSubject): string {
  return `${way} ${valueBytes} B`
}

/**
 * What a user pays for tandem, what for its journal, and what the others would give. By messages per second, which on a
 * machine that carries both clusters too says what all of them together can do; and by what the process itself takes,
 * upside down, so that more is better here as well.
 */
export const COMPARISONS: readonly Comparison[] = SIZES.flatMap((valueBytes) => {
  const name = (way: Way): string => nameOf({ way, valueBytes })
  const compare = (way: Way, other: Way, reach?: number): Comparison => {
    const goal = reach === undefined ? {} : { reach }
    return { name: `${way} / ${other}, ${valueBytes} B`, over: name(way), under: name(other), unit: RATE, ...goal }
  }
  const byCpu = (way: Way, other: Way): Comparison => {
    return { name: `${other} / ${way} by CPU, ${valueBytes} B`, over: name(other), under: name(way), unit: CPU }
  }
  // What is to be reached was said of messages of 200 B.
  const goal = (reach: number): number | undefined => (valueBytes === SIZES[0] ? reach : undefined)
  return [
    ...(['one', 'available', 'both', 'send-many'] as const).flatMap((way) => [
      compare(way, 'raw', goal(0.9)),
      byCpu(way, 'raw'),
    ]),
    ...(['on-outage', 'always', 'dead-letter'] as const).flatMap((way) => [compare(way, 'one'), byCpu(way, 'one')]),
    compare('one', 'kafkajs', goal(5)),
    compare('one', 'platformatic', goal(5)),
    ...(valueBytes === SIZES[0]
      ? [{ name: `frames / 300,000/s, ${valueBytes} B`, over: name('frames'), under: 300_000, unit: RATE, reach: 1 }]
      : []),
    compare('frames', 'java', goal(2)),
    compare('frames', 'platformatic-1000', goal(3)),
    compare('frames', 'platformatic-100'),
    compare('frames', 'kafkajs-1000'),
    compare('frames', 'kafkajs-100'),
    compare('frames', 'raw-32'),
    compare('frames', 'one'),
    byCpu('frames', 'one'),
    compare('frames-many', 'frames'),
    compare('frames-always', 'frames'),
  ]
})
