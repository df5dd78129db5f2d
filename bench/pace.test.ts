import { setTimeout as sleep } from 'node:timers/promises'

import { expect } from 'chai'

import { dueAtRate } from './pace.js'

describe('bench pace', () => {
  it('gives none before it is due, and makes up for a delay at once', async () => {
    const begin = performance.now()
    let late = 0
    for await (const number of dueAtRate(100)) {
      // A timer may be early by a millisecond, and so much is not waited for.
      expect(performance.now() - begin).to.be.at.least(number * 10 - 3)
      if (number === 2) await sleep(300)
      if (number === 3) late = performance.now()
      if (number === 30) break
    }
    expect(performance.now() - late).to.be.below(150)
  })
})
