import { expect } from 'chai'

import { AckWatch, type Outstanding } from './ack-watch.js'

interface Named extends Outstanding {
  readonly name: string
  handedOutAt: number
}

/** Hands out, and looks when something is due. */
class Bench {
  readonly watch = new AckWatch<Named>({ ackTimeoutMs: 1_000 })
  readonly #out = new Map<string, Named>()

  handOut(name: string, now: number): this {
    this.#out.set(name, { name, handedOutAt: now, overdue: false, refusals: 0 })
    this.watch.handleHandedOut(now)
    return this
  }

  acknowledge(name: string, now: number): this {
    this.watch.handleFinished(this.#out.get(name)!)
    this.watch.handleAcknowledged(now)
    this.#out.delete(name)
    return this
  }

  /** It waits to be handed out again. */
  refuse(name: string, now = 0): this {
    const delivery = this.#out.get(name)!
    this.watch.handleRefused(delivery, now)
    delivery.handedOutAt = Infinity
    return this
  }

  /** The same, since its lease lapsed. */
  giveBack(name: string): this {
    const delivery = this.#out.get(name)!
    this.watch.handleGone(delivery)
    delivery.handedOutAt = Infinity
    return this
  }

  /** What is told up to `until`, each with its time. */
  told(until: number): string {
    const told: string[] = []
    for (let now = this.watch.deadline(); now <= until; now = this.watch.deadline()) {
      this.watch.handleDeadline(now, this.#out.values())
      for (let command = this.watch.poll(); command !== undefined; command = this.watch.poll()) {
        if (command.kind === 'stalled') told.push(`${now}: stalled for ${command.waitedMs}`)
        else {
          const names = command.deliveries.map(({ name }) => name).join(' ')
          told.push(`${now}: ${command.kind === 'stuck' ? 'stuck ' : ''}${names}`)
        }
      }
    }
    return told.join(', ')
  }
}

describe('ack watch', () => {
  it('tells of each delivery once that is not acknowledged in time, and counts them until they are', () => {
    const bench = new Bench().handOut('a', 0).handOut('b', 10).handOut('c', 500).acknowledge('b', 900)
    expect(bench.told(999)).to.equal('')
    expect(bench.told(10_000)).to.equal('1000: a, 1500: c')
    expect(bench.watch.overdue).to.equal(2)
    expect(bench.acknowledge('a', 10_001).watch.overdue).to.equal(1)
  })

  it('looks no more than ten times per timeout, so that it is told up to a tenth late', () => {
    const bench = new Bench()
    for (let now = 0; now < 1_000; now++) bench.handOut(`${now}`, now)
    expect(bench.told(1_000)).to.equal('1000: 0')
    expect(bench.told(1_100)).to.match(/^1100: 1 2 3 .* 100$/)
  })

  it('does not count what was refused and waits to be handed out again', () => {
    const bench = new Bench().handOut('a', 0).handOut('b', 0)
    expect(bench.refuse('a').told(2_000)).to.equal('1000: b')
    expect(bench.refuse('b').watch.overdue).to.equal(0)
    expect(bench.handOut('a', 2_000).told(3_000)).to.equal('3000: a')
  })

  it('tells once of what was refused ten times, together, and counts it until it is acknowledged or lost', () => {
    const bench = new Bench().handOut('a', 0).handOut('b', 0).handOut('c', 0)
    for (let time = 1; time <= 9; time++) for (const name of ['a', 'b', 'c']) bench.refuse(name, 0)
    expect(bench.told(5_000)).to.equal('')
    bench.refuse('a', 5_000).refuse('b', 5_500)
    expect(bench.watch.stuck).to.equal(2)
    expect(bench.told(5_999)).to.equal('')
    expect(bench.told(6_000)).to.equal('6000: stuck a b')
    for (let time = 1; time <= 100; time++) bench.refuse('a', 6_000)
    expect(bench.refuse('c', 8_000).told(60_000)).to.equal('9000: stuck c')
    expect(bench.watch.stuck).to.equal(3)
    expect(bench.acknowledge('b', 60_000).watch.stuck).to.equal(2)
  })

  it('does not take for refused what was given back', () => {
    const bench = new Bench().handOut('a', 0)
    for (let time = 1; time <= 20; time++) bench.giveBack('a')
    expect(bench.told(60_000)).to.equal('')
    expect(bench.watch.stuck).to.equal(0)
  })

  it('has nothing to look for when nothing is out', () => {
    const bench = new Bench().handOut('a', 0).acknowledge('a', 1)
    bench.told(1_000)
    expect(bench.watch.deadline()).to.equal(Infinity)
  })

  it('tells once of a window that stays full without an acknowledgement', () => {
    const { watch } = new Bench()
    const bench = new Bench()
    bench.watch.handleWindow(true, 100)
    bench.watch.handleWindow(true, 600)
    expect(bench.told(1_099)).to.equal('')
    expect(bench.told(60_000)).to.equal('1100: stalled for 1000')
    expect(bench.watch.stalled).to.equal(true)
    expect(watch.stalled).to.equal(false)
  })

  it('does not take a window for stalled that is full and moves, and tells again after one that moved', () => {
    const bench = new Bench()
    bench.watch.handleWindow(true, 0)
    for (const now of [900, 1_800, 2_700]) {
      expect(bench.told(now)).to.equal('')
      bench.watch.handleAcknowledged(now)
      bench.watch.handleWindow(true, now)
    }
    expect(bench.told(10_000)).to.equal('3700: stalled for 1000')
    bench.watch.handleAcknowledged(10_000)
    expect(bench.watch.stalled).to.equal(false)
    expect(bench.told(20_000)).to.equal('11000: stalled for 1000')
  })

  it('has nothing against a window that is not full', () => {
    const bench = new Bench()
    bench.watch.handleWindow(true, 0)
    bench.watch.handleWindow(false, 999)
    expect(bench.told(100_000)).to.equal('')
  })
})
