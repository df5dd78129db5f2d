import { decodeFrame, decodeStamp } from '@tandem/common/internal'
import { expect } from 'chai'

import { readDelivered, readLog } from './notation.js'

describe('notation', () => {
  const stamps = (notation: string): string[] =>
    readLog(notation).map(({ entry }) => {
      const { kind, epoch, keyRange, first, count } = decodeStamp(Buffer.from(entry.headers[0]!['tandem']!))
      return `${kind} ${keyRange} ${epoch} ${first} ${count}`
    })

  it('reads data, voids, epochs, key ranges and runs', () => {
    expect(stamps('1 v2 v3–5 2:7 Y8 1…3')).to.deep.equal([
      'data 0 1 1 1',
      'void 0 1 2 1',
      'void 0 1 3 3',
      'data 0 2 7 1',
      'data 1 1 8 1',
      'data 0 1 1 1',
      'data 0 1 2 1',
      'data 0 1 3 1',
    ])
  })

  it('reads frames, and those that cannot be unpacked', () => {
    expect(stamps('f1…3 fX2:4…4 f5…6!')).to.deep.equal(['frame 0 1 1 3', 'frame 0 2 4 1', 'frame 0 1 5 2'])
    const [good, , broken] = readLog('f1…3 fX2:4…4 f5…6!').map(({ entry }) => entry.value)
    expect(decodeFrame(good!, 3).map(({ value }) => Buffer.from(value!).toString())).to.deep.equal(['1', '2', '3'])
    expect(() => decodeFrame(broken!, 2)).to.throw('frame')
  })

  it('gives each message its own text as payload, and a void none', () => {
    expect(readLog('2:1 v2 X3').map(({ entry }) => entry.value?.toString())).to.deep.equal(['2:1', undefined, 'X3'])
  })

  it('reads what is delivered, and what of it late', () => {
    expect(readDelivered('1 3…4, late 2')).to.deep.equal(['1', '3', '4', 'late 2'])
  })

  it('refuses what it cannot read', () => {
    expect(() => readLog('1 xy')).to.throw('xy: not a record')
  })
})
