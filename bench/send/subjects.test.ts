import { expect } from 'chai'

import { callsOf, COMPARISONS, nameOf, subjectsOf } from './subjects.js'

describe('bench of send: subjects', () => {
  it('compares subjects that there are', () => {
    const names = subjectsOf(false).map(nameOf)
    expect(new Set(names).size).to.equal(names.length)
    // Of the sizes that are measured only if there is time, not all ways are.
    const sizes = [200, 1_024].map((bytes) => `, ${bytes} B`)
    for (const { name, over, under } of COMPARISONS.filter(({ name }) => sizes.some((size) => name.endsWith(size)))) {
      const subjects = [over, under].filter((side) => typeof side === 'string')
      expect(names, name).to.include.members(subjects)
    }
  })

  it('is quick with a part of them, and compares all of that part', () => {
    const quick = subjectsOf(true).map(nameOf)
    expect(subjectsOf(false).map(nameOf)).to.include.members(quick)
    const compared = new Set(COMPARISONS.flatMap(({ over, under }) => [over, under]))
    expect([...compared]).to.include.members(quick)
  })

  it('calls the others with one message, or as many as their name says', () => {
    expect(callsOf('kafkajs')).to.deep.equal({ size: 1, atOnce: 1_000 })
    expect(callsOf('platformatic-100')).to.deep.equal({ size: 100, atOnce: 10 })
  })
})
