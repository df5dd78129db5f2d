import { Intervals } from '@tandem/common/internal'
import { Held, Voids } from '@tandem/consumer/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import { SMALL_BYTES, target, within } from './target.js'

/** Sets of intervals against plain sets of counters, at the beginning of what numbers can hold and at its end. */
const DOMAIN = 24
const base = fc.constantFrom(0, Number.MAX_SAFE_INTEGER - DOMAIN)
const span = fc
  .tuple(fc.integer({ min: 1, max: DOMAIN }), fc.integer({ min: 1, max: DOMAIN }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** Runs of consecutive numbers. */
function runs(numbers: readonly number[]): (readonly [number, number])[] {
  const found: [number, number][] = []
  for (const n of numbers) {
    const run = found.at(-1)
    if (run !== undefined && run[1] === n - 1) run[1] = n
    else found.push([n, n])
  }
  return found
}

const operations = fc.array(fc.tuple(fc.constantFrom('add', 'add', 'remove'), span), { maxLength: 12 })

export const INTERVALS = [
  target(
    'intervals: as a plain set',
    15,
    fc.property(base, operations, span, (from, steps, [a, b]) => {
      const set = new Intervals()
      const plain = new Set<number>()
      for (const [operation, [first, last]] of steps) {
        set[operation](from + first, from + last)
        for (const n of range(first, last)) plain[operation === 'add' ? 'add' : 'delete'](from + n)
      }
      const all = [...plain].sort((x, y) => x - y)
      const [first, last] = [from + a, from + b]
      expect([...set].map((each) => [each.first, each.last])).to.deep.equal(runs(all))
      expect(set.size).to.equal(runs(all).length)
      expect(set.count).to.equal(all.length)
      expect(set.max).to.equal(all.at(-1) ?? 0)
      expect(set.contiguous).to.equal(plain.has(1) ? runs(all)[0]![1] : 0)
      expect(set.has(first)).to.equal(plain.has(first))
      expect(set.covers(first, last)).to.equal(range(first, last).every((n) => plain.has(n)))
      expect(set.runEnd(first)).to.equal(runs(all).find(([low, high]) => low <= first && first <= high)?.[1])
      expect(set.nextFrom(first)).to.equal(all.find((n) => n >= first) ?? Infinity)
      const missing = [...set.missing(first, last)].map((each) => [each.first, each.last])
      expect(missing).to.deep.equal(runs(range(first, last).filter((n) => !plain.has(n))))
      expect(Intervals.fromArray(set.toArray()).toString()).to.equal(set.clone().toString())
    }),
  ),
  target(
    'intervals: of any size, without a cost for each counter',
    6,
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.maxSafeInteger(), fc.maxSafeInteger()), { maxLength: 20 }),
      (steps) => {
        const set = new Intervals()
        within(SMALL_BYTES, () => {
          for (const [add, a, b] of steps) {
            const [low, high] = [Math.min(Math.abs(a), Math.abs(b)), Math.max(Math.abs(a), Math.abs(b))]
            if (add) set.add(low, high)
            else set.remove(low, high)
            set.covers(low, high)
            for (const { first, last } of set.missing(low, high)) expect(first).to.be.at.most(last)
          }
        })
        expect(set.size).to.be.at.most(steps.length)
      },
    ),
  ),
  target(
    'voids: the first one of a counter stays',
    8,
    fc.property(base, fc.array(span, { maxLength: 12 }), fc.nat({ max: 12 }), span, (from, voided, kept, [a, b]) => {
      const voids = new Voids()
      let plain = new Map<number, number>()
      for (const [offset, [first, last]] of voided.entries()) {
        voids.add(from + first, from + last, offset, 0)
        for (const n of range(first, last)) if (!plain.has(from + n)) plain.set(from + n, offset)
      }
      voids.prune(({ offset }) => offset < kept)
      plain = new Map([...plain].filter(([, offset]) => offset < kept))
      for (const n of range(from + 1, from + DOMAIN)) expect(voids.at(n)?.offset).to.equal(plain.get(n))
      const [first, last] = [from + a, from + b]
      const next = range(first, from + DOMAIN).find((n) => plain.has(n)) ?? Infinity
      expect(voids.nextFrom(first)).to.equal(next)
      const missing = [...voids.missing(first, last)]
      expect(missing).to.deep.equal(runs(range(first, last).filter((n) => !plain.has(n))))
      expect(voids.size).to.be.at.most(2 * voided.length)
    }),
  ),
  target(
    'held: comes out in order, and what it covers is known',
    8,
    fc.property(base, fc.array(span, { maxLength: 12 }), fc.nat({ max: 12 }), span, (from, spans, shifts, [a, b]) => {
      const held = new Held<number>()
      const kept: { first: number; last: number }[] = []
      for (const [offset, [x, y]] of spans.entries()) {
        const [first, last] = [from + x, from + y]
        const inserted = held.insert({ first, last, offset, bytes: 1, record: offset })
        const covered = range(first, last).every((n) => kept.some((one) => one.first <= n && n <= one.last))
        if (inserted) kept.push({ first, last })
        else expect(covered, 'what is not kept is covered').to.equal(true)
      }
      expect(held.size).to.equal(kept.length)
      kept.sort((x, y) => x.first - y.first)
      for (let i = 0; i < shifts && kept.length > 0; i++) {
        const out = held.shift()!
        expect(out.first).to.equal(kept[0]!.first)
        kept.splice(
          kept.findIndex(({ first, last }) => first === out.first && last === out.last),
          1,
        )
      }
      const [first, last] = [from + a, from + b]
      const open = range(first, last).filter((n) => !kept.some((one) => one.first <= n && n <= one.last))
      const found = [...held.without(first, last)].flatMap(([low, high]) => range(low, high))
      expect(found).to.deep.equal(open)
    }),
  ),
]
