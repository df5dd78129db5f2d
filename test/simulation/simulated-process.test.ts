import { expect } from 'chai'

import { Prng } from './prng.js'
import { SimulatedProcess, type Channel } from './simulated-process.js'
import { Timeline } from './timeline.js'

describe('simulated process', () => {
  const one: Channel = { name: 'one' }
  const two: Channel = { name: 'two' }

  function begin(seed = 1): { timeline: Timeline; process: SimulatedProcess; seen: string[] } {
    const timeline = new Timeline()
    const process = new SimulatedProcess({ name: 'p', timeline, prng: new Prng(seed), wallMs: 1_000 })
    return { timeline, process, seen: [] }
  }

  it('hears nothing any more once it is killed', async () => {
    const { timeline, process, seen } = begin()
    process.clock.schedule(5, () => seen.push('timer'))
    process.kill()
    process.deliver(one, () => seen.push('answer'))
    await timeline.run(10)
    expect(seen).to.deep.equal([])
  })

  it('hears what it missed when it is continued, and its clock has jumped', async () => {
    const { timeline, process, seen } = begin()
    process.clock.schedule(5, () => seen.push(`timer at ${process.clock.now()}`))
    process.stop()
    process.deliver(one, () => seen.push('answer'))
    await timeline.run(60_000)
    expect(seen).to.deep.equal([])
    process.continue()
    await timeline.run(0)
    expect(seen).to.have.members(['timer at 60000', 'answer'])
  })

  it('does not run a timer that was taken back while it was stopped', async () => {
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 20; seed++) {
      const { timeline, process, seen } = begin(seed)
      const cancel = process.clock.schedule(5, () => seen.push('timer'))
      process.stop()
      process.deliver(one, () => {
        cancel()
        seen.push('taken back')
      })
      await timeline.run(10)
      process.continue()
      await timeline.run(10)
      outcomes.add(seen.join(', '))
    }
    expect([...outcomes]).to.have.members(['taken back', 'timer, taken back'])
  })

  it('keeps the order of a channel and mixes the channels, after a stop', async () => {
    const orders = new Set<string>()
    for (let seed = 1; seed <= 20; seed++) {
      const { timeline, process, seen } = begin(seed)
      process.stop()
      for (let i = 1; i <= 3; i++) {
        process.deliver(one, () => seen.push(`a${i}`))
        process.deliver(two, () => seen.push(`b${i}`))
      }
      process.continue()
      process.deliver(one, () => seen.push('a4')) // what comes meanwhile does not overtake
      await timeline.run(10)
      expect(seen.filter((text) => text.startsWith('a'))).to.deep.equal(['a1', 'a2', 'a3', 'a4'])
      expect(seen.filter((text) => text.startsWith('b'))).to.deep.equal(['b1', 'b2', 'b3'])
      orders.add(seen.join(' '))
    }
    expect(orders.size).to.be.greaterThan(5)
  })

  it("moves the machine's clock and not the monotonic one", () => {
    const { process } = begin()
    process.moveClock(-500)
    expect(process.clock.wall()).to.equal(500)
    expect(process.clock.now()).to.equal(0)
  })
})
