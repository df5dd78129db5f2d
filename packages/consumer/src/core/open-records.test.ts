import { expect } from 'chai'

import { OpenRecords, type OpenRecord } from './open-records.js'
import { Sequence } from './sequence.js'

function record(offset: number, sequence: Sequence<null>, counter: number): OpenRecord<null> {
  return { offset, sequence, first: counter, last: counter, beforeOffset: offset - 1, beforeDigest: counter }
}

describe('open records', () => {
  it('resume just behind everything that is finished', () => {
    const sequence = begun()
    const open = new OpenRecords<null>(0)
    for (let counter = 1; counter <= 5; counter++) open.open(record(counter + 9, sequence, counter))
    expect(open.resumeOffset(15)).to.equal(10)
    sequence.finished.add(1, 2)
    expect(open.resumeOffset(15)).to.equal(12)
    sequence.finished.add(3, 5)
    expect(open.resumeOffset(15)).to.equal(15)
    expect(open.size).to.equal(0)
  })

  it('stay at what is booked of a sequence whose turn has not come: nothing of it is stored', () => {
    const sequence = begun()
    sequence.begun = false
    const open = new OpenRecords<null>(0)
    open.open(record(10, sequence, 1))
    sequence.finished.add(1, 1)
    expect(open.resumeOffset(11)).to.equal(10)
    sequence.begun = true
    expect(open.resumeOffset(11)).to.equal(11)
  })

  it('stay few behind one message that is never acknowledged (stuck-handler)', () => {
    const sequence = begun()
    const open = new OpenRecords<null>(0)
    open.open(record(0, sequence, 1))
    for (let counter = 2; counter <= 200_000; counter++) {
      open.open(record(counter - 1, sequence, counter))
      sequence.finished.add(counter, counter)
      if (counter % 1_000 === 0) expect(open.resumeOffset(counter)).to.equal(0)
      expect(open.size).to.be.at.most(11_000)
    }
    sequence.finished.add(1, 1)
    expect(open.resumeOffset(200_000)).to.equal(200_000)
  })

  it('know the mark before each of them, and forget what is read again', () => {
    const sequence = new Sequence<null>(0, { epoch: 1, incarnation: 1 }, { time: 0, step: 0 })
    const open = new OpenRecords<null>(0)
    for (let counter = 1; counter <= 5; counter++) open.open(record(counter - 1, sequence, counter))
    expect(open.markBefore(0)).to.deep.equal({ offset: -1, digest: 1 })
    expect(open.markBefore(3)).to.deep.equal({ offset: 2, digest: 4 })
    expect(open.markBefore(7)).to.equal(undefined)
    open.rewind(3)
    expect([open.size, open.markBefore(3)]).to.deep.equal([3, undefined])
  })
})

function begun(): Sequence<null> {
  const sequence = new Sequence<null>(0, { epoch: 1, incarnation: 1 }, { time: 0, step: 0 })
  sequence.begun = true
  return sequence
}
