import { expect } from 'chai'

import { COMPARISONS, nameOf, subjectsOf } from './subjects.js'

describe('bench of consume: subjects', () => {
  it('compares subjects that there are, and all of them, also when it is quick', () => {
    for (const quick of [false, true]) {
      const names = subjectsOf(quick).map(nameOf)
      expect(new Set(names).size).to.equal(names.length)
      const compared = new Set(
        COMPARISONS.flatMap(({ over, under }) => [over, under]).filter((side) => typeof side === 'string'),
      )
      expect([...compared], String(quick)).to.include.members(names)
      if (!quick) expect(names).to.have.members([...compared])
    }
  })
})
