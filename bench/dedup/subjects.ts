import { RATE, type Comparison } from '../suite.js'

/**
 * Who decides which of two copies is the second one:
 * - `tandem`: `deliveries$`, each acknowledged at once, positions in Redis
 * - `naive`: the published counter rule: per key range the highest counter, and what is not above it is dropped
 * - `set-nx`: Redis is asked about each business key, a batch in one pipeline (`SET … NX EX`)
 * - `get-set`: the same with a `GET` first and a `SET` if there was nothing, each record by itself, as it is mostly written
 */
export const WAYS = ['tandem', 'naive', 'set-nx', 'get-set'] as const
export type Way = (typeof WAYS)[number]

export const REDIS_COST = 'Redis commands/million messages'
export const REDIS_MEMORY = 'Redis MB/million messages'
export const LOST = 'lost'
export const DUPLICATED = 'duplicated'

export const COMPARISONS: readonly Comparison[] = [
  ...(['naive', 'set-nx', 'get-set'] as const).map((other) => ({
    name: `tandem / ${other}`,
    over: 'tandem',
    under: other,
    unit: RATE,
  })),
  ...(['set-nx', 'get-set'] as const).flatMap((other) => [
    {
      name: `${other} / tandem by Redis commands`,
      over: other,
      under: 'tandem',
      unit: REDIS_COST,
      ...(other === 'get-set' && { reach: 1_000 }),
    },
    { name: `${other} / tandem by Redis memory`, over: other, under: 'tandem', unit: REDIS_MEMORY },
  ]),
]
