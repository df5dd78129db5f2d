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

  it('forgets what only concerns counters below the frontier, and nothing else', () => {
    const sightings = new Sightings()
    for (let high = 2; high <= 5_000; high++) sightings.note({ high, time: high, step: high })
    sightings.prune(2_500)
    expect(sightings.beyond(2_501)?.time).to.equal(2_502)
    expect(sightings.beyond(4_999)?.time).to.equal(5_000)
    sightings.prune(4_999)
    expect(sightings.high).to.equal(0)
  })
})
