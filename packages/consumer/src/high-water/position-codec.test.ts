import { encode } from '@msgpack/msgpack'
import { Intervals } from '@tandem/common/internal'
import { expect } from 'chai'

import type { StoredSequence } from '../core/stored-stream.js'
import {
  checkFinished,
  decodePosition,
  encodeFeed,
  encodeStream,
  feedField,
  finishedIn,
  streamField,
} from './position-codec.js'

const BIG = Number.MAX_SAFE_INTEGER

const MARKS = [
  { offset: 0, digest: 0 },
  { offset: BIG - 1, digest: 2 ** 32 - 1 },
]

describe('position codec', () => {
  it('reads what it writes, up to the largest numbers', () => {
    const stream = {
      keyRange: 2 ** 31 - 1,
      producerId: 'ledger-7',
      sequences: [
        {
          epoch: BIG,
          incarnation: 2 ** 32 - 1,
          frontier: BIG,
          origin: BIG - 1,
          finished: Intervals.of([1, 5], [8, BIG]),
          rejected: Intervals.of([6, 6]),
          lastSeenMs: 1_700_000_000_001,
          feeds: {
            east: { lastOffset: BIG, readFrom: BIG, voids: [{ first: 6, last: 7, offset: BIG }] },
            west: { lastOffset: -1, readFrom: 0, voids: [] },
          },
        },
      ],
    }
    const fields = new Map([
      [feedField('east'), encodeFeed({ resumeOffset: BIG, marks: MARKS, forgottenEpoch: BIG })],
      [streamField('2147483647/ledger-7'), encodeStream(stream)],
    ])
    const position = decodePosition(fields)
    expect(position.feeds).to.deep.equal({ east: { resumeOffset: BIG, marks: MARKS, forgottenEpoch: BIG } })
    const [read] = position.streams
    expect(read!.sequences[0]!.finished.toArray()).to.deep.equal([1, 5, 8, BIG])
    expect(read!.sequences[0]!.rejected.toArray()).to.deep.equal([6, 6])
    expect(read!.sequences[0]).to.deep.include({
      epoch: BIG,
      frontier: BIG,
      origin: BIG - 1,
      lastSeenMs: 1_700_000_040_000, // the next minute
      feeds: stream.sequences[0]!.feeds,
    })
  })

  function refused(name: string, bytes: Uint8Array): string {
    try {
      decodePosition(new Map([[name, bytes]]))
    } catch (error) {
      expect(error).to.have.property('code', 'TANDEM_HIGH_WATER_STORE_UNUSABLE')
      return (error as Error).message
    }
    return 'taken'
  }

  it('names the field that cannot be read', () => {
    expect(refused('s:1/p', Uint8Array.of(0xc1))).to.contain('s:1/p')
  })

  it('refuses a resume offset that is none', () => {
    for (const value of [['abc'], [-1], [1.5], [null], [], ['0'], {}, 7, null, [2 ** 60], [[3]]]) {
      expect(refused('f:east', encode(value)), JSON.stringify(value)).to.contain('f:east')
    }
    expect(refused('f:east', encode(['abc']))).to.contain('resume offset: received "abc" (string)')
    expect(refused('f:east', encode([0, [], 'abc']))).to.contain('forgotten epoch: received "abc" (string)')
    expect(refused('f:east', encode([0, [], 1, 'of a later version']))).to.equal('taken')
  })

  it('refuses a stream in which anything is of another type or out of its range', () => {
    const good = (): unknown[] => [1, 0, 6, [1, 3, 5, 6], [4, 4], { east: [9, [4, 4, 8]] }, 1]
    const stream = (...sequence: unknown[]): Uint8Array => encode([0, 'p', [sequence]])
    expect(refused('s:0/p', stream(...good()))).to.equal('taken')
    expect(refused('s:0/p', stream(...good().slice(0, 6))), 'without an origin').to.equal('taken')
    const born = [1, 0, BIG, [], [BIG, BIG], {}, BIG + 1]
    expect(refused('s:0/p', stream(...born)), 'born at the last counter').to.equal('taken')
    const wrong: unknown[][] = [
      [-1, 'x', 0.5, null],
      [-1, '1', []],
      [-1, 'x', null],
      [[1], [3, 1], [1, 3, 3, 4], [0, 1], [1, '2'], 'x', null],
      [[1], [2, 1], [[1, 1]], {}],
      [{ east: [-2, []] }, { east: ['x', []] }, { east: [1, [1]] }, { east: [1, [2, 1, 0]] }, { east: [1] }, [], 7],
      [0, '1', null, 2 ** 54],
    ]
    for (const [index, values] of wrong.entries()) {
      for (const value of values) {
        const sequence = good()
        sequence[index] = value
        expect(refused('s:0/p', stream(...sequence)), `${index}: ${JSON.stringify(value)}`).to.contain('s:0/p')
      }
    }
    for (const value of [[-1, 'p', []], ['x', 'p', []], [0, '', []], [0, 7, []], [0, 'p', {}], [0, 'p', [7]], []]) {
      expect(refused('s:0/p', encode(value)), JSON.stringify(value)).to.contain('s:0/p')
    }
  })

  it('makes no room for what is announced and not there', () => {
    const boastful = Buffer.concat(Array.from({ length: 20 }, () => Buffer.of(0xdd, 0x00, 0x10, 0x00, 0x00)))
    const before = process.memoryUsage().heapUsed
    expect(refused('s:0/p', boastful)).to.contain('s:0/p')
    expect(process.memoryUsage().heapUsed - before).to.be.below(16 << 20)
  })

  it('lists what a position says is finished, and nothing else', () => {
    const sequence = (epoch: number, finished: Intervals): StoredSequence => {
      const rejected = Intervals.of([6, 6])
      return { epoch, incarnation: 7, frontier: 6, origin: 1, finished, rejected, lastSeenMs: 0, feeds: {} }
    }
    const sequences = [sequence(1, Intervals.of([1, 3], [5, 5])), sequence(2, new Intervals())]
    const fields = new Map([
      [feedField('east'), encodeFeed({ resumeOffset: 9, marks: [] })],
      [streamField('3/p'), encodeStream({ keyRange: 3, producerId: 'p', sequences })],
    ])
    const id = { keyRange: 3, producerId: 'p', epoch: 1, incarnation: 7 }
    expect(finishedIn(fields)).to.deep.equal([
      { ...id, first: 1, last: 3 },
      { ...id, first: 5, last: 5 },
    ])
  })

  it('refuses what is booked if anything of it is of another type or out of its range', () => {
    const good = { keyRange: 0, producerId: 'p', epoch: 0, incarnation: 0, first: 1, last: BIG }
    expect(checkFinished([good])).to.deep.equal([good])
    for (const wrong of [
      { keyRange: -1 },
      { producerId: '' },
      { epoch: '1' },
      { incarnation: 0.5 },
      { first: 0 },
      { first: '1' },
      { first: 2, last: 1 },
      { last: undefined },
    ]) {
      const text = JSON.stringify(wrong)
      expect(() => checkFinished([good, { ...good, ...wrong } as never]), text).to.throw('cannot be read')
    }
  })

  it('knows nothing of clusters that are not stored, whatever they are called', () => {
    const { feeds } = decodePosition(new Map([[feedField('east'), encodeFeed({ resumeOffset: 3, marks: [] })]]))
    expect([feeds['constructor'], feeds['toString']]).to.deep.equal([undefined, undefined])
  })
})
