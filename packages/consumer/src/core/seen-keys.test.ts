import { expect } from 'chai'

import { SeenKeys } from './seen-keys.js'

describe('seen keys', () => {
  it('knows a key that another one has brought, and not the same one that comes again', () => {
    const seen = new SeenKeys({ keysMax: 10, ageMsMax: 1_000 })
    expect(seen.handleSeen('order-1', 'a', 0)).to.equal(false)
    expect(seen.handleSeen('order-1', 'a', 1)).to.equal(false)
    expect(seen.handleSeen('order-1', 'b', 2)).to.equal(true)
    expect(seen.handleSeen('order-1', 'b', 3)).to.equal(true)
    expect(seen.handleSeen('order-2', 'b', 3)).to.equal(false)
  })

  it('forgets what nobody has asked for longest', () => {
    const seen = new SeenKeys({ keysMax: 2, ageMsMax: 1_000 })
    seen.handleSeen('x', 'a', 0)
    seen.handleSeen('y', 'b', 0)
    expect(seen.handleSeen('x', 'c', 0)).to.equal(true)
    seen.handleSeen('z', 'd', 0)
    expect(seen.size).to.equal(2)
    expect(seen.handleSeen('x', 'e', 0)).to.equal(true)
    expect(seen.handleSeen('y', 'f', 0)).to.equal(false)
  })

  it('forgets what nobody has asked for so long', () => {
    const seen = new SeenKeys({ keysMax: 10, ageMsMax: 1_000 })
    seen.handleSeen('x', 'a', 0)
    seen.handleSeen('y', 'a', 500)
    expect(seen.handleSeen('x', 'b', 999)).to.equal(true)
    expect(seen.handleSeen('y', 'b', 1_500)).to.equal(false)
    expect(seen.handleSeen('x', 'b', 1_998)).to.equal(true)
    seen.handleSeen('z', 'c', 10_000)
    expect(seen.size).to.equal(1)
  })

  it('holds no more than twice as much, however often the same keys are asked for', () => {
    const seen = new SeenKeys({ keysMax: 10, ageMsMax: 1_000_000 })
    for (let now = 0; now < 1_000; now++) {
      expect(seen.handleSeen(`${now % 10}`, `${now}`, now)).to.equal(now >= 10)
      expect(seen.entries).to.be.at.most(20)
    }
    expect(seen.size).to.equal(10)
  })
})
