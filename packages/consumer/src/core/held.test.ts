import { expect } from 'chai'

import { Held } from './held.js'

function record(first: number, last = first) {
  return { first, last, offset: first, bytes: 1, record: `${first}-${last}` }
}

describe('held', () => {
  it('gives back in the order of counters, whatever the order of arrival', () => {
    const held = new Held<string>()
    for (const first of [5, 3, 9, 7, 4]) expect(held.insert(record(first))).to.equal(true)
    const order = []
    for (let front = held.shift(); front !== undefined; front = held.shift()) order.push(front.first)
    expect(order).to.deep.equal([3, 4, 5, 7, 9])
    expect(held.size).to.equal(0)
  })

  it('does not keep what one record already covers', () => {
    const held = new Held<string>()
    held.insert(record(3, 6))
    expect(held.insert(record(4))).to.equal(false)
    expect(held.insert(record(3, 6))).to.equal(false)
    expect(held.insert(record(3, 4))).to.equal(false)
    expect(held.insert(record(5, 8))).to.equal(true)
    expect(held.size).to.equal(2)
  })

  it('keeps its order through thousands of shifts', () => {
    const held = new Held<string>()
    let next = 1
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 100; i++) held.insert(record(round * 100 + i + 1))
      for (let i = 0; i < 90; i++) expect(held.shift()!.first).to.equal(next++)
    }
    expect(held.size).to.equal(500)
    expect(held.front!.first).to.equal(next)
  })

  it('says which counters of a run it does not hold', () => {
    const held = new Held<string>()
    held.insert(record(3))
    held.insert(record(5, 6))
    expect([...held.without(2, 8)]).to.deep.equal([
      [2, 2],
      [4, 4],
      [7, 8],
    ])
  })
})
