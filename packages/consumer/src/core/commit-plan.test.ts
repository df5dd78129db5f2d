import { expect } from 'chai'

import { CommitPlan } from './commit-plan.js'

const HOUR_MS = 3_600_000

describe('commit plan', () => {
  const at = (offset: number, partition = 0): { topic: string; partition: number; offset: number } => {
    return { topic: 'entries', partition, offset }
  }

  it('has what was confirmed since, each once', () => {
    const plan = new CommitPlan()
    plan.handleConfirmed(at(5))
    plan.handleConfirmed(at(7))
    plan.handleConfirmed(at(3, 1))
    expect(plan.poll(0)).to.deep.equal([at(7), at(3, 1)])
    plan.handleCommitted(true)
    plan.handleConfirmed(at(3, 1))
    expect(plan.poll(1)).to.deep.equal([])
  })

  it('commits a place that went back', () => {
    const plan = new CommitPlan()
    plan.handleConfirmed(at(7))
    plan.poll(0)
    plan.handleCommitted(true)
    plan.handleConfirmed(at(2))
    expect(plan.poll(1)).to.deep.equal([at(2)])
  })

  it('has nothing while a commit is under way, and the newest after it', () => {
    const plan = new CommitPlan()
    plan.handleConfirmed(at(1))
    plan.poll(0)
    plan.handleConfirmed(at(2))
    plan.handleConfirmed(at(3))
    expect(plan.poll(HOUR_MS)).to.deep.equal([])
    plan.handleCommitted(true)
    expect(plan.poll(HOUR_MS)).to.deep.equal([at(3)])
  })

  it('commits again what failed', () => {
    const plan = new CommitPlan()
    plan.handleConfirmed(at(1))
    plan.poll(0)
    plan.handleCommitted(false)
    expect(plan.poll(1)).to.deep.equal([at(1)])
  })

  it('repeats after half a day what did not move', () => {
    const plan = new CommitPlan()
    plan.handleConfirmed(at(1))
    plan.poll(0)
    plan.handleCommitted(true)
    expect(plan.poll(12 * HOUR_MS - 1)).to.deep.equal([])
    expect(plan.poll(12 * HOUR_MS)).to.deep.equal([at(1)])
  })

  it('forgets a partition that is not ours any more', () => {
    const plan = new CommitPlan()
    plan.handleConfirmed(at(1))
    plan.handleEnded(at(1))
    expect(plan.poll(0)).to.deep.equal([])
  })

  it('commits what another one has committed meanwhile, once it is ours again', () => {
    const plan = new CommitPlan()
    plan.handleConfirmed(at(1))
    plan.poll(0)
    plan.handleCommitted(true)
    plan.handleEnded(at(1))
    plan.handleConfirmed(at(1))
    expect(plan.poll(1)).to.deep.equal([at(1)])
  })
})
