import { expect } from 'chai'

import type { Phase } from './phase.js'
import { playScale, type ScalePlayed } from './play-scale.js'
import { LARGE } from './setting.js'

describe('model of scale', () => {
  const setting = { ...LARGE, partitions: 40, producers: 4, instances: 4, messages: 400 }
  const told: Phase[] = []
  let played: ScalePlayed

  before(async function () {
    this.timeout(60_000)
    played = await playScale(setting, (phase) => told.push(phase))
  })

  it('loses nothing, and repeats only what the loss of an instance explains', () => {
    const { violations, acknowledged, deliveries, repeated } = played
    expect(violations).to.deep.equal([])
    expect(acknowledged).to.equal(setting.messages)
    expect(deliveries).to.be.at.least(setting.messages)
    expect(repeated).to.equal(0)
  })

  it('has everything held by one, by all alike, and by those that are left', () => {
    const { shares, heldSeconds } = played
    expect(shares.group).to.deep.equal({ least: 10, most: 10 })
    expect(shares.afterLoss.least).to.be.within(11, 13)
    expect(shares.afterLoss.most).to.be.within(14, 16)
    expect(heldSeconds.group).to.be.within(10, 15)
    expect(heldSeconds.afterLoss).to.be.within(8, 15)
  })

  it('measures each part of the story by itself', () => {
    expect(told).to.deep.equal(played.phases)
    const calls = new Map(told.map(({ name, storeCalls }) => [name, storeCalls]))
    // Every 2 s each instance renews what it holds; what others hold is not looked at.
    expect(calls.get('calm')!['look'] ?? 0).to.be.below(3)
    expect(calls.get('calm')!['renew']).to.be.closeTo(40 / 2, 2)
    const [alone, group, peace, without, lost] = told.map(({ leasesTaken }) => leasesTaken)
    expect([alone, peace, without]).to.deep.equal([40, 0, 0])
    // Who comes to it a beat later than the others has asked one of them for a part meanwhile.
    expect(group).to.be.within(40, 44)
    expect(lost).to.be.at.least(10)
    const [, , calm, away] = told
    expect(calm!.clusters['west']!.questions).to.be.greaterThan(0)
    expect(away!.clusters['west']!.questions).to.be.lessThan(calm!.clusters['west']!.questions / 2)
  })
})
