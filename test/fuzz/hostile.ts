import type { Stamp } from '@tandem/common/internal'
import fc from 'fast-check'

/** Input as somebody would make it who means harm, or whose disk does. */

export const bytes = fc.uint8Array({ maxLength: 64 })

/** Counters: small ones that meet, large ones, and those at the end of what a number can hold. */
export const counter: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 1, arbitrary: fc.maxSafeInteger().map((n) => Math.max(1, Math.abs(n))) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 12 }).map((n) => Number.MAX_SAFE_INTEGER - n) },
)

/** Every stamp that is well-formed, with runs of any length. */
export const stamp: fc.Arbitrary<Stamp> = fc
  .record({
    kind: fc.constantFrom('data', 'data', 'frame', 'void', 'void'),
    producerId: fc.constantFrom('p', 'q', '__proto__', 'x'.repeat(128)),
    epoch: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(Number.MAX_SAFE_INTEGER)),
    incarnation: fc.constantFrom(0, 1, 0xffffffff),
    keyRange: fc.constantFrom(0, 1, 0x7fffffff),
    first: counter,
    count: counter,
  })
  .map((one) => {
    const count = one.kind === 'data' ? 1 : Math.min(one.count, Number.MAX_SAFE_INTEGER - one.first + 1)
    return { ...one, count }
  })

const CIRCULAR: Record<string, unknown> = {}
CIRCULAR['self'] = CIRCULAR

/** Whatever a configuration file or a careless program may hold, but nothing that runs. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(undefined, null, true, false, '', 'x', 0, -0, -1, 1, 0.5, NaN, Infinity) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, 2 ** 53, 1e300, -(2 ** 63), 9_007_199_254_740_991) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\0', '__proto__', 'constructor', '\ud800', '10', 'one', 'x'.repeat(10_000)),
  },
  { weight: 1, arbitrary: fc.constantFrom(CIRCULAR, new Array<unknown>(5), 10n, Symbol('s'), /x/, new Date(NaN)) },
  {
    weight: 4,
    arbitrary: fc.anything({ maxDepth: 2, maxKeys: 3, withNullPrototype: true, withMap: true, withTypedArray: true }),
  },
)

/** Names of properties that objects have without being given them. */
export const inherited = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf')
