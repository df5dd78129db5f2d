import { expect } from 'chai'

import { Marks } from './marks.js'

describe('marks', () => {
  const offsets = (marks: Marks): number[] => marks.all.map(({ offset }) => offset)

  it('keep the newest one, and older ones ever further apart, within 32,768 records', () => {
    for (const [step, until] of [
      [1, 3_000],
      [7, 20_000],
      [1_000, 100_000],
    ] as const) {
      const marks = new Marks()
      for (let offset = 0; offset <= until; offset += step) {
        marks.add({ offset, digest: offset })
        const [newest = 0, ...older] = offsets(marks).reverse()
        expect(newest).to.equal(offset)
        expect(older.length).to.be.at.most(32)
        let before: number = step
        for (const distance of older.map((one) => newest - one)) {
          expect(distance, `after ${before}, at ${offset}`).to.be.at.most(6 * before)
          before = distance
        }
        expect(before * 6, `the oldest, at ${offset}`).to.be.at.least(Math.min(offset, 32_768))
      }
    }
  })

  it('take none that is not further on', () => {
    const marks = new Marks([{ offset: 5, digest: 1 }])
    marks.add({ offset: 5, digest: 2 })
    marks.add({ offset: 4, digest: 3 })
    expect(marks.all).to.deep.equal([{ offset: 5, digest: 1 }])
  })

  it('forget what lies at or above where the log is read again', () => {
    const marks = new Marks([1, 2, 3, 10].map((offset) => ({ offset, digest: 0 })))
    marks.rewind(3)
    expect(offsets(marks)).to.deep.equal([1, 2])
    marks.add({ offset: 3, digest: 7 })
    expect(offsets(marks)).to.deep.equal([1, 2, 3])
  })
})
