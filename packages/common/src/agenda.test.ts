import { expect } from 'chai'

import { Agenda } from './agenda.js'
import type { Clock } from './clock.js'

/** Timers by hand: `fire` runs the earliest, `armed` lists what waits. */
class ManualClock implements Clock {
  armed: { atMs: number; task: () => void }[] = []

  now(): number {
    return 0
  }

  wall(): number {
    return 0
  }

  schedule(atMs: number, task: () => void): () => void {
    const timer = { atMs, task }
    this.armed.push(timer)
    return () => {
      this.armed = this.armed.filter((other) => other !== timer)
    }
  }

  times(): number[] {
    return this.armed.map(({ atMs }) => atMs)
  }

  fire(): void {
    const timer = this.armed.shift()
    if (timer === undefined) throw new Error('no timer is armed')
    timer.task()
  }
}

describe('agenda', () => {
  let clock: ManualClock
  let fired: number
  let agenda: Agenda

  beforeEach(() => {
    clock = new ManualClock()
    fired = 0
    agenda = new Agenda(clock, () => fired++)
  })

  it('keeps one timer, for the earliest deadline', () => {
    agenda.arm(50)
    agenda.arm(70)
    expect(clock.times()).to.deep.equal([50])
    agenda.arm(30)
    agenda.arm(30)
    expect(clock.times()).to.deep.equal([30])
    expect(fired).to.equal(0)
  })

  it('arms nothing without a deadline', () => {
    agenda.arm(undefined)
    agenda.arm(Infinity)
    expect(clock.times()).to.deep.equal([])
  })

  it('can be armed again once it fired, for later and from inside of the task', () => {
    agenda.arm(30)
    clock.fire()
    expect(fired).to.equal(1)
    expect(clock.times()).to.deep.equal([])
    agenda.arm(90)
    expect(clock.times()).to.deep.equal([90])

    const again = new Agenda(clock, () => again.arm(120))
    clock.armed = []
    again.arm(10)
    clock.fire()
    expect(clock.times()).to.deep.equal([120])
  })

  it('fires nothing after it was closed', () => {
    agenda.arm(30)
    agenda.close()
    agenda.close()
    expect(clock.times()).to.deep.equal([])
    expect(fired).to.equal(0)
  })
})
