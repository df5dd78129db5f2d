import { expect } from 'chai'

import type { Effect } from '../judge/effects.js'
import { Subscriber } from './subscriber.js'

describe('subscriber', () => {
  const transfer = { number: 3, order: 1, from: 0, to: 2, amount: 25 }

  it('records the effect before it acknowledges, each time', () => {
    const steps: (Effect | 'ack')[] = []
    const subscriber = new Subscriber((effect) => steps.push(effect))
    const ack = () => void steps.push('ack')
    subscriber.handle({ value: transfer, late: false, ack })
    subscriber.handle({ value: transfer, late: true, ack })
    expect(steps).to.deep.equal([{ ...transfer, late: false }, 'ack', { ...transfer, late: true }, 'ack'])
    expect(subscriber).to.include({ delivered: 1, late: 1, foreign: 0 })
  })

  it('does not acknowledge what could not be recorded', () => {
    let acknowledged = false
    const subscriber = new Subscriber(() => {
      throw new Error('disk full')
    })
    const delivery = { value: transfer, late: false, ack: () => void (acknowledged = true) }
    expect(() => subscriber.handle(delivery)).to.throw('disk full')
    expect(acknowledged).to.equal(false)
  })

  it('counts what is no transfer, and lets it pass', () => {
    const subscriber = new Subscriber(() => expect.fail('recorded'))
    subscriber.handle({ value: { hello: 1 }, late: false, ack: () => undefined })
    expect(subscriber).to.include({ delivered: 0, foreign: 1 })
  })
})
