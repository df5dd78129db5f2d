import { expect } from 'chai'

import { Batch } from './batch.js'

const ROOM = { unacknowledged: 1, full: false }

function complete(batch: Batch<string>): string[] {
  const complete: string[] = []
  for (let next = batch.poll(); next !== undefined; next = batch.poll()) complete.push(next.join(' '))
  return complete
}

function create(): Batch<string> {
  return new Batch({ countMax: 3, waitMs: 100 })
}

describe('batch', () => {
  it('is complete when it has as many as it may', () => {
    const batch = create()
    for (const name of ['1', '2', '3', '4']) batch.handleDelivered(name, ROOM, 0)
    expect(complete(batch)).to.deep.equal(['1 2 3'])
    expect(batch.deadline()).to.equal(100)
  })

  it('is complete when its first one has waited long enough', () => {
    const batch = create()
    expect(batch.deadline()).to.equal(undefined)
    batch.handleDelivered('1', ROOM, 50)
    batch.handleDelivered('2', ROOM, 140)
    expect(batch.deadline()).to.equal(150)
    batch.handleDeadline(149)
    expect(complete(batch)).to.deep.equal([])
    batch.handleDeadline(150)
    expect(complete(batch)).to.deep.equal(['1 2'])
    expect(batch.deadline()).to.equal(undefined)
  })

  it('is complete when the window is full and all of it is in this batch, so that nothing more can come', () => {
    const batch = create()
    batch.handleDelivered('1', { unacknowledged: 1, full: false }, 0)
    batch.handleDelivered('2', { unacknowledged: 2, full: true }, 0)
    expect(complete(batch)).to.deep.equal(['1 2'])
    // Full because of what is acknowledged later: more will come then.
    batch.handleDelivered('3', { unacknowledged: 2, full: true }, 0)
    expect(complete(batch)).to.deep.equal([])
  })

  it('gives back what is asked for, and ends with its source', () => {
    const batch = create()
    batch.handleDelivered('1', ROOM, 0)
    batch.handleDelivered('2', ROOM, 0)
    expect(batch.take((name) => name === '1')).to.deep.equal(['1'])
    expect(batch.take(() => true)).to.deep.equal(['2'])
    batch.handleEnded()
    expect(complete(batch)).to.deep.equal([])
    batch.handleDelivered('3', ROOM, 0)
    batch.handleEnded()
    expect(complete(batch)).to.deep.equal(['3'])
  })
})
