import { expect } from 'chai'

import { Fifo } from './fifo.js'

describe('fifo', () => {
  it('gives back what it was given, in order, across growth and wrap-around', () => {
    const fifo = new Fifo<number>()
    let next = 0
    let expected = 0
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < (round % 7) * 5; i++) fifo.push(next++)
      for (let i = 0; i < (round % 5) * 6 && fifo.size > 0; i++) expect(fifo.shift()).to.equal(expected++)
      expect(fifo.size).to.equal(next - expected)
      expect(fifo.peek()).to.equal(fifo.size === 0 ? undefined : expected)
      expect(fifo.newest).to.equal(fifo.size === 0 ? undefined : next - 1)
    }
    while (fifo.size > 0) expect(fifo.shift()).to.equal(expected++)
    expect(fifo.shift()).to.equal(undefined)
    expect(expected).to.equal(next)
  })

  it('filters and sorts what is in it, and goes on', () => {
    const fifo = new Fifo<number>()
    for (let i = 0; i < 20; i++) fifo.push(i)
    for (let i = 0; i < 10; i++) fifo.shift()
    for (let i = 20; i < 40; i++) fifo.push(i)
    fifo.filter((item) => item % 2 === 1)
    fifo.sort((a, b) => b - a)
    fifo.push(1_000)
    expect([...fifo]).to.deep.equal([39, 37, 35, 33, 31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 1_000])
  })
})
