import { expect } from 'chai'

import { Prng } from '../simulation/prng.js'
import { countInterleavings, drawInterleaving, interleavings } from './interleavings.js'

describe('interleavings', () => {
  it('come each once, as many as there are', () => {
    for (const [a, b] of [
      [0, 0],
      [2, 0],
      [2, 3],
      [4, 3],
    ] as const) {
      const all = [...interleavings(a, b)].map((steps) => steps.join(''))
      expect(new Set(all).size).to.equal(all.length)
      expect(all.length).to.equal(countInterleavings(a, b))
    }
  })

  it('are drawn with the right number of each, and in the end all of them', () => {
    const prng = new Prng(1)
    const drawn = new Set(Array.from({ length: 500 }, () => drawInterleaving(2, 3, prng).join('')))
    expect(drawn.size).to.equal(10)
    for (const steps of drawn) expect(steps.replaceAll('B', '')).to.equal('AA')
  })
})
