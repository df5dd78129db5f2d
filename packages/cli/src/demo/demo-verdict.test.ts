import { expect } from 'chai'

import { formatVerdict, isGood, withObjections, type DemoVerdict } from './demo-verdict.js'

const good: DemoVerdict = {
  sent: 9,
  acknowledged: 9,
  delivered: 9,
  lost: 0,
  duplicated: 0,
  outOfOrder: 0,
  late: 0,
  booksBalance: true,
  duplicatesDropped: 9,
  circuitOpened: 4,
  feedAway: 4,
  highWaterStore: 'redis',
  clusters: {
    east: { kind: 'embedded', fault: 'hang', awayMs: 13_340, records: 9, voided: 0, missing: 0 },
    west: { kind: 'embedded', fault: 'none', awayMs: 0, records: 9, voided: 0, missing: 0 },
  },
  commit: 'abc',
  seconds: 43.2,
}

describe('demo verdict', () => {
  it('is good, and says no more than it must, when nothing is wrong', () => {
    const verdict = withObjections(good, [])
    expect(verdict).to.equal(good)
    expect(isGood(verdict)).to.equal(true)
    expect(Object.keys(verdict)).to.deep.equal([
      'sent',
      'acknowledged',
      'delivered',
      'lost',
      'duplicated',
      'outOfOrder',
      'late',
      'booksBalance',
      'duplicatesDropped',
      'circuitOpened',
      'feedAway',
      'highWaterStore',
      'clusters',
      'commit',
      'seconds',
    ])
  })

  it('is bad when the judge objects', () => {
    for (const spoilt of [
      { lost: 1 },
      { duplicated: 1 },
      { outOfOrder: 1 },
      { booksBalance: false },
      { delivered: 8 },
    ]) {
      expect(isGood(withObjections({ ...good, ...spoilt }, [])), JSON.stringify(spoilt)).to.equal(false)
    }
    const east = { ...good.clusters['east']!, missing: 2 }
    const verdict = withObjections({ ...good, clusters: { ...good.clusters, east } }, [])
    expect(verdict.objections).to.deep.equal(['the log of east lacks 2 acknowledged messages'])
  })

  it('is bad when the demo gave up waiting, and says for what', () => {
    const verdict = withObjections(good, ['the circuit of east is still open'])
    expect(isGood(verdict)).to.equal(false)
    expect(formatVerdict(verdict)).to.contain('Bad: the circuit of east is still open.')
  })

  it('can be read by people', () => {
    expect(formatVerdict(good)).to.contain('Good.').and.to.contain('east (embedded): hung, away 13.3 s')
  })
})
