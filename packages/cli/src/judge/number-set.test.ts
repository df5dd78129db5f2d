import { expect } from 'chai'

import { isMessageNumber, NUMBER_MAX, NumberSet } from './number-set.js'

describe('number set', () => {
  it('holds what was added, once, and grows as needed', () => {
    const set = new NumberSet()
    expect(set.add(1)).to.equal(true)
    expect(set.add(200_000)).to.equal(true)
    expect(set.add(1)).to.equal(false)
    expect(set.size).to.equal(2)
    expect([...set]).to.deep.equal([1, 200_000])
    expect(set.has(2)).to.equal(false)
    expect(set.has(5_000_000)).to.equal(false)
  })

  it('is walked in ascending order', () => {
    const set = new NumberSet()
    for (const number of [16, 9, 8, 7, 1, 1000]) set.add(number)
    expect([...set]).to.deep.equal([1, 7, 8, 9, 16, 1000])
  })

  it('refuses what is no message number', () => {
    for (const value of [0, -1, 1.5, NaN, NUMBER_MAX + 1]) {
      expect(isMessageNumber(value), String(value)).to.equal(false)
      expect(() => new NumberSet().add(value)).to.throw(RangeError)
    }
    expect(isMessageNumber('7')).to.equal(false)
  })
})
