import { expect } from 'chai'

import { sealed, sequences } from './given.test.js'
import type { CopyState, LaneIndex, SealedRecord } from './record.js'
import { Shelf } from './shelf.js'

const EMPTY = { first: 1, next: 1, bytesFirst: 0, bytesNext: 0, done: [1, 1], forgone: [[], []] } as const

class Bench {
  readonly shelf: Shelf
  readonly sequence = sequences(1)[0]!

  constructor(found: Partial<ConstructorParameters<typeof Shelf>[0]> = {}) {
    this.shelf = new Shelf({ topic: 'entries', partition: 0, ...EMPTY, ...found })
  }

  /** So many records on disk. */
  put(count: number, bytes = 100): SealedRecord[] {
    const records = Array.from({ length: count }, () => sealed(this.sequence, { bytes }))
    for (const record of records) {
      this.shelf.put(record)
      record.journal = 'durable'
      this.shelf.handleDurable(record)
    }
    return records
  }

  end(record: SealedRecord, lane: LaneIndex, state: CopyState = 'acknowledged'): void {
    record.copies[lane].state = state
    this.shelf.handleFinal(record, lane)
  }

  marks(): string[] {
    return [...this.shelf.marks()].map(({ lane, done, forgone }) => `${lane}<${done} [${forgone.join(' ')}]`)
  }
}

describe('shelf', () => {
  it('gives places in turn, and counts what a lane still needs', () => {
    const bench = new Bench()
    const records = bench.put(3)
    expect(records.map(({ place }) => place)).to.deep.equal([1, 2, 3])
    expect(records.map(({ bytesBefore }) => bytesBefore)).to.deep.equal([0, 100, 200])
    expect(bench.shelf).to.include({ entries: 3, bytes: 300, next: 4 })
    bench.end(records[0]!, 0)
    expect(bench.shelf).to.include({ entries: 3, bytes: 300 })
    bench.end(records[0]!, 1)
    expect(bench.shelf).to.include({ entries: 2, bytes: 200 })
  })

  it('marks what is final without a gap, each lane by itself, once', () => {
    const bench = new Bench()
    const [one, two, three] = bench.put(3)
    bench.end(two!, 0)
    bench.end(three!, 1)
    expect(bench.marks()).to.deep.equal([])
    bench.end(one!, 0)
    expect(bench.marks()).to.deep.equal(['0<3 []'])
    expect(bench.marks()).to.deep.equal([])
    bench.end(one!, 1)
    bench.end(two!, 1)
    expect(bench.marks()).to.deep.equal(['1<4 []'])
  })

  it('tells places that a cluster never took from those that it has', () => {
    const bench = new Bench()
    const [one, two] = bench.put(2)
    bench.end(one!, 0, 'refused')
    bench.end(two!, 0)
    expect([1, 2].map((place) => bench.shelf.isAcknowledged(0, place))).to.deep.equal([false, true])
    expect([1, 2].map((place) => bench.shelf.isDone(0, place))).to.deep.equal([true, true])
    expect(bench.marks()).to.deep.equal(['0<3 [1]'])
    bench.shelf.handleUnmarked({ topic: 'entries', partition: 0, lane: 0, done: 3, forgone: [1] })
    expect(bench.marks()).to.deep.equal(['0<3 [1]'])
  })

  it('does not count as done what is final and not on disk: its place may be taken back', () => {
    const bench = new Bench()
    const record = sealed(bench.sequence)
    bench.shelf.put(record)
    record.copies[0].state = 'acknowledged'
    expect(bench.shelf.isDone(0, 1)).to.equal(false)
    bench.shelf.takeBack(record)
    expect(record.place).to.equal(0)
    expect(bench.shelf).to.include({ entries: 0, bytes: 0, next: 1 })
    bench.shelf.put(record)
    record.journal = 'durable'
    bench.shelf.handleDurable(record)
    expect(bench.marks()).to.deep.equal(['0<2 []'])
  })

  it('goes on from what an earlier life left', () => {
    const bench = new Bench({ first: 5, next: 9, bytesFirst: 400, bytesNext: 800, done: [7, 1], forgone: [[6], []] })
    expect(bench.shelf).to.include({ entries: 4, bytes: 400 })
    expect([bench.shelf.done(0), bench.shelf.done(1)]).to.deep.equal([7, 5])
    expect([5, 6, 7].map((place) => bench.shelf.isAcknowledged(0, place))).to.deep.equal([true, false, false])
    expect(bench.put(1)[0]).to.include({ place: 9, bytesBefore: 800 })
  })

  it('is done, in both lanes, with a place that cannot be read', () => {
    const bench = new Bench()
    const [one, two] = bench.put(2)
    bench.shelf.handleGone(1)
    expect(bench.marks()).to.deep.equal(['0<2 [1]', '1<2 [1]'])
    expect(bench.shelf.find(1)).to.equal(undefined)
    bench.end(two!, 0)
    bench.end(two!, 1)
    expect(bench.shelf).to.include({ entries: 0, bytes: 0 })
    expect(one!.place).to.equal(1)
  })

  it('keeps records by their places until they are forgotten', () => {
    const bench = new Bench()
    const [one] = bench.put(1)
    expect(bench.shelf.find(1)).to.equal(one)
    bench.shelf.forget(one!)
    expect(bench.shelf.find(1)).to.equal(undefined)
    bench.shelf.keep(one!)
    bench.shelf.forget(sealed(bench.sequence)) // another record's place is nobody's
    expect(bench.shelf.find(1)).to.equal(one)
  })
})
