import { expect } from 'chai'

import { EventQueue } from './event-queue.js'
import { Prng } from './prng.js'

describe('event queue', () => {
  it('gives events by time, and in the order of their making where times are equal', () => {
    const prng = new Prng(1)
    const queue = new EventQueue()
    const made: { time: number; ordinal: number }[] = []
    for (let i = 0; i < 2_000; i++) made.push(queue.push(prng.below(50), () => undefined))
    const wanted = made.sort((a, b) => a.time - b.time || a.ordinal - b.ordinal).map(({ ordinal }) => ordinal)
    const given: number[] = []
    for (let event = queue.shift(50); event !== undefined; event = queue.shift(50)) given.push(event.ordinal)
    expect(given).to.deep.equal(wanted)
  })

  it('passes over what was taken back, and keeps what is not due', () => {
    const queue = new EventQueue()
    queue.push(1, () => undefined).task = undefined
    const due = queue.push(2, () => undefined)
    queue.push(3, () => undefined)
    expect(queue.shift(2)).to.equal(due)
    expect(queue.shift(2)).to.equal(undefined)
    expect(queue.size).to.equal(1)
  })
})
