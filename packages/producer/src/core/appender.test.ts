import { expect } from 'chai'

import { Appender, type AppenderCommand } from './appender.js'
import { sealed, sequences } from './given.test.js'
import type { SealedRecord } from './record.js'

class Bench {
  readonly appender: Appender
  readonly sequence = sequences(1)[0]!
  now = 0

  constructor(bytesMax = 1_000, waitingBytesMax = 10_000) {
    this.appender = new Appender({ bytesMax, waitingBytesMax, found: [] })
  }

  give(count: number, bytes = 100, ofLane = false): SealedRecord[] {
    const records = Array.from({ length: count }, () => sealed(this.sequence, { bytes }))
    for (const record of records) this.appender.handleRecord(record, ofLane)
    return records
  }

  /** What it says until it is at rest. */
  run(): string {
    const said: string[] = []
    for (let command = this.appender.poll(this.now); command !== undefined; command = this.appender.poll(this.now)) {
      said.push(shown(command))
    }
    return said.join(', ')
  }

  end(record: SealedRecord): void {
    for (const lane of [0, 1] as const) {
      record.copies[lane].state = 'acknowledged'
      this.appender.handleFinal(record, lane, this.now)
    }
  }
}

function shown(command: AppenderCommand): string {
  switch (command.kind) {
    case 'append':
      return `append [${command.records.map(({ first }) => first).join(' ')}]`
    case 'durable':
    case 'refused':
      return `${command.kind} ${command.record.first}`
    case 'mark':
      return `mark ${command.marks.map(({ lane, done }) => `${lane}<${done}`).join(' ')}`
    case 'usable':
      return 'usable'
    case 'tell':
      return `tell ${command.fact.kind}`
    default:
      throw command satisfies never
  }
}

describe('appender', () => {
  it('appends one after the other, each time all that came meanwhile', () => {
    const bench = new Bench()
    bench.give(1)
    expect(bench.run()).to.equal('append [1]')
    const [two] = bench.give(2)
    expect(bench.run()).to.equal('')
    expect(two!.journal).to.equal('appending')
    bench.appender.handleAppended(0)
    expect(bench.run()).to.equal('durable 1, append [2 3]')
    bench.appender.handleAppended(0)
    expect(bench.run()).to.equal('durable 2, durable 3')
    expect(two).to.include({ journal: 'durable', place: 2 })
    expect(bench.appender.idle).to.equal(true)
  })

  it('refuses everything at once when an append fails, then tries the disk with nothing, ever later', () => {
    const bench = new Bench()
    const [one] = bench.give(1)
    bench.run()
    bench.give(1)
    bench.appender.handleAppendFailed('no space left on device', false, 0)
    expect(bench.run()).to.equal('tell journal-failed, refused 1, refused 2')
    expect(one).to.include({ journal: 'none', place: 0 })
    expect(bench.appender.usable).to.equal(false)
    bench.give(1)
    expect(bench.run()).to.equal('refused 3')
    expect(bench.appender.deadline()).to.equal(1_000)
    bench.now = 1_000
    expect(bench.run()).to.equal('append []')
    bench.appender.handleAppendFailed('no space left on device', false, 1_000)
    expect(bench.run()).to.equal('') // told once
    expect(bench.appender.deadline()).to.equal(3_000)
    bench.now = 3_000
    expect(bench.run()).to.equal('append []')
    bench.appender.handleAppended(3_000)
    expect(bench.run()).to.equal('tell journal-usable, usable')
    bench.give(1)
    expect(bench.run()).to.equal('append [4]')
    expect(bench.appender).to.include({ entries: 1, bytes: 100 })
  })

  it('is full at its bound, and takes records again when a tenth is free', () => {
    const bench = new Bench(1_000)
    const records = bench.give(11)
    expect(bench.run()).to.equal('append [1 2 3 4 5 6 7 8 9 10]')
    bench.appender.handleAppended(0)
    expect(bench.run().split(', ').slice(-2)).to.deep.equal(['tell journal-filled', 'refused 11'])
    expect(bench.appender.usable).to.equal(false)
    bench.end(records[0]!)
    expect(bench.run()).to.equal('tell journal-usable, usable')
    expect(bench.appender.bytes).to.equal(900)
  })

  it('looks again whether there is room when what cannot be read is passed over', () => {
    const bench = new Bench(1_000)
    bench.give(11)
    bench.run()
    bench.appender.handleAppended(0)
    bench.run()
    const shelf = bench.appender.shelf('entries', 0)!
    bench.appender.handleGone(shelf, 1, 9, 0)
    expect(bench.run(), 'how large they were is not known before the next one').to.equal('')
    bench.appender.handleGone(shelf, 10, 10, 0)
    expect(bench.run()).to.equal('tell journal-usable, usable')
    expect(bench.appender).to.include({ entries: 0, bytes: 0, usable: true })
  })

  it('refuses one that is larger than the whole journal, and goes on', () => {
    const bench = new Bench(1_000)
    bench.give(1, 1_001)
    bench.give(1, 1_000)
    expect(bench.run()).to.equal('append [2], tell journal-filled, refused 1')
    expect(bench.appender.usable).to.equal(true)
  })

  it('takes nothing from who comes faster than it writes, beyond its bound', () => {
    const bench = new Bench(10_000, 300)
    bench.give(2)
    expect(bench.appender.usable).to.equal(true)
    bench.give(1)
    expect(bench.appender.usable).to.equal(false)
    bench.run()
    expect(bench.appender.usable).to.equal(false) // it is being written
    bench.appender.handleAppended(0)
    expect(bench.appender.usable).to.equal(true)
    expect(bench.run()).to.equal('usable, durable 1, durable 2, durable 3') // who was turned away may come again
  })

  it('lets nobody wait because of what lanes put there, since they are bounded themselves (seed 61000894)', () => {
    const bench = new Bench(100_000, 300)
    bench.give(50, 100, true)
    expect([bench.appender.crowded, bench.appender.takes(100)]).to.deep.equal([false, true])
    bench.give(2)
    expect(bench.appender.crowded).to.equal(false)
    bench.give(1)
    expect(bench.appender.crowded).to.equal(true)
    expect(bench.run()).to.match(/^append/)
    bench.appender.handleAppended(0)
    expect(bench.run()).to.contain('usable')
    expect(bench.appender.crowded).to.equal(false)
  })

  it('counts what is on its way here, for the disk as for what waits for it', () => {
    const bench = new Bench(1_000, 300)
    bench.give(2)
    expect([99, 100].map((bytes) => bench.appender.crowdedWith(bytes))).to.deep.equal([false, true])
    expect([99, 100].map((bytes) => bench.appender.takes(10, bytes))).to.deep.equal([true, false])
    expect([710, 711].map((bytes) => bench.appender.takes(bytes, 90))).to.deep.equal([true, false])
  })

  it('does not write what both clusters have answered meanwhile: its bytes are gone', () => {
    const bench = new Bench()
    const [, two] = bench.give(3)
    two!.settled = true
    expect(bench.run()).to.equal('append [1 3], refused 2')
    expect(two!.journal).to.equal('none')
  })

  it('marks what lanes are done with, a moment later and one at a time', () => {
    const bench = new Bench()
    const records = bench.give(3)
    bench.run()
    bench.appender.handleAppended(0)
    bench.run()
    bench.end(records[0]!)
    expect(bench.run()).to.equal('')
    expect(bench.appender.deadline()).to.equal(100)
    bench.now = 100
    expect(bench.run()).to.equal('mark 0<2 1<2')
    bench.end(records[1]!)
    bench.now = 300
    expect(bench.run()).to.equal('')
    bench.appender.handleMarked()
    expect(bench.run()).to.equal('mark 0<3 1<3')
    bench.appender.handleMarkFailed([{ topic: 'entries', partition: 0, lane: 0, done: 3, forgone: [] }], 300)
    expect(bench.appender.deadline()).to.equal(1_300)
    bench.now = 1_300
    expect(bench.run()).to.equal('mark 0<3')
    bench.end(records[2]!)
    expect(bench.appender.close().map(({ lane, done }) => [lane, done])).to.deep.equal([
      [0, 4],
      [1, 4],
    ])
  })
})
