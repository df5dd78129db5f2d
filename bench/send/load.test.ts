import { expect } from 'chai'

import { runLoad } from './load.js'

describe('bench load', () => {
  it('keeps as many under way as it may, and counts what is answered between warm-up and end', async () => {
    let underWay = 0
    let most = 0
    let calls = 0
    const indices: number[] = []
    const result = await runLoad({ warmUpMs: 20, measuredMs: 40, inFlightMax: 3 }, (index, done) => {
      calls++
      indices.push(index)
      most = Math.max(most, ++underWay)
      setTimeout(() => {
        underWay--
        done()
      }, 1)
    })
    expect(most).to.equal(3)
    expect(underWay).to.equal(0)
    expect(result.sent).to.equal(calls)
    expect(indices).to.deep.equal(Array.from({ length: calls }, (_, index) => index))
    expect(result.answered).to.be.within(1, calls - 1)
    expect(result.ms).to.be.at.least(39)
    expect(result.cpuMicros).to.be.greaterThan(0)
  })
})
