import { expect } from 'chai'

import { decodeTransfer } from '../judge/transfer.js'
import { TransferSource } from './transfer-source.js'

describe('transfer source', () => {
  const take = (count: number) => {
    const source = new TransferSource({ accounts: 10, seed: 1 })
    return Array.from({ length: count }, () => source.next())
  }

  it('numbers all transfers, and those of each payer, from 1 without holes', () => {
    const orders = new Map<number, number>()
    take(1000).forEach((transfer, index) => {
      expect(transfer.number).to.equal(index + 1)
      expect(transfer.order).to.equal((orders.get(transfer.from) ?? 0) + 1)
      orders.set(transfer.from, transfer.order)
    })
    expect(orders.size).to.equal(10)
  })

  it('moves a positive amount between two accounts', () => {
    for (const { from, to, amount } of take(1000)) {
      expect(from).to.not.equal(to)
      expect(from).to.be.within(0, 9)
      expect(to).to.be.within(0, 9)
      expect(amount).to.be.within(1, 100)
    }
  })

  it('is the same on every run', () => {
    expect(take(50)).to.deep.equal(take(50))
  })

  it('makes payloads that the judge can read', () => {
    for (const transfer of take(5)) {
      expect(decodeTransfer(Buffer.from(JSON.stringify(transfer)))).to.deep.equal(transfer)
    }
  })
})
