import type { Receipt } from '@tandem/producer'
import { expect } from 'chai'

import { Stage, type Writer } from '../scenarios/stage.js'

/** What a receipt says of a message that went through the journal. */
describe('receipts of messages on disk', () => {
  const padding = { padding: 'x'.repeat(16_000) }

  /** Both clusters hang; so many more messages are accepted than memory has room for. */
  async function accepted(count: number): Promise<{ stage: Stage; ledger: Writer; receipts: Receipt[] }> {
    const stage = new Stage()
    const ledger = await stage.producer('ledger', {
      options: {
        topics: { entries: {} },
        journal: { path: '/ledger', mode: 'on-outage' },
        whenBothAway: { policy: 'journal' },
        backlogBytesMax: 65_536,
      },
    })
    for (const cluster of [stage.east, stage.west]) cluster.hang()
    await ledger.send(1)
    const sent = await ledger.send(count - 1, { headers: padding })
    return { stage, ledger, receipts: sent.map(({ receipt }) => receipt!) }
  }

  it('say that the journal has them and no cluster, and later where both have them', async () => {
    const { stage, ledger, receipts } = await accepted(20)
    expect(receipts.every(({ journal }) => journal)).to.equal(true)
    expect(receipts.map(({ clusters }) => clusters)).to.deep.equal(
      receipts.map(() => ({ east: undefined, west: undefined })),
    )
    const { clusters } = ledger.producer.status()
    expect([clusters['east']!.onDisk, clusters['west']!.onDisk].every((count) => count > 5)).to.equal(true)
    const settled = Promise.all(receipts.map((receipt) => receipt.settled()))
    for (const cluster of [stage.east, stage.west]) cluster.heal()
    await stage.settle()
    const offsets = (await settled).map(({ clusters: { east, west } }) => [east!.offset, west!.offset])
    expect(offsets.flat().every((offset) => offset > 0)).to.equal(true)
    expect(new Set(offsets.map(([east]) => east)).size).to.equal(19)
  })

  it('say what became of one whose entry is damaged while somebody waits for it', async () => {
    const { stage, ledger, receipts } = await accepted(40)
    const settled = Promise.all(receipts.map((receipt) => receipt.settled()))
    const torn = [1, 2, 3].map(() => stage.world.disk.tear()!.first)
    stage.east.heal()
    await stage.pass(60_000)
    torn.push(stage.world.disk.tear()!.first) // the east has this one
    stage.west.heal()
    await stage.settle()
    let answered: Receipt[] | undefined
    void settled.then((all) => (answered = all))
    await stage.pass(1)
    const missing = answered!.filter(({ clusters: { east, west } }) => east === undefined || west === undefined)
    expect(missing.length, 'what memory had is written for all that').to.be.within(1, 4)
    expect(torn).to.include.members(missing.map(({ position }) => position.counter))
    expect(ledger.events('journal-damaged').length).to.be.above(0)
    expect(ledger.producer.status().journal!.entries).to.equal(0)
  })

  it('say so, too, when asked after all is over: that both have them, and for some not where', async () => {
    const { stage, receipts } = await accepted(20)
    stage.east.heal()
    await stage.pass(60_000)
    const half = Promise.all(receipts.map((receipt) => receipt.settled())) // in the east, and on disk for the west
    stage.west.heal()
    await stage.settle()
    for (const { clusters } of await half) expect([clusters['east'], clusters['west']]).to.not.include(undefined)
    const late = await Promise.all(receipts.map((receipt) => receipt.settled()))
    for (const { clusters } of late) expect([clusters['east'], clusters['west']]).to.not.include(undefined)
    const { stage: other, receipts: forgotten } = await accepted(20)
    for (const cluster of [other.east, other.west]) cluster.heal()
    await other.settle()
    const asked = await Promise.all(forgotten.map((receipt) => receipt.settled()))
    expect(asked.map(({ clusters }) => clusters['east']!.offset)).to.include(-1)
    for (const { clusters } of asked) expect([clusters['east'], clusters['west']]).to.not.include(undefined)
  })
})
