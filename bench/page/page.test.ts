import { expect } from 'chai'

import { aResult } from '../result-fixture.js'
import { pageOf } from './page.js'
import { parsed, textsOf } from './parsed-page.js'
import { picturesOf } from './pictures.js'

describe('bench page', () => {
  const WILD = `<b onclick="x()">tin</b> & 'gold'`
  const timeline = {
    subject: WILD,
    bucketMs: 250,
    phases: [{ name: `killed ${WILD}`, fromMs: 250, toMs: 500 }],
    series: [{ name: `accepted ${WILD}`, unit: `m/s ${WILD}`, values: [1, null, 3] }],
  }
  const outage = aResult({
    suite: 'outage',
    quick: true,
    subjects: [
      { name: WILD, unit: 'messages/s', median: 12_345, min: 11_000, max: 13_000 },
      { name: WILD, unit: 'MB', median: 7, min: 6, max: 8 },
      { name: 'lead', unit: 'messages/s', median: NaN, min: 1, max: 2 },
    ],
    ratios: [
      { name: `${WILD} / lead`, value: 0.5, reach: 0.9, met: false },
      { name: 'lead / air', value: 1_250, reach: null, met: null },
    ],
    timelines: [
      { ...timeline, round: 1 },
      { ...timeline, round: 2 },
      { ...timeline, round: 1, subject: 'lead' },
    ],
  })
  const page = pageOf([
    { result: outage, at: '2027-01-02 03:04 UTC' },
    { result: aResult({ suite: 'micro' }), at: undefined },
  ])
  const document = parsed(page)

  it('says where its figures come from', () => {
    const origin = textsOf(document, 'dd')
    expect(origin).to.include('2027-01-02 03:04 UTC, in 61 s; rounds: 3, quick')
    expect(origin).to.include('0123456789abcdef0123456789abcdef01234567').and.to.include('scales 1.2.3')
    expect(origin).to.include('a slow one; 2 cores, 4 GB; linux; load of 0.1 before')
    expect(textsOf(document, 'title')[0]).to.equal('tandem bench: outage, micro at 0123456')
    expect(textsOf(document, 'h2')).to.deep.equal(['outage', 'micro'])
    expect(textsOf(document, 'table td')).to.include('0 of 1')
  })

  it('has each figure and each ratio in a table', () => {
    const rows = [...document.querySelectorAll('tr')].map((row) => textsOf(row, 'td').join(' | '))
    expect(rows).to.include.members([
      `${WILD} | messages/s | 12,300 | 11,000 | 13,000`,
      ' | MB | 7 | 6 | 8',
      'lead | messages/s | – | 1 | 2',
      `${WILD} / lead | 0.5 | 0.9 | not met`,
      'lead / air | 1,250 |  | ',
    ])
  })

  it('has a picture of ratios, of figures and of each timeline, with all their names', () => {
    const captions = textsOf(document, 'figcaption')
    expect(captions).to.include.members(['messages/s', `${WILD}, round 1`, `${WILD}, round 2`, 'lead, round 1'])
    expect([...document.querySelectorAll('svg[role=img]')]).to.have.length(captions.length)
    const names = [WILD, `${WILD} / lead`, 'lead / air', `killed ${WILD}`, `accepted ${WILD}`, `m/s ${WILD}`]
    expect(textsOf(document, 'svg text')).to.include.members(names)
  })

  it('folds away all but one round of each subject', () => {
    expect(textsOf(document, 'details figcaption')).to.deep.equal([`${WILD}, round 2`])
  })

  it('is made of what was measured alone: nothing that is foreign is run or loaded', () => {
    expect(page).not.to.match(/<(script|link|iframe|img|object|b)\b/)
    expect(page).not.to.match(/@import|url\((?!#)|https?:/)
    for (const found of document.querySelectorAll('[href], [src]')) expect(found.getAttribute('href')).to.match(/^#/)
    for (const found of document.querySelectorAll('*')) expect(found.getAttribute('onclick')).to.equal(null)
  })

  it('gives each picture a name that a file may have', () => {
    const { bars, timelines, otherRounds } = picturesOf(outage)
    const names = [...bars, ...timelines, ...otherRounds].map(({ name }) => name)
    expect(names).to.include.members(['outage-targets', 'outage-figures', 'outage-ratios', 'outage-timeline-lead-1'])
    expect(new Set(names).size).to.equal(names.length)
    for (const name of names) expect(name).to.match(/^[\w-]+$/)
  })
})
