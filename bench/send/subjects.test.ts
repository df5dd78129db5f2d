import { expect } from 'chai'

import { COMPARISONS, nameOf, subjectsOf } from './subjects.js'

describe('bench of send: subjects', () => {
  it('compares subjects that there are', () => {
    const names = subjectsOf(false).map(nameOf)
    expect(new Set(names).size).to.equal(names.length)
    for (const { name, over, under } of COMPARISONS) expect(names, name).to.include.members([over, under])
  })

  it('is quick with a part of them, and compares all of that part', () => {
    const quick = subjectsOf(true).map(nameOf)
    expect(subjectsOf(false).map(nameOf)).to.include.members(quick)
    const compared = new Set(COMPARISONS.flatMap(({ over, under }) => [over, under]))
    expect([...compared]).to.include.members(quick)
  })
})
