import { expect } from 'chai'

import { percentileOf, ratioOf, rounded, summaryOf } from './statistics.js'

describe('bench statistics', () => {
  it('sums rounds up by median, least and greatest', () => {
    expect(summaryOf([10, 9, 100])).to.deep.equal({ median: 10, min: 9, max: 100 })
    expect(summaryOf([4, 1, 3, 2])).to.deep.equal({ median: 2.5, min: 1, max: 4 })
    expect(summaryOf([7])).to.deep.equal({ median: 7, min: 7, max: 7 })
  })

  it('finds the value that a part does not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
    expect([0, 0.5, 0.99, 0.999, 1].map((part) => percentileOf(hundred, part))).to.deep.equal([1, 50, 99, 100, 100])
    expect(percentileOf([7], 0.99)).to.equal(7)
    expect(percentileOf([], 0.99)).to.be.NaN
  })

  it('compares within each round, so that a slow round does not count', () => {
    expect(ratioOf([50, 5, 500], [100, 10, 1_000])).to.equal(0.5)
    // Medians of all rounds would say 60 / 100.
    expect(ratioOf([90, 60, 9], [100, 120, 10])).to.equal(0.9)
  })

  it('compares with a figure', () => {
    expect(ratioOf([300, 200, 400], 100)).to.equal(3)
    expect(ratioOf(12, [3, 4, 6])).to.equal(3)
  })

  it('keeps three digits', () => {
    expect([0.123456, 45_678, 1].map(rounded)).to.deep.equal([0.123, 45_700, 1])
  })
})
