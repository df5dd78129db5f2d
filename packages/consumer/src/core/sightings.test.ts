import { expect } from 'chai'

import { Sightings } from './sightings.js'

describe('sightings', () => {
  it('says when something beyond a counter was first seen', () => {
    const sightings = new Sightings()
    sightings.note({ high: 3, time: 10, step: 1 })
    sightings.note({ high: 9, time: 20, step: 2 })
    sightings.note({ high: 5, time: 30, step: 3 })
    expect(sightings.beyond(1)?.time).to.equal(10)
    expect(sightings.beyond(2)?.time).to.equal(10)
    expect(sightings.beyond(3)?.time).to.equal(20)
    expect(sightings.beyond(8)?.time).to.equal(20)
    expect(sightings.beyond(9)).to.equal(undefined)
  })

  it('remembers no more than so many, and takes holes for younger rather than older', () => {
    const sightings = new Sightings()
    for (let high = 2; high <= 100_000; high++) sightings.note({ high, time: high, step: high })
    for (const counter of [1, 2, 5_000, 99_998]) {
      const { time, high } = sightings.beyond(counter)!
      expect(time).to.equal(high).and.to.be.above(counter)
    }
    expect(sightings.beyond(99_999)?.high).to.equal(100_000)
  })

  it('forgets what a feed has shown at or above where it goes back to', () => {
    const sightings = new Sightings()
    for (let high = 2; high <= 10; high++) sightings.note({ high, time: high, step: high, offset: 10 * high })
    sightings.rewind(50)
    expect([sightings.high, sightings.beyond(3)?.time, sightings.beyond(4)]).to.deep.equal([4, 4, undefined])
  })

  it('forgets what only concerns counters below the frontier, and nothing else', () => {
    const sightings = new Sightings()
    for (let high = 2; high <= 4_000; high++) sightings.note({ high, time: high, step: high })
    sightings.prune(2_500)
    expect(sightings.beyond(2_501)?.time).to.equal(2_502)
    expect(sightings.beyond(3_999)?.time).to.equal(4_000)
    sightings.prune(3_999)
    expect(sightings.high).to.equal(0)
  })
})
