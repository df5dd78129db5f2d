import { CPU, RATE, type Comparison } from '../suite.js'

/** What is measured: one way to write messages of one size to both clusters. */
export interface SendSubject {
  readonly way: Way
  readonly valueBytes: number
}

/**
 * - `raw`: node-rdkafka alone, with the settings of tandem's clients
 * - `one`, `available`, `both`: `send()` with that `acknowledge`
 * - `send-many`: `sendMany()`
 * - `on-outage`, `always`, `dead-letter`: `one`, with the journal in that mode
 */
export type Way = (typeof WAYS)[number]

export const WAYS = ['raw', 'one', 'available', 'both', 'send-many', 'on-outage', 'always', 'dead-letter'] as const

/** The size that counts, and those that are measured if there is time. */
const SIZES = [200, 1_000, 10_000] as const

export function subjectsOf(quick: boolean): readonly SendSubject[] {
  return (quick ? SIZES.slice(0, 1) : SIZES).flatMap((valueBytes) => WAYS.map((way) => ({ way, valueBytes })))
}

export function nameOf({ way, valueBytes }: SendSubject): string {
  return `${way} ${valueBytes} B`
}

/** A tenth is what order, numbers and two independent lanes may cost. */
const RAW_REACH = 0.9

/**
 * What a user pays for tandem, and what for its journal. By messages per second, which on a machine that carries both
 * clusters too says what all of them together can do; and by what the process itself takes, upside down, so that more
 * is better here as well.
 */
export const COMPARISONS: readonly Comparison[] = SIZES.flatMap((valueBytes) => {
  const compare = (way: Way, other: Way, reach?: number): Comparison[] => {
    const [over, under] = [nameOf({ way, valueBytes }), nameOf({ way: other, valueBytes })]
    const goal = reach === undefined ? {} : { reach }
    return [
      { name: `${way} / ${other}, ${valueBytes} B`, over, under, unit: RATE, ...goal },
      { name: `${other} / ${way} by CPU, ${valueBytes} B`, over: under, under: over, unit: CPU },
    ]
  }
  return [
    ...compare('one', 'raw', RAW_REACH),
    ...compare('available', 'raw', RAW_REACH),
    ...compare('both', 'raw', RAW_REACH),
    ...compare('send-many', 'raw', RAW_REACH),
    ...compare('on-outage', 'one'),
    ...compare('always', 'one'),
    ...compare('dead-letter', 'one'),
  ]
})
