import { expect } from 'chai'

import type { SentMessage } from '../simulation/checkers/history.js'
import type { Effect } from './database.js'
import { FencedEffects } from './fenced-effects.js'

describe('effects judged by the fence', () => {
  function judged(...lines: [number: number, fence: number, rest?: Partial<Effect>][]): FencedEffects {
    return new FencedEffects(
      lines.map(([number, fence, rest]) => ({ partition: 0, fence, text: String(number), late: false, ...rest })),
    )
  }

  const messages = [1, 2, 3].map((number) => {
    const message = { text: String(number), producerId: 'ledger', life: 1, key: 'a', number, answer: 'acknowledged' }
    return message as unknown as SentMessage
  })

  it('are good if each message has one, in order', () => {
    const effects = judged([1, 5], [2, 5], [3, 6])
    expect([...effects.lost(messages), ...effects.twice(), ...effects.disordered(messages)]).to.deep.equal([])
    expect([effects.refused, effects.again]).to.deep.equal([0, 0])
  })

  it('are refused under a lower fence than the partition has seen, and then missed if nobody else has them', () => {
    const effects = judged([1, 5], [2, 6], [3, 5], [3, 5, { partition: 1 }])
    expect(effects.refused).to.equal(1)
    expect(effects.lost(messages)).to.deep.equal([])
    expect(judged([1, 5], [2, 6], [3, 5]).lost(messages)).to.deep.equal(['3 was acknowledged and had no effect'])
  })

  it('may come again under another lease, but not under one', () => {
    const effects = judged([1, 5], [2, 5], [2, 6], [3, 6])
    expect([effects.again, effects.twice()]).to.deep.equal([1, []])
    expect(effects.disordered(messages)).to.deep.equal([])
    expect(judged([1, 5], [2, 5], [2, 5]).twice()).to.have.length(1)
  })

  it('come once where position and effect are one transaction, and none under a lease that is over', () => {
    expect(judged([1, 5], [2, 6], [1, 5, { text: '1 again', partition: 1 }]).notOnce()).to.deep.equal([])
    expect(judged([1, 5], [2, 5], [2, 6]).notOnce()).to.deep.equal(['2 had its effect again, under lease 6'])
    expect(judged([1, 6], [2, 5]).notOnce()).to.deep.equal(['2 had its effect under lease 5 after a later one began'])
  })

  it('stand in the order of their key, unless they are late', () => {
    expect(judged([1, 5], [3, 5], [2, 6]).disordered(messages)).to.deep.equal(['2 had its effect after that of 3'])
    expect(judged([1, 5], [3, 5], [2, 6, { late: true }]).disordered(messages)).to.deep.equal([])
  })
})
