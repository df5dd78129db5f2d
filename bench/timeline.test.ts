import { expect } from 'chai'

import { perSecond } from './timeline.js'

describe('bench timeline', () => {
  it('counts per bucket, as a rate, and leaves out what is in none', () => {
    const times = [999, 1_000, 1_249, 1_250, 1_500, 1_749, 1_750]
    expect(perSecond(times, { fromMs: 1_000, count: 3, bucketMs: 250 })).to.deep.equal([8, 4, 8])
  })
})
