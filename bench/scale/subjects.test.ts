import { expect } from 'chai'

import { BASE, COMPARISONS, POINTS, type ScalePoint } from './subjects.js'

describe('bench of scale: subjects', () => {
  it('differ from the base in one thing, or in one and the framing, and no two are the same', () => {
    const names = Object.keys(BASE) as (keyof ScalePoint)[]
    for (const [name, point] of POINTS) {
      const different = names.filter((one) => point[one] !== BASE[one] && one !== 'framing')
      expect(different.length, name).to.be.at.most(1)
      expect(different.length + Number(point.framing !== BASE.framing) === 0, name).to.equal(name === 'base')
    }
    expect(new Set([...POINTS.values()].map((point) => JSON.stringify(point))).size).to.equal(POINTS.size)
  })

  it('are all compared', () => {
    expect(new Set(COMPARISONS.flatMap(({ over, under }) => [over, under]))).to.deep.equal(new Set(POINTS.keys()))
  })
})
