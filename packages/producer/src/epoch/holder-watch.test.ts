import { expect } from 'chai'

import { HolderWatch } from './holder-watch.js'

const holder = (renewal: number, id = 'x') => ({ id, renewal, host: 'there' })

describe('holder watch', () => {
  let watch: HolderWatch
  beforeEach(() => (watch = new HolderWatch(5_000)))

  it('knows nobody at first', () => {
    expect(watch.holder).to.equal(undefined)
    expect(watch.stillAt(1_000_000)).to.equal(undefined)
    expect(watch.alive).to.equal(false)
  })

  it('lets go of a holder that has stood still for a whole lease, by our clock', () => {
    watch.handleHeld(holder(7), 1_000)
    watch.handleHeld(holder(7), 5_900)
    expect(watch.stillAt(5_999)).to.equal(undefined)
    expect(watch.stillAt(6_000)).to.deep.equal(holder(7))
    expect(watch.alive).to.equal(false)
  })

  it('takes two renewals for life, and one for what a dead process left behind', () => {
    watch.handleHeld(holder(7), 0)
    watch.handleHeld(holder(8), 4_000)
    expect(watch.alive).to.equal(false)
    expect(watch.stillAt(8_999)).to.equal(undefined) // seen to move, so the lease is counted anew
    expect(watch.stillAt(9_000)).to.deep.equal(holder(8))
    watch.handleHeld(holder(9), 9_000)
    expect(watch.alive).to.equal(true)
  })

  it('begins anew with a holder that was not there before', () => {
    watch.handleHeld(holder(7), 0)
    watch.handleHeld(holder(8), 1_000)
    watch.handleHeld(holder(9, 'y'), 2_000)
    expect(watch.alive).to.equal(false)
    watch.handleHeld(holder(10, 'y'), 3_000)
    expect(watch.alive).to.equal(false)
    expect(watch.stillAt(7_999)).to.equal(undefined)
    watch.handleHeld(holder(11, 'y'), 4_000)
    expect(watch.alive).to.equal(true)
  })

  it('takes a number that runs back for no sign of life: the store fell back', () => {
    watch.handleHeld(holder(7), 0)
    watch.handleHeld(holder(6), 4_000)
    watch.handleHeld(holder(5), 4_500)
    expect(watch.alive).to.equal(false)
    expect(watch.stillAt(9_499)).to.equal(undefined)
    expect(watch.stillAt(9_500)).to.deep.equal(holder(5))
  })
})
