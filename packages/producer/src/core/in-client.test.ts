import { expect } from 'chai'

import { InClient, SERIALS } from './in-client.js'
import { VoidRecord, type Write } from './record.js'
import { Sequence } from './sequencer.js'

describe('what is in the client', () => {
  const sequence = new Sequence(
    { topic: 'entries', keyRange: 0, partition: 0 },
    { producerId: 'ledger', epoch: 1, incarnation: 1 },
  )
  const write = (first: number): Write => new VoidRecord({ sequence, first, last: first, reason: 'backlog' })

  it('does as a map that keeps the order does, whatever comes back when', () => {
    let state = 1
    const below = (max: number): number => (state = (state * 48_271) % 0x7fffffff) % max
    const inClient = new InClient()
    const model = new Map<number, Write>()
    for (let step = 1; step < 20_000; step++) {
      const fillsUp = Math.floor(step / 2_000) % 2 === 0
      if (model.size === 0 || below(10) < (fillsUp ? 7 : 3)) {
        const added = write(step)
        const serial = inClient.add(added)
        expect(model.has(serial)).to.equal(false)
        model.set(serial, added)
      } else {
        // Mostly of the first few, as reports come; at times of any.
        const serials = [...model.keys()]
        const serial = serials[below(below(4) === 0 ? serials.length : Math.min(serials.length, 3))]!
        expect(inClient.remove(serial)).to.equal(model.get(serial))
        expect(inClient.remove(serial)).to.equal(undefined)
        model.delete(serial)
      }
      expect(inClient.size).to.equal(model.size)
      expect(inClient.oldest).to.equal([...model.values()][0])
      if (step % 500 === 0) expect([...inClient]).to.deep.equal([...model.values()])
    }
    expect(inClient.removeAll()).to.deep.equal([...model.values()])
    expect([inClient.size, inClient.oldest, [...inClient]]).to.deep.equal([0, undefined, []])
  })

  it('knows a late report by its number, also where its place was taken since', () => {
    const inClient = new InClient()
    const early = inClient.add(write(1))
    inClient.remove(early)
    for (let i = 0; i < 1_000; i++) {
      const later = write(i + 1)
      const serial = inClient.add(later)
      expect(inClient.remove(early)).to.equal(undefined)
      expect(inClient.remove(serial)).to.equal(later)
    }
  })

  it('passes over the number of what stays, when numbers go round', () => {
    const inClient = new InClient()
    const stays = write(1)
    const held = inClient.add(stays)
    const seen = new Set<number>([held])
    for (let i = 0; i < SERIALS * 2; i++) {
      const serial = inClient.add(write(i + 1))
      expect(serial).to.not.equal(held)
      seen.add(serial)
      expect(inClient.oldest).to.equal(stays)
      inClient.remove(serial)
    }
    expect(seen.size).to.equal(SERIALS)
    expect(inClient.remove(held)).to.equal(stays)
  })
})
