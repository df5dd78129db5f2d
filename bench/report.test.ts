import { expect } from 'chai'

import { reportOf, textOf } from './report.js'
import type { Measured } from './rounds.js'

describe('bench report', () => {
  const measured: Measured = new Map<string, Record<string, number[]>>([
    ['raw', { 'messages/s': [100, 200, 300], MB: [5, 5, 6] }],
    ['send', { 'messages/s': [90, 170, 300] }],
  ])
  const report = reportOf(measured, [
    { name: 'send / raw', over: 'send', under: 'raw', unit: 'messages/s', reach: 0.9 },
    { name: 'send / raw, strict', over: 'send', under: 'raw', unit: 'messages/s', reach: 0.91 },
    { name: 'raw / send', over: 'raw', under: 'send', unit: 'messages/s' },
    { name: 'send / 100/s', over: 'send', under: 100, unit: 'messages/s', reach: 2 },
    { name: 'left out', over: 'raw', under: 'other', unit: 'messages/s' },
  ])

  it('says of each subject and unit its median and range', () => {
    expect(report.subjects).to.deep.equal([
      { name: 'raw', unit: 'messages/s', median: 200, min: 100, max: 300 },
      { name: 'raw', unit: 'MB', median: 5, min: 5, max: 6 },
      { name: 'send', unit: 'messages/s', median: 170, min: 90, max: 300 },
    ])
  })

  it('says of each ratio whether it reaches what it is to reach, if anybody said so', () => {
    expect(report.ratios).to.deep.equal([
      { name: 'send / raw', value: 0.9, reach: 0.9, met: true },
      { name: 'send / raw, strict', value: 0.9, reach: 0.91, met: false },
      { name: 'raw / send', value: 1.11, reach: null, met: null },
      { name: 'send / 100/s', value: 1.7, reach: 2, met: false },
    ])
    expect(textOf(report)).to.include('to reach 0.91: not met').and.to.include('200 messages/s (100 to 300)')
  })
})
