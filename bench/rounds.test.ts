import { expect } from 'chai'

import { playRounds } from './rounds.js'

describe('bench rounds', () => {
  it('measures each subject once a round, each round in another order', async () => {
    const order: string[] = []
    const told: number[] = []
    const measured = await playRounds(
      { subjects: ['a', 'b', 'c'], rounds: 4 },
      async (subject) => ({ steps: order.push(subject) }),
      (round) => told.push(round),
    )
    expect(order.join('')).to.equal('abc' + 'bca' + 'cab' + 'abc')
    expect(measured.get('a')).to.deep.equal({ steps: [1, 6, 8, 10] })
    expect(told).to.deep.equal([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
  })
})
