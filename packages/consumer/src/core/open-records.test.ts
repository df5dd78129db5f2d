import { expect } from 'chai'

import { OpenRecords } from './open-records.js'
import { Sequence } from './sequence.js'

describe('open records', () => {
  it('resume just behind everything that is finished', () => {
    const sequence = new Sequence<null>(0, { epoch: 1, incarnation: 1 }, { time: 0, step: 0 })
    const open = new OpenRecords<null>(0)
    for (let counter = 1; counter <= 5; counter++) open.open(counter + 9, sequence, counter, counter)
    expect(open.resumeOffset(15)).to.equal(10)
    sequence.finished.add(1, 2)
    expect(open.resumeOffset(15)).to.equal(12)
    sequence.finished.add(3, 5)
    expect(open.resumeOffset(15)).to.equal(15)
    expect(open.size).to.equal(0)
  })

  it('stay few behind one message that is never acknowledged (stuck-handler)', () => {
    const sequence = new Sequence<null>(0, { epoch: 1, incarnation: 1 }, { time: 0, step: 0 })
    const open = new OpenRecords<null>(0)
    open.open(0, sequence, 1, 1)
    for (let counter = 2; counter <= 200_000; counter++) {
      open.open(counter - 1, sequence, counter, counter)
      sequence.finished.add(counter, counter)
      if (counter % 1_000 === 0) expect(open.resumeOffset(counter)).to.equal(0)
      expect(open.size).to.be.at.most(11_000)
    }
    sequence.finished.add(1, 1)
    expect(open.resumeOffset(200_000)).to.equal(200_000)
  })
})
