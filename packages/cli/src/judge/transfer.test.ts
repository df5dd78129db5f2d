import { expect } from 'chai'

import { decodeTransfer } from './transfer.js'

describe('transfer', () => {
  const transfer = { number: 1, order: 1, from: 0, to: 1, amount: 5 }

  it('is read from the bytes of a record', () => {
    expect(decodeTransfer(Buffer.from(JSON.stringify({ ...transfer, more: true })))).to.deep.equal(transfer)
  })

  it('is not made out of anything else', () => {
    for (const text of ['', 'null', '7', '[]', '{', '\u00ff'])
      expect(decodeTransfer(Buffer.from(text))).to.equal(undefined)
    for (const spoilt of [
      { number: 0 },
      { number: '1' },
      { order: 1.5 },
      { from: -1 },
      { to: null },
      { amount: 2 ** 60 },
    ]) {
      expect(decodeTransfer(Buffer.from(JSON.stringify({ ...transfer, ...spoilt })))).to.equal(undefined)
    }
    expect(decodeTransfer(Buffer.from([0xff, 0xfe]))).to.equal(undefined)
    expect(decodeTransfer(null)).to.equal(undefined)
  })
})
