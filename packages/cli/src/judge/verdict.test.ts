import { expect } from 'chai'

import { Acknowledgements } from './acknowledgements.js'
import { Books } from './books.js'
import { Effects } from './effects.js'
import { LogCensus } from './log-census.js'
import type { Transfer } from './transfer.js'
import { judgeDelivery, judgeLog, objections, type DeliveryVerdict, type LogVerdict } from './verdict.js'

const ACCOUNTS = 3
const sequence = { producerId: 'ledger', epoch: 1, incarnation: 7, keyRange: 0 }

/** Transfers 1…count in turn from each account to the next. */
function transfers(count: number): Transfer[] {
  const orders = new Array<number>(ACCOUNTS).fill(0)
  return Array.from({ length: count }, (_, index) => {
    const from = index % ACCOUNTS
    return { number: index + 1, order: ++orders[from]!, from, to: (from + 1) % ACCOUNTS, amount: 10 + index }
  })
}

/** A run that went well, as evidence that each test then spoils. */
class Evidence {
  readonly load = transfers(9)
  readonly effects = this.load.map((transfer) => ({ ...transfer, late: false }))
  readonly acknowledged = [...this.load]
  readonly logs = { east: this.load.map(({ number }) => number), west: this.load.map(({ number }) => number) }
  readonly voids: Record<'east' | 'west', { first: number; count: number }[]> = { east: [], west: [] }

  judge(): { delivery: DeliveryVerdict; logs: Record<string, LogVerdict>; objections: string[] } {
    const acknowledgements = new Acknowledgements(new Books({ accounts: ACCOUNTS, opening: 100 }))
    for (const transfer of this.acknowledged) {
      acknowledgements.add({ ...transfer, ...sequence, counter: transfer.number })
    }
    const effects = new Effects(new Books({ accounts: ACCOUNTS, opening: 100 }))
    for (const effect of this.effects) effects.add(effect)
    const logs: Record<string, LogVerdict> = {}
    for (const cluster of ['east', 'west'] as const) {
      const census = new LogCensus()
      for (const number of this.logs[cluster]) census.handleMessage(number)
      for (const run of this.voids[cluster]) census.handleVoid({ ...sequence, ...run })
      logs[cluster] = judgeLog(census, acknowledgements)
    }
    const delivery = judgeDelivery({ sent: this.load.length, acknowledgements, effects })
    return { delivery, logs, objections: objections(delivery, logs) }
  }
}

describe('verdict', () => {
  it('is good when every message has one effect, in order, and both logs hold all', () => {
    const { delivery, logs, objections } = new Evidence().judge()
    expect(delivery).to.deep.equal({
      sent: 9,
      acknowledged: 9,
      delivered: 9,
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
      late: 0,
      booksBalance: true,
    })
    expect(logs['east']).to.deep.equal({ records: 9, voided: 0, missing: 0 })
    expect(objections).to.deep.equal([])
  })

  it('counts an acknowledged message without an effect as lost, and the books as off', () => {
    const evidence = new Evidence()
    evidence.effects.splice(4, 1)
    const { delivery, objections } = evidence.judge()
    expect(delivery).to.include({ delivered: 8, lost: 1, outOfOrder: 0, booksBalance: false })
    expect(objections).to.deep.equal([
      '9 acknowledged, but 8 delivered',
      '1 acknowledged and lost',
      'the books do not balance',
    ])
  })

  it('counts a message that is in neither log as missing in both, and lost', () => {
    const evidence = new Evidence()
    evidence.logs.east.splice(2, 1)
    evidence.logs.west.splice(2, 1)
    evidence.effects.splice(2, 1)
    const { delivery, logs, objections } = evidence.judge()
    expect(delivery.lost).to.equal(1)
    expect([logs['east']!.missing, logs['west']!.missing]).to.deep.equal([1, 1])
    expect(objections).to.include('the log of east lacks 1 acknowledged messages')
    expect(objections).to.include('the log of west lacks 1 acknowledged messages')
  })

  it('objects to a message that only one log has, although it was delivered', () => {
    const evidence = new Evidence()
    evidence.logs.east.splice(5, 1)
    const { delivery, logs, objections } = evidence.judge()
    expect(delivery.lost).to.equal(0)
    expect([logs['east']!.missing, logs['west']!.missing]).to.deep.equal([1, 0])
    expect(objections).to.deep.equal(['the log of east lacks 1 acknowledged messages'])
  })

  it('objects to a log that was never written to', () => {
    const evidence = new Evidence()
    evidence.logs.west.length = 0
    expect(evidence.judge().logs['west']).to.deep.equal({ records: 0, voided: 0, missing: 9 })
    expect(evidence.judge().objections).to.deep.equal(['the log of west lacks 9 acknowledged messages'])
  })

  it('does not miss what a log voids, found by the position of the receipt', () => {
    const evidence = new Evidence()
    evidence.logs.east.splice(3, 2)
    evidence.voids.east.push({ first: 4, count: 2 })
    expect(evidence.judge().logs['east']).to.deep.equal({ records: 7, voided: 2, missing: 0 })
    expect(evidence.judge().objections).to.deep.equal([])
  })

  it('misses what the void of another position would have covered', () => {
    const evidence = new Evidence()
    evidence.logs.east.splice(3, 2)
    evidence.voids.east.push({ first: 5, count: 2 }, { first: 1000, count: 1_000_000_000 })
    expect(evidence.judge().logs['east']!.missing).to.equal(1)
  })

  it('counts each effect beyond the first as duplicated, not as out of order, and the books as off', () => {
    const evidence = new Evidence()
    evidence.effects.push(evidence.effects[1]!)
    const { delivery, objections } = evidence.judge()
    expect(delivery).to.include({ delivered: 9, duplicated: 1, outOfOrder: 0, booksBalance: false })
    expect(objections).to.include('1 delivered more than once')
  })

  it('counts an effect after a later one of its key as out of order', () => {
    const evidence = new Evidence()
    const [fourth] = evidence.effects.splice(3, 1)
    evidence.effects.push(fourth!)
    const { delivery, objections } = evidence.judge()
    expect(delivery).to.include({ lost: 0, duplicated: 0, outOfOrder: 1, booksBalance: true })
    expect(objections).to.deep.equal(['1 delivered out of order'])
  })

  it('lets keys overtake each other', () => {
    const evidence = new Evidence()
    evidence.effects.sort((a, b) => b.from - a.from || a.order - b.order)
    expect(evidence.judge().objections).to.deep.equal([])
  })

  it('does not count late ones as out of order, and does not let them raise the bar', () => {
    const evidence = new Evidence()
    const [fourth] = evidence.effects.splice(3, 1)
    evidence.effects.push({ ...fourth!, late: true })
    expect(evidence.judge().delivery).to.include({ late: 1, outOfOrder: 0, lost: 0 })
    expect(evidence.judge().objections).to.deep.equal([])

    const early = new Evidence()
    const [seventh] = early.effects.splice(6, 1)
    early.effects.unshift({ ...seventh!, late: true })
    expect(early.judge().delivery).to.include({ late: 1, outOfOrder: 0 })
  })

  it('objects to a send that was not acknowledged, delivered or not', () => {
    const evidence = new Evidence()
    evidence.acknowledged.pop()
    const { delivery, objections } = evidence.judge()
    expect(delivery).to.include({ sent: 9, acknowledged: 8, delivered: 9, lost: 0, booksBalance: false })
    expect(objections).to.include('9 sent, but 8 acknowledged')
  })

  it('objects to an effect of other content under the right number', () => {
    const evidence = new Evidence()
    evidence.effects[4] = { ...evidence.effects[4]!, amount: 1 }
    expect(evidence.judge().objections).to.deep.equal(['the books do not balance'])
  })

  it('objects to money that came from nowhere', () => {
    const evidence = new Evidence()
    evidence.effects[4] = { ...evidence.effects[4]!, from: 99 }
    expect(evidence.judge().delivery.booksBalance).to.equal(false)
  })
})
