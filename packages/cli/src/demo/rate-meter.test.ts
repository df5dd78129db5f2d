import { expect } from 'chai'

import { RateMeter } from './rate-meter.js'

describe('rate meter', () => {
  it('follows the growth of the last two seconds', () => {
    const meter = new RateMeter()
    expect(meter.rate(0, 0)).to.equal(0)
    for (let ms = 10; ms < 5000; ms += 10) expect(meter.rate(ms, ms)).to.equal(1000)
    for (let ms = 5000; ms < 8000; ms += 10) meter.rate(ms, 5000)
    expect(meter.rate(8000, 5000)).to.equal(0)
  })

  it('answers whenever it is asked', () => {
    const meter = new RateMeter()
    meter.rate(0, 0)
    expect(meter.rate(0, 5)).to.equal(0)
    expect(meter.rate(60_000, 600)).to.equal(10)
  })
})
