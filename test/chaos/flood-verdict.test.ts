import { expect } from 'chai'

import { FloodRecord, judgeFlood } from './flood-verdict.js'
import type { FloodLine } from './flood.js'
import { transferOf } from './load.js'
import { OrderedCensus } from './ordered-census.js'
import type { Verdict } from './verdict.js'

/** What a flood of twenty messages leaves behind when all went well, for each test to spoil. */
class Run {
  readonly lines: FloodLine[] = [
    { kind: 'begun', ...LIFE },
    ...NUMBERS.map((number): FloodLine => [number, number, KEY_RANGE]),
    { kind: 'event', event: 'lane-away' },
    { kind: 'closed', sent: NUMBERS.length },
  ]
  readonly logs = { east: [...NUMBERS], west: [...NUMBERS] }
  readonly voids: number[] = []
  peak = 200

  judge(): Verdict {
    const record = new FloodRecord(ACCOUNTS)
    for (const line of this.lines) record.handle(line)
    const west = this.#census('west')
    for (const number of this.voids) {
      west.handleVoid({ ...LIFE, keyRange: KEY_RANGE, first: number, count: 1 })
    }
    return judgeFlood({
      name: 'doctored',
      record,
      censuses: { east: this.#census('east'), west },
      memory: { what: 'resident bytes', peak: this.peak, allowed: 300 },
      recoverySeconds: 4,
      faults: new Map([['cluster-dead', 1]]),
      told: ['lane-away'],
    })
  }

  #census(cluster: 'east' | 'west'): OrderedCensus {
    const census = new OrderedCensus()
    for (const number of this.logs[cluster]) census.handleTransfer(transferOf(number, ACCOUNTS))
    return census
  }
}

describe('verdict on a flood', () => {
  let run: Run
  beforeEach(() => void (run = new Run()))

  it('is good when everything resolved and both logs hold it, or one voids it', () => {
    run.logs.west.splice(6, 1)
    run.voids.push(7)
    const { figures, complaints, effects } = run.judge()
    expect(complaints).to.deep.equal([])
    const { faults, ...counts } = figures
    expect(counts).to.deep.equal({
      name: 'doctored',
      acknowledged: 20,
      delivered: 20,
      lost: 0,
      duplicated: 0,
      unexplainedDuplicates: 0,
      outOfOrder: 0,
      late: 0,
      recoverySeconds: 4,
      residentBytesMax: 200,
      missing: { east: 0, west: 0 },
    })
    expect(faults).to.include({ 'cluster-dead': 1, 'cluster-hung': 0 })
    expect(effects).to.include({ 'voided in west': 1, 'again in west': 0 })
  })

  it('finds what neither log holds, void or not, and what one neither holds nor voids', () => {
    run.logs.west.splice(6, 1)
    expect(run.judge()).to.deep.nested.include({ 'figures.lost': 0, 'figures.missing': { east: 0, west: 1 } })
    expect(run.judge().complaints).to.have.length(1)
    run.voids.push(7)
    run.logs.east.splice(6, 1)
    expect(run.judge()).to.deep.nested.include({ 'figures.lost': 1, 'figures.missing': { east: 1, west: 0 } })
    expect(run.judge()).to.nested.include({ 'figures.delivered': 19 })
  })

  it('finds what stands behind a later one of its account, but not what was written again', () => {
    run.logs.east.push(3, 4)
    expect(run.judge()).to.deep.nested.include({ 'complaints.length': 0, 'effects.again in east': 2 })
    run.logs.west.splice(2, 1)
    run.logs.west.push(3)
    expect(run.judge().figures.outOfOrder).to.equal(1)
    expect(run.judge().complaints).to.have.length(1)
  })

  it('finds a send that was rejected, and one without an answer', () => {
    run.lines[5] = { kind: 'rejected', number: 5, code: 'TANDEM_SHED' }
    expect(run.judge().complaints).to.deep.equal(['1 sends were rejected: TANDEM_SHED'])
    run.lines.splice(5, 1)
    expect(run.judge().complaints).to.deep.equal(['20 were sent, 19 resolved, 0 rejected'])
    expect(run.lines.pop()).to.deep.equal({ kind: 'closed', sent: 20 })
    expect(run.judge().complaints).to.deep.equal(['it did not come to its end in time'])
  })

  it('finds memory beyond the bound, and that the harm did not do what it is for', () => {
    run.peak = 301
    expect(run.judge().complaints).to.deep.equal(['resident bytes: 301 where 300 are allowed'])
    run.peak = 300
    run.lines.splice(-2, 1)
    expect(run.judge().complaints).to.deep.equal(['nobody told of lane-away'])
  })
})

const ACCOUNTS = 3
const LIFE = { producerId: 'flood', epoch: 9, incarnation: 7 }
/** Of every message here; which one does not matter. */
const KEY_RANGE = 0
const NUMBERS = Array.from({ length: 20 }, (_, index) => index + 1)
