import { Intervals } from '@tandem/common/internal'
import { Held, Voids, type HeldRecord } from '@tandem/consumer/internal'
import { expect } from 'chai'

import { logsUpTo } from './enumerate.js'

/**
 * What rules are read from, against sets of numbers: intervals, voids with their offsets, and what is held.
 *
 * Intervals are their pairs and nothing else. So each set of numbers has one form, and if each change of each form gives
 * the right one, then every row of changes does, however long.
 */
const HIGH = 7

interface Run {
  readonly first: number
  readonly last: number
}

function runs(high: number): Run[] {
  const all: Run[] = []
  for (let first = 1; first <= high; first++) for (let last = first; last <= high; last++) all.push({ first, last })
  return all
}

function numbersOf({ first, last }: Run): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** Numbers below a bound for which something holds, as the runs that they form. */
function runsWhere(first: number, last: number, holds: (number: number) => boolean): Run[] {
  const found: Run[] = []
  for (let number = first; number <= last; number++) {
    if (!holds(number)) continue
    const run = found.at(-1)
    if (run?.last === number - 1) found[found.length - 1] = { first: run.first, last: number }
    else found.push({ first: number, last: number })
  }
  return found
}

describe('all small cases of intervals', function () {
  this.timeout(0)

  it(`any row of additions and removals in 1 … ${HIGH}, and every question after it`, () => {
    let cases = 0
    for (let bits = 0; bits < 2 ** HIGH; bits++) {
      const numbers = new Set(numbersOf({ first: 1, last: HIGH }).filter((number) => (bits >> (number - 1)) & 1))
      const form = runsWhere(1, HIGH, (number) => numbers.has(number))
      const flat = form.flatMap(({ first, last }) => [first, last])
      expect(Intervals.fromArray(flat).toArray()).to.deep.equal(flat)
      compareQuestions(Intervals.fromArray(flat), numbers, form)
      for (const run of runs(HIGH)) {
        for (const kind of ['add', 'remove'] as const) {
          const set = Intervals.fromArray(flat)
          const copy = set.clone()
          const after = new Set(numbers)
          set[kind](run.first, run.last)
          for (const number of numbersOf(run)) {
            if (kind === 'add') after.add(number)
            else after.delete(number)
          }
          const wanted = runsWhere(1, HIGH, (number) => after.has(number))
          const text = `${String(copy)}, ${kind} ${run.first}-${run.last}`
          if (JSON.stringify([...set]) !== JSON.stringify(wanted)) expect([...set], text).to.deep.equal(wanted)
          if (String(copy.toArray()) !== String(flat)) expect.fail(`${text} changed the set that it was cloned from`)
          cases++
        }
      }
    }
    console.log(`      ${cases} changes`)
  })

  it('voids with offsets: any four of them in 1 … 4, and a rewind to each offset', () => {
    let cases = 0
    for (const row of logsUpTo(4, runs(4))) {
      for (let rewound = 0; rewound <= row.length; rewound++) {
        const voids = new Voids()
        const offsets = new Map<number, number>()
        for (const [offset, run] of row.entries()) {
          voids.add(run.first, run.last, offset, 0)
          for (const number of numbersOf(run)) if (!offsets.has(number)) offsets.set(number, offset)
        }
        voids.prune(({ offset }) => offset < rewound)
        for (const [number, offset] of offsets) if (offset >= rewound) offsets.delete(number)
        compareVoids(voids, offsets, () => `${JSON.stringify(row)}, back to ${rewound}`)
        cases++
      }
    }
    console.log(`      ${cases} rows`)
  })

  it('what is held: any row of four records and withdrawals from the front', () => {
    // As a sequence brings them: each counter is always in the same record.
    const records = [
      { first: 1, last: 1 },
      { first: 2, last: 3 },
      { first: 4, last: 4 },
      { first: 5, last: 6 },
    ]
    let cases = 0
    for (const row of logsUpTo(5, [...records, undefined])) {
      const held = new Held<null>()
      let wanted: Run[] = []
      for (const [offset, run] of row.entries()) {
        if (run === undefined) {
          expect(bare(held.shift())).to.deep.equal(wanted.shift())
          continue
        }
        const isNew = !wanted.some(({ first }) => first === run.first)
        expect(held.insert({ ...run, offset, bytes: 1, record: null })).to.equal(isNew)
        if (isNew) wanted = [...wanted, run].sort((a, b) => a.first - b.first)
      }
      expect(held.size).to.equal(wanted.length)
      expect(bare(held.front)).to.deep.equal(wanted[0])
      const numbers = new Set(wanted.flatMap(numbersOf))
      const without = [...held.without(1, 7)].map(([first, last]) => ({ first, last }))
      expect(without).to.deep.equal(runsWhere(1, 7, (number) => !numbers.has(number)))
      cases++
    }
    console.log(`      ${cases} rows`)
  })
})

function bare(record: HeldRecord<null> | undefined): Run | undefined {
  return record && { first: record.first, last: record.last }
}

function compareQuestions(set: Intervals, numbers: ReadonlySet<number>, form: readonly Run[]): void {
  expect(set.size).to.equal(form.length)
  expect(set.count).to.equal(numbers.size)
  expect(set.max).to.equal(form.at(-1)?.last ?? 0)
  expect(set.contiguous).to.equal(form[0]?.first === 1 ? form[0].last : 0)
  for (let first = 1; first <= HIGH + 2; first++) {
    const run = form.find((one) => one.first <= first && first <= one.last)
    const next = numbersOf({ first, last: HIGH }).find((number) => numbers.has(number)) ?? Infinity
    expect(set.has(first)).to.equal(numbers.has(first))
    expect(set.runEnd(first)).to.equal(run?.last)
    expect(set.nextFrom(first)).to.equal(next)
    for (let last = first; last <= HIGH + 2; last++) {
      const missing = runsWhere(first, last, (number) => !numbers.has(number))
      expect([...set.missing(first, last)]).to.deep.equal(missing)
      expect(set.covers(first, last)).to.equal(missing.length === 0)
    }
  }
}

/** Neighbours stay apart, since a rewind forgets by offset; so only what each number answers can be compared. */
function compareVoids(voids: Voids, offsets: ReadonlyMap<number, number>, row: () => string): void {
  for (let number = 1; number <= 5; number++) {
    const next = [...offsets.keys()].filter((one) => one >= number).sort((a, b) => a - b)[0] ?? Infinity
    if (voids.at(number)?.offset !== offsets.get(number)) expect.fail(`${row()}: the void of ${number}`)
    if (voids.nextFrom(number) !== next) expect.fail(`${row()}: the next one from ${number}`)
    for (let last = number; last <= 5; last++) {
      const missing = [...voids.missing(number, last)].map(([from, to]) => ({ first: from, last: to }))
      const wanted = runsWhere(number, last, (one) => !offsets.has(one))
      if (JSON.stringify(missing) !== JSON.stringify(wanted)) expect.fail(`${row()}: missing in ${number}-${last}`)
    }
  }
  let size = 0
  for (const { first, last } of voids) size += last - first + 1
  if (size !== offsets.size) expect.fail(`${row()}: ${size} counters voided, not ${offsets.size}`)
}
