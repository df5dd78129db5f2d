import { createHash } from 'node:crypto'

import { readOptions, type OptionsGiven, type OptionsSpec } from '@tandem/common/internal'
import { Observable, type MonoTypeOperatorFunction } from 'rxjs'

import { SeenKeys } from '../core/seen-keys.js'
import { hostOf } from '../delivery-host.js'
import type { Delivery } from '../delivery.js'

export type DistinctByOptions = OptionsGiven<typeof DISTINCT_BY_OPTIONS>
export type BusinessKey = string | number | bigint | Uint8Array | null | undefined

/**
 * Acknowledges deliveries whose business key another delivery brought before, without passing them on.
 *
 * It is a filter for duplicates that were made outside of tandem, such as a service that sent an order twice, and **no
 * promise**: it remembers `keysMax` keys, each for `ageMsMax` since it was last seen, in this process only. It keeps one
 * of several apart only by what `keyOf` says; tandem's own copies never come this far. A delivery that comes again after
 * `nack()` is no duplicate of itself. What has no key (undefined, null), or whose key cannot be told because `keyOf`
 * throws, passes.
 *
 * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
 */
export function distinctBy<T>(
  keyOf: (delivery: Delivery<T>) => BusinessKey,
  options: DistinctByOptions = {},
): MonoTypeOperatorFunction<Delivery<T>> {
  const settings = readOptions(DISTINCT_BY_OPTIONS, options, 'distinctBy')
  readOptions(KEY_OF, { keyOf }, 'distinctBy')
  return (source) =>
    new Observable((subscriber) => {
      const seen = new SeenKeys(settings)
      return source.subscribe({
        next: (delivery) => {
          const key = textOf(keyOf, delivery)
          const host = hostOf(delivery)
          if (key === undefined || !seen.handleSeen(key, positionOf(delivery), host.clock.now())) {
            return subscriber.next(delivery)
          }
          host.count({ kind: 'duplicate-filtered', topic: delivery.topic })
          delivery.ack()
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })
}

/** A key as short text that tells apart whatever differs; undefined if there is none. */
function textOf<T>(keyOf: (delivery: Delivery<T>) => BusinessKey, delivery: Delivery<T>): string | undefined {
  let key: BusinessKey
  try {
    key = keyOf(delivery)
  } catch {
    return undefined // whoever handles it will meet the same error
  }
  if (key === undefined || key === null) return undefined
  const text = typeof key === 'object' ? Buffer.from(key).toString('latin1') : String(key)
  const short = text.length <= KEY_CHARACTERS_MAX ? text : createHash('sha256').update(text, 'utf8').digest('base64')
  return `${typeof key} ${text.length} ${short}`
}

function positionOf({ topic, keyRange, position }: Delivery): string {
  const { producerId, epoch, incarnation, counter } = position
  return [topic, keyRange, producerId, epoch, incarnation, counter].join(' ')
}

/** Longer ones are kept as their digest, so that `keysMax` bounds memory, too. */
const KEY_CHARACTERS_MAX = 64

const KEY_OF = {
  keyOf: {
    kind: 'opaque',
    meaning: 'Says the business key of a delivery.',
    allowed: 'a function',
    check: (value: unknown) => typeof value === 'function',
  },
} as const satisfies OptionsSpec

export const DISTINCT_BY_OPTIONS = {
  keysMax: {
    kind: 'number',
    unit: 'keys',
    min: 1,
    max: 10_000_000,
    default: 100_000,
    meaning: 'Keys that are remembered; beyond it the one that was not seen for longest is forgotten.',
  },
  ageMsMax: {
    kind: 'number',
    unit: 'ms',
    min: 1,
    max: 604_800_000,
    default: 600_000,
    meaning: 'A key that was not seen for this long is forgotten.',
  },
} as const satisfies OptionsSpec
