import { expect } from 'chai'

import { FirstSight } from './first-sight.js'

class Bench {
  readonly firstSight: FirstSight<string>

  constructor(policy: 'block' | 'reject' = 'block', messagesMax = 3) {
    this.firstSight = new FirstSight({ policy, messagesMax, bytesMax: 1_000, waitMs: 5_000 })
  }

  said(): string {
    const said: string[] = []
    for (let command = this.firstSight.poll(); command !== undefined; command = this.firstSight.poll()) {
      said.push(`${command.kind} ${'topic' in command ? command.topic : command.applicant}`)
    }
    return said.join(', ')
  }
}

describe('first-sight', () => {
  it('asks once, and lets messages go on in the order of their calls', () => {
    const bench = new Bench()
    bench.firstSight.handleCall('t', 'm1', 10, 0)
    bench.firstSight.handleCall('t', 'm2', 10, 0)
    expect(bench.said()).to.equal('ask t')
    bench.firstSight.handleAsked('t', 2, 0)
    bench.firstSight.handleAnswered('t', 5)
    expect(bench.said()).to.equal('')
    bench.firstSight.handleAnswered('t', 6)
    expect(bench.said()).to.equal('known t')
    bench.firstSight.handleKnown('t')
    expect(bench.said()).to.equal('release m1, release m2')
    expect(bench.firstSight.waiting).to.equal(0)
  })

  it('does not let a cluster that hangs hold up the other one for long', () => {
    const bench = new Bench()
    bench.firstSight.handleCall('t', 'm1', 10, 0)
    bench.firstSight.handleAsked('t', 2, 0)
    bench.said()
    bench.firstSight.handleAnswered('t', 5)
    expect(bench.firstSight.deadline()).to.equal(1_005)
    bench.firstSight.handleDeadline(1_005)
    expect(bench.said()).to.equal('known t')
  })

  it('does without a cluster that gives no answer', () => {
    const bench = new Bench()
    bench.firstSight.handleCall('t', 'm1', 10, 0)
    bench.firstSight.handleAsked('t', 2, 0)
    bench.said()
    bench.firstSight.handleSilent('t', 5)
    bench.firstSight.handleAnswered('t', 6)
    expect(bench.said()).to.equal('known t')
  })

  it('refuses all with the error when the topic is not as it should be', () => {
    const bench = new Bench()
    bench.firstSight.handleCall('t', 'm1', 10, 0)
    bench.firstSight.handleCall('other', 'o1', 10, 0)
    bench.said()
    bench.firstSight.handleRefused('t', new Error('missing'))
    expect(bench.said()).to.equal('refuse m1')
    expect(bench.firstSight.waiting).to.equal(1)
  })

  it('reject: sheds when no cluster answers', () => {
    const bench = new Bench('reject')
    bench.firstSight.handleCall('t', 'm1', 10, 0)
    bench.firstSight.handleAsked('t', 0, 0)
    expect(bench.said()).to.equal('ask t, shed m1')
  })

  it('block: asks again until the time of those who wait is up', () => {
    const bench = new Bench()
    bench.firstSight.handleCall('t', 'm1', 10, 0)
    bench.firstSight.handleAsked('t', 1, 0)
    bench.firstSight.handleSilent('t', 10)
    bench.said()
    expect(bench.firstSight.deadline()).to.equal(1_010)
    bench.firstSight.handleDeadline(1_010)
    expect(bench.said()).to.equal('ask t')
    bench.firstSight.handleAsked('t', 0, 1_010)
    bench.firstSight.handleDeadline(5_000)
    expect(bench.said()).to.equal('shed m1')
    expect(bench.firstSight.deadline()).to.equal(undefined)
  })

  it('bounds how many wait', () => {
    const bench = new Bench('block', 1)
    bench.firstSight.handleCall('t', 'm1', 10, 0)
    bench.firstSight.handleCall('t', 'm2', 10, 0)
    expect(bench.said()).to.equal('ask t, shed m2')
  })

  it('turns everybody away when it is closed', () => {
    const bench = new Bench()
    bench.firstSight.handleCall('t', 'm1', 10, 0)
    bench.firstSight.close()
    expect(bench.said()).to.equal('ask t, shed m1')
  })

  it('bounds what waits in bytes, too, and counts what has left no more', () => {
    const bench = new Bench('block', 100)
    bench.firstSight.handleCall('t', 'm1', 900, 0)
    bench.firstSight.handleCall('u', 'm2', 900, 1_000)
    bench.firstSight.handleCall('u', 'm3', 1, 1_000)
    expect(bench.said()).to.equal('ask t, ask u, shed m3')
    bench.firstSight.handleDeadline(5_000)
    expect(bench.said()).to.equal('shed m1')
    bench.firstSight.handleCall('u', 'm4', 900, 5_000)
    bench.firstSight.handleCall('u', 'm5', 1, 5_000)
    expect(bench.said()).to.equal('shed m5')
    bench.firstSight.handleKnown('u')
    expect(bench.said()).to.equal('release m2, release m4')
    bench.firstSight.handleCall('v', 'm6', 1, 5_000)
    expect(bench.said()).to.equal('ask v')
  })
})
