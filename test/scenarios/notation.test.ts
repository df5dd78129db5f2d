import { decodeStamp } from '@tandem/common/internal'
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
