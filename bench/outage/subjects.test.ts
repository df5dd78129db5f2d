import { expect } from 'chai'

import { COMPARISONS, subjectOf, SUBJECTS } from './subjects.js'

describe('bench of outages: subjects', () => {
  it('compares subjects that there are, by faults that they meet', () => {
    for (const { name, over, under, unit } of COMPARISONS) {
      const subject = subjectOf([over, under].find((side) => typeof side === 'string')!)
      const [, fault] = unit.split(/, (?=\w+$)/)
      if (fault !== undefined) expect(subject.faults, name).to.include(fault)
    }
    expect(new Set(SUBJECTS.map(({ name }) => name)).size).to.equal(SUBJECTS.length)
  })
})
