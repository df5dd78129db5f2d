import { expect } from 'chai'

import { sealed, sequences } from './given.test.js'
import { OpenSends } from './open-sends.js'
import type { SealedRecord } from './record.js'

describe('open sends', () => {
  const [sequence] = sequences(1)

  it('gives those that are open, oldest first, whatever is over in whatever order', () => {
    const sends = new OpenSends()
    const records = Array.from({ length: 10 }, () => sealed(sequence!))
    for (const record of records) sends.push(record)
    let open: SealedRecord[] = [...records]
    for (const index of [3, 0, 1, 9, 2, 5, 4, 8, 7, 6]) {
      expect(sends.peek()).to.equal(open[0])
      records[index]!.send = index % 2 === 0 ? 'resolved' : 'rejected'
      open = open.filter(({ send }) => send === 'open')
      sends.tidy(open.length)
      expect([...sends]).to.deep.equal(open)
    }
    expect(sends.peek()).to.equal(undefined)
  })

  it('goes on behind what was taken out, open or not', () => {
    const sends = new OpenSends()
    const [first, second] = [sealed(sequence!), sealed(sequence!)]
    sends.push(first)
    sends.push(second)
    sends.peek()
    sends.shift()
    expect(sends.peek()).to.equal(second)
    first.send = 'resolved'
    sends.tidy(1)
    expect(sends.peek()).to.equal(second)
  })

  it('does not keep what is over behind one that stays open', () => {
    const sends = new OpenSends()
    const stays = sealed(sequence!)
    sends.push(stays)
    for (let i = 0; i < 10_000; i++) {
      const record = sealed(sequence!)
      sends.push(record)
      record.send = 'resolved'
      sends.tidy(1)
    }
    expect(sends.kept).to.be.below(2_000)
    expect([...sends]).to.deep.equal([stays])
  })
})
