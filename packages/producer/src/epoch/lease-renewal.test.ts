import type { TandemFact } from '@tandem/common/internal'
import { expect } from 'chai'

import { ManualClock } from '../world.test.js'
import type { LeaseAnswer } from './epoch-store.js'
import { LeaseRenewal } from './lease-renewal.js'

/** A lease whose answers are given by hand. */
class FakeLease {
  readonly renewEveryMs = 1_000
  readonly renewals: { resolve: (answer: LeaseAnswer) => void; reject: (error: unknown) => void }[] = []
  releases = 0
  released: Promise<void> = Promise.resolve()

  renew(): Promise<LeaseAnswer> {
    return new Promise((resolve, reject) => this.renewals.push({ resolve, reject }))
  }

  release(): Promise<void> {
    this.releases++
    return this.released
  }
}

describe('lease renewal', () => {
  let clock: ManualClock
  let lease: FakeLease
  let facts: TandemFact[]
  let renewal: LeaseRenewal

  beforeEach(() => {
    clock = new ManualClock()
    lease = new FakeLease()
    facts = []
    renewal = new LeaseRenewal({ lease, clock, tell: (fact) => void facts.push(fact) })
  })

  const renewed = (): void => lease.renewals.at(-1)!.resolve({ kind: 'renewed' })

  it('renews one at a time, the next when the last was answered', async () => {
    await clock.pass(999)
    expect(lease.renewals.length).to.equal(0)
    await clock.pass(2_000)
    expect(lease.renewals.length).to.equal(1) // which is not answered yet
    renewed()
    await clock.pass(999)
    expect(lease.renewals.length).to.equal(1)
    await clock.pass(1)
    expect(lease.renewals.length).to.equal(2)
    expect(facts).to.deep.equal([])
  })

  it('tells who took it, once, and renews no more', async () => {
    await clock.pass(1_000)
    lease.renewals[0]!.resolve({ kind: 'taken', by: 'there' })
    await clock.pass(60_000)
    expect(facts).to.deep.equal([{ kind: 'producer-id-taken', by: 'there' }])
    expect(lease.renewals.length).to.equal(1)
  })

  it('tells once that nothing is renewed any more, with the reason, and goes on trying', async () => {
    for (let i = 0; i < 10; i++) {
      await clock.pass(1_000)
      lease.renewals.at(-1)!.reject(new Error('connection refused'))
    }
    expect(facts).to.deep.equal([{ kind: 'producer-id-unheld', reason: 'connection refused' }])
    expect(lease.renewals.length).to.equal(10)
    await clock.pass(1_000)
    renewed()
    await clock.pass(4_000) // away once more, and hanging this time
    expect(facts.slice(1)).to.deep.equal([{ kind: 'producer-id-unheld', reason: 'no answer' }])
  })

  it('tells it, too, of a store that hangs', async () => {
    await clock.pass(2_999)
    expect(facts).to.deep.equal([])
    await clock.pass(1)
    expect(facts).to.deep.equal([{ kind: 'producer-id-unheld', reason: 'no answer' }])
  })

  it('survives a store that throws whatever it likes', async () => {
    lease.renew = () => {
      throw undefined as unknown as Error
    }
    await clock.pass(10_000)
    expect(facts).to.deep.equal([{ kind: 'producer-id-unheld', reason: 'no answer' }])
  })

  it('is over when it is released: nothing is renewed or told any more', async () => {
    await clock.pass(1_000)
    await renewal.release()
    expect(lease.releases).to.equal(1)
    lease.renewals[0]!.resolve({ kind: 'taken', by: 'there' })
    await clock.pass(60_000)
    expect(lease.renewals.length).to.equal(1)
    expect(facts).to.deep.equal([])
  })

  it('does not mind a store that cannot release it', async () => {
    lease.released = Promise.reject(new Error('connection refused'))
    await renewal.release()
    lease.release = () => {
      throw new Error('not even a promise')
    }
    await renewal.release()
  })
})
