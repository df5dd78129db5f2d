import type { Stamp } from '@tandem/common/internal'
import { expect } from 'chai'

import { fateOf, Lookup, type Sought, type Word } from './lookup.js'

describe('lookup', () => {
  const ID = { producerId: 'p', epoch: 7, incarnation: 1 }

  const at = (counter: number, more: Partial<Sought['position']> = {}, keyRange = 0): Sought => {
    return { position: { ...ID, ...more, counter }, keyRange, from: 10 }
  }
  const stamp = (kind: Stamp['kind'], first: number, count = 1, more: Partial<Stamp> = {}): Stamp => {
    return { kind, ...ID, keyRange: 0, first, count, ...more }
  }

  function read(sought: readonly Sought[], ...stamps: readonly Stamp[]): Lookup {
    const lookup = new Lookup(sought)
    for (const each of stamps) lookup.handleStamp(each)
    lookup.handleSpan({ start: 10, end: 20 })
    return lookup
  }

  it('takes the first word of a log on each position', () => {
    const sought = [at(1), at(2), at(3)]
    const lookup = read(sought, stamp('data', 1), stamp('void', 2), stamp('void', 1), stamp('data', 2))
    expect(sought.map((one) => lookup.word(one))).to.deep.equal(['data', 'void', undefined])
    expect(lookup.open).to.equal(1)
  })

  it('is not told anything of a position by another life, key range, producer or counter', () => {
    const sought = [at(5)]
    const others = [{ epoch: 8 }, { incarnation: 2 }, { keyRange: 1 }, { producerId: 'q' }]
    const lookup = read(
      sought,
      ...others.map((other) => stamp('data', 5, 1, other)),
      stamp('data', 4),
      stamp('void', 6),
    )
    expect(lookup.word(sought[0]!)).to.equal(undefined)
    expect(lookup.open).to.equal(1)
  })

  it('takes a run for all counters in it, however long it is, and counts a position once', () => {
    const sought = [at(1), at(5), at(5), at(9), at(10)]
    const lookup = read(sought, stamp('frame', 2, 4), stamp('void', 1, 2 ** 52), stamp('data', 9))
    expect(sought.map((one) => lookup.word(one))).to.deep.equal(['void', 'data', 'data', 'void', 'void'])
    expect(lookup.open).to.equal(0)
    const one = new Lookup([at(5), at(5)])
    expect(one.open).to.equal(1)
  })

  it('does not take a void for the word of a log of which a part is gone, nor anything before it is read', () => {
    const sought = [at(1), { ...at(2), from: 9 }, { ...at(3), from: 20 }, { ...at(4), from: 21 }, { ...at(5), from: 9 }]
    const lookup = read(sought, stamp('data', 5), stamp('void', 1, 4))
    expect(sought.map((one) => lookup.word(one))).to.deep.equal(['void', undefined, 'void', undefined, 'data'])
    const unread = new Lookup(sought)
    unread.handleStamp(stamp('data', 1))
    expect(unread.word(sought[0]!)).to.equal(undefined)
  })

  it('finds what one log has, whatever the other one says, and concludes nothing from silence', () => {
    const fates = new Map<string, string>()
    const words: (Word | undefined)[] = ['data', 'void', undefined]
    for (const a of words) for (const b of words) fates.set(`${a} ${b}`, fateOf([a, b]))
    expect(Object.fromEntries(fates)).to.deep.equal({
      'data data': 'found',
      'data void': 'found',
      'data undefined': 'found',
      'void data': 'found',
      'void void': 'nowhere',
      'void undefined': 'undecided',
      'undefined data': 'found',
      'undefined void': 'undecided',
      'undefined undefined': 'undecided',
    })
  })
})
