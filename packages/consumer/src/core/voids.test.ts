import { expect } from 'chai'

import { Voids } from './voids.js'

describe('voids', () => {
  it('keeps the void that came first', () => {
    const voids = new Voids()
    voids.add(4, 6, 10, 1)
    voids.add(1, 8, 20, 2)
    expect([...voids].map(({ first, last, offset }) => [first, last, offset])).to.deep.equal([
      [1, 3, 20],
      [4, 6, 10],
      [7, 8, 20],
    ])
  })

  it('says which counters are voided, and where the next void begins', () => {
    const voids = new Voids()
    voids.add(4, 6, 10, 1)
    expect(voids.at(3)).to.equal(undefined)
    expect(voids.at(6)?.offset).to.equal(10)
    expect(voids.nextFrom(1)).to.equal(4)
    expect(voids.nextFrom(5)).to.equal(5)
    expect(voids.nextFrom(7)).to.equal(Infinity)
    expect([...voids.missing(3, 8)]).to.deep.equal([
      [3, 3],
      [7, 8],
    ])
  })
})
