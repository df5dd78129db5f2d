import { CPU, RATE, type Comparison } from '../suite.js'

/** What is measured: one way to read messages of one size from both clusters. */
export interface ConsumeSubject {
  readonly way: Way
  readonly valueBytes: number
}

/**
 * - `raw`: two consumers of node-rdkafka that only count, with the settings of tandem's clients
 * - `tandem`: `deliveries$`, each acknowledged at once, positions in Redis
 * - `in-key-order`: the same, through that operator
 * - `frames`, `raw-frames`: `tandem` and `raw` on a topic whose messages share records
 * - `set-nx`: `raw`, and each record's business key is asked of Redis, in one pipeline per batch: new, or seen before?
 */
export type Way = (typeof WAYS)[number]

export const WAYS = ['raw', 'tandem', 'in-key-order', 'set-nx', 'frames', 'raw-frames'] as const

export function isFramed(way: Way): boolean {
  return way.endsWith('frames')
}

/** The size that counts, and one that is measured if there is time; how many messages a log has of it. */
export const SIZES = [
  { valueBytes: 200, messages: 500_000 },
  { valueBytes: 1_000, messages: 250_000 },
] as const

export function subjectsOf(quick: boolean): readonly ConsumeSubject[] {
  return (quick ? SIZES.slice(0, 1) : SIZES).flatMap(({ valueBytes }) => WAYS.map((way) => ({ way, valueBytes })))
}

export function nameOf({ way, valueBytes }: ConsumeSubject): string {
  return `${way} ${valueBytes} B`
}

/** Commands that a client sends: `INFO` of Redis counts what scripts call, too. */
export const REDIS_RATE = 'Redis commands/partition/s'
export const REDIS_COST = 'Redis commands/1,000 messages'

/**
 * What order, numbers and one decision over two logs cost a reader; and what they save, beside asking a store about each
 * message. By CPU and by commands upside down, so that more is better here as well.
 */
export const COMPARISONS: readonly Comparison[] = SIZES.flatMap(({ valueBytes }) => {
  const name = (way: Way): string => nameOf({ way, valueBytes })
  const goal = (reach: number): number | undefined => (valueBytes === SIZES[0].valueBytes ? reach : undefined)
  const compare = (way: Way, other: Way, reach?: number): Comparison[] => [
    {
      name: `${way} / ${other}, ${valueBytes} B`,
      over: name(way),
      under: name(other),
      unit: RATE,
      ...(reach !== undefined && { reach }),
    },
    { name: `${other} / ${way} by CPU, ${valueBytes} B`, over: name(other), under: name(way), unit: CPU },
  ]
  return [
    ...compare('tandem', 'raw', goal(0.9)),
    ...compare('in-key-order', 'tandem'),
    ...compare('tandem', 'set-nx'),
    ...compare('frames', 'tandem'),
    ...compare('frames', 'raw-frames'),
    ...(valueBytes === SIZES[0].valueBytes
      ? [
          { name: `frames / 300,000/s, ${valueBytes} B`, over: name('frames'), under: 300_000, unit: RATE, reach: 1 },
          ...(['tandem', 'frames'] as const).map((way) => ({
            name: `12 / ${REDIS_RATE} of ${way}, ${valueBytes} B`,
            over: 12,
            under: name(way),
            unit: REDIS_RATE,
            reach: 1,
          })),
        ]
      : []),
    ...[REDIS_RATE, REDIS_COST].map((unit) => ({
      name: `set-nx / tandem by ${unit}, ${valueBytes} B`,
      over: name('set-nx'),
      under: name('tandem'),
      unit,
    })),
  ]
})
