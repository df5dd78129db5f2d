import { expect } from 'chai'

import { aResult } from './result-fixture.js'
import { resultOf } from './result.js'

describe('bench result', () => {
  const whole = aResult({
    subjects: [{ name: 'tin', unit: 'g', median: 5, min: 4, max: 6 }],
    ratios: [{ name: 'tin / gold', value: 0.5, reach: 0.9, met: false }],
    timelines: [
      {
        subject: 'tin',
        round: 1,
        bucketMs: 250,
        phases: [{ name: 'dropped', fromMs: 500, toMs: 750 }],
        series: [{ name: 'height', unit: 'm', values: [1, null, 0] }],
      },
    ],
  })
  const written = (change: (result: Record<string, unknown>) => void): unknown => {
    const copy = JSON.parse(JSON.stringify(whole)) as Record<string, unknown>
    change(copy)
    return copy
  }

  it('is read as it was written', () => {
    expect(resultOf(written(() => {}))).to.deep.equal(whole)
  })

  it('may lack timelines, and have more than is asked of it', () => {
    const found = resultOf(
      written((result) => {
        delete result['timelines']
        result['changes'] = []
      }),
    )
    expect(found.timelines).to.equal(undefined)
    expect(found).not.to.have.property('changes')
  })

  it('has figures that are no numbers where JSON has null', () => {
    const ratio = { name: 'none / none', value: NaN, reach: null, met: null }
    const { ratios } = resultOf(written((result) => (result['ratios'] = JSON.parse(JSON.stringify([ratio])))))
    expect(ratios).to.deep.equal([ratio])
  })

  it('is refused with the part that is wrong', () => {
    const wrong: [string, (result: Record<string, unknown>) => void][] = [
      ['suite: received nothing, allowed is a text', (result) => delete result['suite']],
      ['machine: received [], allowed is an object', (result) => (result['machine'] = [])],
      ['versions.node: received 20, allowed is a text', (result) => (result['versions'] = { node: 20 })],
      ['quick: received "yes", allowed is true or false', (result) => (result['quick'] = 'yes')],
      ['subjects: received {}, allowed is a list', (result) => (result['subjects'] = {})],
      ['ratios[0].value: received nothing', (result) => (result['ratios'] = [{ name: 'a', reach: null, met: null }])],
      ['timelines[0]: received null, allowed is an object', (result) => (result['timelines'] = [null])],
    ]
    for (const [message, change] of wrong) expect(() => resultOf(written(change)), message).to.throw(Error, message)
    for (const found of [null, 'text', 7, []]) expect(() => resultOf(found)).to.throw(Error, 'allowed is an object')
  })
})
