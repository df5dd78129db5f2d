import { expect } from 'chai'

import { FlushPlan } from './flush-plan.js'

const A = Uint8Array.of(1)
const B = Uint8Array.of(2)

describe('flush plan', () => {
  it('numbers each flush one above the last sent, and has one in flight', () => {
    const plan = new FlushPlan(7)
    expect(plan.poll()).to.equal(undefined)
    plan.handleChanged('f:east', A)
    const flush = plan.poll()!
    expect(flush).to.deep.include({ number: 8, confirmed: 7, whole: false })
    plan.handleChanged('f:east', B)
    expect(plan.poll(), 'one in flight').to.equal(undefined)
    plan.handleFlushed(flush)
    expect(plan.poll()).to.deep.include({ number: 9, confirmed: 8, fields: new Map([['f:east', B]]) })
  })

  it('carries again what no answer has confirmed', () => {
    const plan = new FlushPlan(0)
    plan.handleChanged('f:east', A)
    plan.handleUnanswered(plan.poll()!)
    plan.handleChanged('s:1/p', B)
    const flush = plan.poll()!
    expect(flush.number).to.equal(2)
    expect([...flush.fields.keys()]).to.deep.equal(['f:east', 's:1/p'])
    plan.handleFlushed(flush)
    expect(plan.settled).to.equal(true)
  })

  it('keeps what changed after it was sent', () => {
    const plan = new FlushPlan(0)
    plan.handleChanged('f:east', A)
    const flush = plan.poll()!
    plan.handleChanged('f:east', B)
    plan.handleFlushed(flush)
    expect(plan.settled).to.equal(false)
    expect(plan.poll()!.fields.get('f:east')).to.equal(B)
  })

  it('sends the whole position after behind, also if nothing else changed', () => {
    const plan = new FlushPlan(0)
    plan.handleChanged('f:east', A)
    plan.handleBehind(plan.poll()!)
    expect(plan.whole).to.equal(true)
    const flush = plan.poll()!
    expect(flush).to.deep.include({ number: 2, whole: true })
    plan.handleFlushed(flush)
    expect(plan.settled).to.equal(true)
  })
})
