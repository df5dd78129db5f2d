import { expect } from 'chai'

import { ClockEpochs } from './epoch-store.js'

describe('clock epochs', () => {
  it('take the time, and are always greater than the one before', async () => {
    let wall = 1_000.7
    const epochs = new ClockEpochs({ now: () => 0, wall: () => wall, schedule: () => () => undefined })
    expect(await epochs.take()).to.deep.equal({ epoch: 1_000 })
    wall = 500 // the clock was set back
    expect(await epochs.take()).to.deep.equal({ epoch: 1_001 })
    wall = 2_000
    expect(await epochs.take()).to.deep.equal({ epoch: 2_000 })
  })
})
