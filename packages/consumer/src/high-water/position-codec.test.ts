import { Intervals } from '@tandem/common/internal'
import { expect } from 'chai'

import { decodePosition, encodeFeed, encodeStream, feedField, streamField } from './position-codec.js'

const BIG = Number.MAX_SAFE_INTEGER

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
          feeds: {
            east: { lastOffset: BIG, voids: [{ first: 6, last: 7, offset: BIG }] },
            west: { lastOffset: -1, voids: [] },
          },
        },
      ],
    }
    const fields = new Map([
      [feedField('east'), encodeFeed(BIG)],
      [streamField('2147483647/ledger-7'), encodeStream(stream)],
    ])
    const position = decodePosition(fields)
    expect(position.resumeOffsets).to.deep.equal({ east: BIG })
    const [read] = position.streams
    expect(read!.sequences[0]!.finished.toArray()).to.deep.equal([1, 5, 8, BIG])
    expect(read!.sequences[0]!.rejected.toArray()).to.deep.equal([6, 6])
    expect(read!.sequences[0]).to.deep.include({
      epoch: BIG,
      frontier: BIG,
      origin: BIG - 1,
      feeds: stream.sequences[0]!.feeds,
    })
  })

  it('names the field that cannot be read', () => {
    const read = () => decodePosition(new Map([['s:1/p', Uint8Array.of(0xc1)]]))
    expect(read).to.throw('s:1/p').with.property('code', 'TANDEM_HIGH_WATER_STORE_FAILED')
  })
})
