import { expect } from 'chai'

import { changesOf } from './against.js'
import type { RatioReport } from './report.js'

describe('bench against an earlier run', () => {
  const ratios = (values: Readonly<Record<string, number>>): readonly RatioReport[] =>
    Object.entries(values).map(([name, value]) => ({ name, value, reach: null, met: null }))

  it('compares the ratios that both have, and takes a tenth for noise', () => {
    const earlier = ratios({ a: 0.5, b: 0.5, c: 0.5, nothing: 0, gone: 1 })
    expect(changesOf(earlier, ratios({ a: 0.44, b: 0.54, c: 0.56, nothing: 0.1, added: 1 }))).to.deep.equal([
      { name: 'a', before: 0.5, now: 0.44, verdict: 'worse' },
      { name: 'b', before: 0.5, now: 0.54, verdict: 'same' },
      { name: 'c', before: 0.5, now: 0.56, verdict: 'better' },
      { name: 'nothing', before: 0, now: 0.1, verdict: 'better' },
    ])
  })

  it('leaves out what was no number in one of them', () => {
    expect(changesOf(ratios({ a: NaN, b: 1 }), ratios({ a: 1, b: Infinity }))).to.deep.equal([])
  })
})
