import { expect } from 'chai'

import { PollingClock } from './polling-clock.js'

describe('polling clock', () => {
  it('stands still while nothing is polled', () => {
    const clock = new PollingClock(100)
    expect(clock.read(600)).to.equal(500)
    clock.handleStopped(700)
    expect(clock.read(60_000)).to.equal(600)
    clock.handleStarted(61_000)
    expect(clock.read(61_100)).to.equal(700)
  })

  it('counts a stall of our own as one step of at most a second', () => {
    const clock = new PollingClock(0)
    expect(clock.read(1_000)).to.equal(1_000)
    expect(clock.read(61_000)).to.equal(2_000)
  })

  it('takes no silence for a stall that was meant to be', () => {
    const clock = new PollingClock(0)
    clock.handleArmed(3_000)
    expect(clock.read(2_500)).to.equal(2_500)
    expect(clock.read(60_000)).to.equal(4_000)
    expect(clock.read(120_000)).to.equal(5_000)
  })

  it('lets no timeout pass in one step, however short it is', () => {
    const clock = new PollingClock(0, [60_000, 900, 10_000])
    expect(clock.read(60_000)).to.equal(300)
    expect(new PollingClock(0, [1]).stepMsMax).to.equal(20)
    expect(new PollingClock(0, [60_000]).stepMsMax).to.equal(1_000)
  })

  it('never runs back', () => {
    const clock = new PollingClock(100)
    clock.read(200)
    expect(clock.read(150)).to.equal(100)
  })
})
