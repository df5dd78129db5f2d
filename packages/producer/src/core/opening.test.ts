import { expect } from 'chai'

import { Opening } from './opening.js'

describe('opening', () => {
  it('is done when both clusters are ready', () => {
    const opening = new Opening({ timeoutMs: 10_000, now: 0 })
    opening.handleReady(1, 10)
    expect(opening.poll()).to.equal(undefined)
    opening.handleReady(0, 20)
    expect(opening.poll()).to.deep.equal({ kind: 'opened' })
  })

  it('is done with one, a moment after it was ready', () => {
    const opening = new Opening({ timeoutMs: 10_000, now: 0 })
    opening.handleReady(1, 10)
    expect(opening.deadline()).to.equal(1_010)
    opening.handleDeadline(1_009)
    expect(opening.poll()).to.equal(undefined)
    opening.handleDeadline(1_010)
    expect(opening.poll()).to.deep.equal({ kind: 'opened' })
  })

  it('does not wait for a cluster that has failed', () => {
    const opening = new Opening({ timeoutMs: 10_000, now: 0 })
    opening.handleFailed(0, 'no broker', 5)
    opening.handleReady(1, 10)
    expect(opening.poll()).to.deep.equal({ kind: 'opened' })
  })

  it('is over in bounded time when neither is ready, and knows why', () => {
    const opening = new Opening({ timeoutMs: 10_000, now: 0 })
    opening.handleFailed(0, 'no broker', 5)
    opening.handleDeadline(9_999)
    expect(opening.poll()).to.equal(undefined)
    opening.handleDeadline(10_000)
    expect(opening.poll()).to.deep.equal({ kind: 'unreachable' })
    expect(opening.reasons).to.deep.equal(['no broker', undefined])
    opening.handleReady(1, 10_001) // too late
    expect(opening.poll()).to.equal(undefined)
    expect(opening.deadline()).to.equal(undefined)
  })

  it('waits for both again when the one that was ready has failed', () => {
    const opening = new Opening({ timeoutMs: 10_000, now: 0 })
    opening.handleReady(0, 10)
    opening.handleFailed(0, 'gone', 20)
    opening.handleDeadline(1_010)
    expect(opening.poll()).to.equal(undefined)
    expect(opening.deadline(), 'later than what has passed').to.equal(10_000)
  })
})
