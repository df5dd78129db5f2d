import { expect } from 'chai'

import { CASES } from './cases.js'
import { COMPARISONS, SUBJECTS } from './subjects.js'

describe('bench of cores', () => {
  it('does each case, as often as one likes', () => {
    for (const [name, begin] of Object.entries(CASES)) {
      const { operations, run } = begin()
      run()
      run()
      expect(operations, name).to.be.at.least(1_000)
    }
  })

  it('judges cases that there are', () => {
    for (const { name, over } of COMPARISONS) expect(SUBJECTS, name).to.include(over)
  })
})
