import { expect } from 'chai'

import { decodeStamp } from '@tandem/common/internal'

import { readLog } from '../scenarios/notation.js'
import { NaiveArbiter } from './naive-arbiter.js'

describe('naive arbiter', () => {
  const deliver = (log: string): string[] => {
    const arbiter = new NaiveArbiter()
    return readLog(log)
      .filter(({ entry }) => arbiter.accepts(decodeStamp(Buffer.from(entry.headers[0]!['tandem']!))))
      .map(({ text }) => text)
  }

  it('drops the second copy of each message, stream by stream', () => {
    expect(deliver('X1 X1 X2 Y1 Y1 X2')).to.deep.equal(['X1', 'X2', 'Y1'])
  })

  it('begins again with each epoch', () => {
    expect(deliver('1:1 1:2 2:1 1:2 2:1 2:2')).to.deep.equal(['1:1', '1:2', '2:1', '2:2'])
  })

  it('loses what comes after something that is beyond it', () => {
    expect(deliver('1 3 1 2 3')).to.deep.equal(['1', '3'])
  })
})
