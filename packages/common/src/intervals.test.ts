import { expect } from 'chai'

import { Intervals } from './intervals.js'

const HIGH = 5

type Change = { readonly kind: 'add' | 'remove'; readonly first: number; readonly last: number }

const changes: Change[] = []
for (let first = 1; first <= HIGH; first++) {
  for (let last = first; last <= HIGH; last++) {
    changes.push({ kind: 'add', first, last }, { kind: 'remove', first, last })
  }
}

/** The same set, counter by counter: slow, and too simple to be wrong. */
class Counters {
  readonly #in = new Set<number>()

  apply({ kind, first, last }: Change): void {
    for (let counter = first; counter <= last; counter++) {
      if (kind === 'add') this.#in.add(counter)
      else this.#in.delete(counter)
    }
  }

  has(counter: number): boolean {
    return this.#in.has(counter)
  }

  runs(first = 1, last = HIGH, inside = true): { first: number; last: number }[] {
    const runs: { first: number; last: number }[] = []
    for (let counter = first; counter <= last; counter++) {
      if (this.has(counter) !== inside) continue
      const run = runs.at(-1)
      if (run?.last === counter - 1) run.last = counter
      else runs.push({ first: counter, last: counter })
    }
    return runs
  }

  get key(): string {
    return this.runs()
      .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
      .join(' ')
  }
}

function compare(set: Intervals, counters: Counters, story: string): void {
  const runs = counters.runs()
  expect(String(set), story).to.equal(counters.key)
  expect(set.size, story).to.equal(runs.length)
  expect(set.count, story).to.equal(runs.reduce((sum, { first, last }) => sum + last - first + 1, 0))
  expect(set.max, story).to.equal(runs.at(-1)?.last ?? 0)
  expect(set.contiguous, story).to.equal(runs[0]?.first === 1 ? runs[0].last : 0)
}

function compareQueries(set: Intervals, counters: Counters): void {
  const runs = counters.runs()
  expect([...set]).to.deep.equal(runs)
  expect(set.toArray()).to.deep.equal(runs.flatMap(({ first, last }) => [first, last]))
  expect([...Intervals.fromArray(set.toArray())]).to.deep.equal(runs)
  for (let first = 1; first <= HIGH + 2; first++) {
    const run = runs.find((candidate) => candidate.first <= first && first <= candidate.last)
    expect(set.has(first)).to.equal(counters.has(first))
    expect(set.runEnd(first)).to.equal(run?.last)
    const next = runs.find(({ last }) => last >= first)
    expect(set.nextFrom(first)).to.equal(next === undefined ? Infinity : Math.max(first, next.first))
    for (let last = first; last <= HIGH + 2; last++) {
      expect(set.missing(first, last), `missing ${first}-${last}`).to.deep.equal(counters.runs(first, last, false))
      expect(set.covers(first, last), `covers ${first}-${last}`).to.equal(run !== undefined && last <= run.last)
    }
  }
}

describe('intervals', () => {
  it('says what was missing when it was asked, whatever is added meanwhile (seed 102000251)', () => {
    const set = Intervals.fromArray([1, 1, 3, 3, 5, 5, 7, 7])
    const seen: number[] = []
    for (const { first, last } of set.missing(1, 8)) {
      seen.push(first)
      set.add(first, last)
    }
    expect(seen).to.deep.equal([2, 4, 6, 8])
  })

  it(`agree with single counters after any three additions and removals in 1 … ${HIGH}`, () => {
    const reached = new Set<string>()
    for (const one of changes) {
      for (const two of changes) {
        for (const three of changes) {
          const set = new Intervals()
          const counters = new Counters()
          for (const change of [one, two, three]) {
            if (change.kind === 'add') set.add(change.first, change.last)
            else set.remove(change.first, change.last)
            counters.apply(change)
          }
          if (String(set) !== counters.key) compare(set, counters, JSON.stringify([one, two, three]))
          if (reached.has(counters.key)) continue
          reached.add(counters.key)
          compare(set, counters, JSON.stringify([one, two, three]))
          compareQueries(set, counters)
        }
      }
    }
    expect(reached.size).to.equal(2 ** HIGH)
  })

  it('join neighbours, and what an addition bridges', () => {
    expect(String(Intervals.of([1, 2], [3, 4]))).to.equal('1-4')
    expect(String(Intervals.of([1, 1], [3, 3], [5, 5], [7, 7], [2, 6]))).to.equal('1-7')
    expect(String(Intervals.of([5, 5], [1, 1], [3, 3]))).to.equal('1 3 5')
  })

  it('drop the shortest, but not the lowest', () => {
    const set = Intervals.of([1, 1], [3, 3], [5, 7], [9, 10], [12, 12])
    expect(set.dropShortest(2)).to.deep.equal([
      { first: 3, last: 3 },
      { first: 12, last: 12 },
    ])
    expect(set.toString()).to.equal('1 5-7 9-10')
    expect(set.dropShortest(9)).to.have.length(2)
    expect(set.toString()).to.equal('1')
    expect(new Intervals().dropShortest(1)).to.deep.equal([])
  })

  it('hold counters up to 2^53 - 1', () => {
    const max = Number.MAX_SAFE_INTEGER
    const set = Intervals.of([1, max - 2], [max, max])
    expect(set.missing(1, max)).to.deep.equal([{ first: max - 1, last: max - 1 }])
    set.add(max - 1, max - 1)
    expect([...set]).to.deep.equal([{ first: 1, last: max }])
    set.remove(1, max)
    expect(set.size).to.equal(0)
  })

  it('are not changed through a clone', () => {
    const set = Intervals.of([1, 3])
    const copy = set.clone()
    copy.add(5, 5)
    set.remove(2, 2)
    expect(String(set)).to.equal('1 3')
    expect(String(copy)).to.equal('1-3 5')
  })

  it('stay one interval while counters come in order', () => {
    const set = new Intervals()
    for (let counter = 1; counter <= 10_000; counter++) set.add(counter, counter)
    expect([...set]).to.deep.equal([{ first: 1, last: 10_000 }])
  })
})
