import { expect } from 'chai'

import { sealed, sequences } from './given.test.js'
import type { CopyState, LaneIndex, SealedRecord } from './record.js'
import { Settlement, type AcknowledgePolicy } from './settlement.js'

class Bench {
  readonly settlement: Settlement
  readonly sequence = sequences(1)[0]!

  constructor(policy: AcknowledgePolicy) {
    this.settlement = new Settlement({ policy, sendTimeoutMs: 1_000, waitMs: 500 })
  }

  seal(at = 0, away: [boolean, boolean] = [false, false]): SealedRecord {
    const record = sealed(this.sequence, { at })
    this.settlement.handleSealed(record, away)
    return record
  }

  become(record: SealedRecord, lane: LaneIndex, state: CopyState): void {
    record.copies[lane].state = state
    if (record.copies[lane].final) this.settlement.handleFinal(record)
  }

  said(): string[] {
    const said: string[] = []
    for (let command = this.settlement.poll(); command !== undefined; command = this.settlement.poll()) {
      said.push(command.kind === 'reject' ? `reject ${command.outcome} ${command.reason}` : command.kind)
    }
    return said
  }
}

describe('settlement', () => {
  it('one: resolves with the first acknowledgement, and is settled with the second', () => {
    const bench = new Bench('one')
    const record = bench.seal()
    bench.become(record, 1, 'acknowledged')
    expect(bench.said()).to.deep.equal(['resolve'])
    bench.become(record, 0, 'acknowledged')
    expect(bench.said()).to.deep.equal(['settled'])
  })

  it('available: waits for every lane that was not away at the stamping', () => {
    const bench = new Bench('available')
    const both = bench.seal()
    bench.become(both, 0, 'acknowledged')
    expect(bench.said()).to.deep.equal([])
    bench.become(both, 1, 'acknowledged')
    expect(bench.said()).to.deep.equal(['resolve', 'settled'])
    const one = bench.seal(0, [true, false])
    bench.become(one, 1, 'acknowledged')
    expect(bench.said()).to.deep.equal(['resolve'])
  })

  it('available: does not wait longer than a circuit needs to open for a lane that is merely slow', () => {
    const bench = new Bench('available')
    const first = bench.seal(0)
    const second = bench.seal(100)
    const third = bench.seal(200)
    bench.become(first, 0, 'acknowledged')
    bench.become(third, 0, 'acknowledged')
    expect(bench.settlement.deadline()).to.equal(500)
    bench.settlement.handleDeadline(499)
    expect(bench.said()).to.deep.equal([])
    bench.settlement.handleDeadline(500)
    expect(bench.said()).to.deep.equal(['resolve'])
    expect(bench.settlement.deadline()).to.equal(600)
    // Nobody has the second one: it goes on waiting, and the first acknowledgement is enough from now on.
    bench.settlement.handleDeadline(600)
    expect(bench.said()).to.deep.equal([])
    expect(bench.settlement.deadline()).to.equal(700)
    bench.become(second, 1, 'acknowledged')
    bench.settlement.handleDeadline(700)
    expect(bench.said()).to.deep.equal(['resolve', 'resolve'])
    bench.seal(700)
    bench.settlement.handleDeadline(1_200)
    expect(bench.settlement.deadline()).to.equal(1_700)
    bench.settlement.handleDeadline(1_700)
    expect(bench.said()).to.deep.equal(['reject not-written timeout'])
  })

  it('available: does not wait for a lane that goes away meanwhile', () => {
    const bench = new Bench('available')
    const [acknowledged, inFlight] = [bench.seal(), bench.seal()]
    bench.become(acknowledged, 0, 'acknowledged')
    bench.settlement.handleAway(1)
    expect(bench.said()).to.deep.equal(['resolve'])
    bench.become(inFlight, 0, 'acknowledged')
    expect(bench.said()).to.deep.equal(['resolve'])
  })

  it('available: does not wait for a lane whose circuit for the partition opens', () => {
    const bench = new Bench('available')
    const record = bench.seal()
    const { topic, partition } = record
    bench.become(record, 0, 'acknowledged')
    bench.settlement.handleAway(1, { topic, partition: partition + 1 })
    bench.settlement.handleAway(1, { topic: 'other', partition })
    expect(bench.said()).to.deep.equal([])
    bench.settlement.handleAway(1, { topic, partition })
    expect(bench.said()).to.deep.equal(['resolve'])
  })

  it('available: does not wait for a lane that will not write it', () => {
    for (const state of ['refused', 'given-up'] as const) {
      const bench = new Bench('available')
      const record = bench.seal()
      bench.become(record, 1, state)
      expect(bench.said()).to.deep.equal([])
      bench.become(record, 0, 'acknowledged')
      expect(bench.said()).to.deep.equal(['resolve', 'settled'])
    }
  })

  it('available: never resolves on no acknowledgement', () => {
    const bench = new Bench('available')
    const record = bench.seal()
    bench.settlement.handleAway(0)
    bench.settlement.handleAway(1)
    expect(bench.said()).to.deep.equal([])
    bench.become(record, 1, 'acknowledged')
    expect(bench.said()).to.deep.equal(['resolve'])
  })

  it('both: resolves with both, and rejects as soon as one will never have it', () => {
    const bench = new Bench('both')
    const [good, bad] = [bench.seal(), bench.seal()]
    bench.become(good, 0, 'acknowledged')
    expect(bench.said()).to.deep.equal([])
    bench.become(good, 1, 'acknowledged')
    expect(bench.said()).to.deep.equal(['resolve', 'settled'])
    bench.become(bad, 0, 'acknowledged')
    bench.become(bad, 1, 'refused')
    expect(bench.said()).to.deep.equal(['reject unknown refused', 'settled'])
  })

  it('both: what is refused before any other client had it is not written anywhere', () => {
    const bench = new Bench('both')
    bench.become(bench.seal(), 1, 'refused')
    expect(bench.said()).to.deep.equal(['reject not-written refused'])
  })

  it('says not-written when no client ever had it, and has it voided everywhere', () => {
    const bench = new Bench('one')
    bench.seal()
    expect(bench.settlement.deadline()).to.equal(1_000)
    bench.settlement.handleDeadline(999)
    expect(bench.said()).to.deep.equal([])
    bench.settlement.handleDeadline(1_000)
    expect(bench.said()).to.deep.equal(['reject not-written timeout'])
  })

  it('says unknown when a client has it, or had it and did not say for certain', () => {
    const bench = new Bench('one')
    const [inClient, inDoubt] = [bench.seal(), bench.seal()]
    bench.become(inClient, 0, 'in-client')
    inDoubt.copies[1].inDoubt = true
    bench.settlement.handleDeadline(1_000)
    expect(bench.said()).to.deep.equal(['reject unknown timeout', 'reject unknown timeout'])
  })

  it('looks once more when it says so: a lane may have handed over what had no time left', () => {
    const bench = new Bench('one')
    const record = bench.seal()
    bench.settlement.handleDeadline(1_000)
    bench.become(record, 1, 'in-client')
    expect(bench.said()).to.deep.equal(['reject unknown timeout'])
  })

  it('says not-written at once when both refuse it for good and no log can hold it', () => {
    const bench = new Bench('one')
    const record = bench.seal()
    bench.become(record, 0, 'refused')
    expect(bench.said()).to.deep.equal([])
    bench.become(record, 1, 'refused')
    expect(bench.said()).to.deep.equal(['reject not-written refused', 'settled'])
  })

  it('says unknown at once when both refuse it but one log may hold it from before', () => {
    const bench = new Bench('one')
    const record = bench.seal()
    record.copies[0].inDoubt = true
    bench.become(record, 0, 'refused')
    bench.become(record, 1, 'refused')
    expect(bench.said()).to.deep.equal(['reject unknown refused', 'settled'])
  })

  it('keeps each time of its own', () => {
    const bench = new Bench('one')
    bench.seal(0)
    const second = bench.seal(400)
    bench.settlement.handleDeadline(1_000)
    expect(bench.said()).to.have.length(1)
    expect(bench.settlement.deadline()).to.equal(1_400)
    bench.become(second, 0, 'acknowledged')
    bench.said()
    bench.settlement.handleDeadline(1_400)
    expect(bench.said()).to.deep.equal([])
    expect(bench.settlement.deadline()).to.equal(undefined)
    bench.seal(2_000)
    expect(bench.settlement.deadline()).to.equal(3_000)
  })

  it('says nothing more of what was rejected, but when it is settled', () => {
    const bench = new Bench('one')
    const record = bench.seal()
    bench.become(record, 0, 'in-client')
    bench.settlement.handleDeadline(1_000)
    bench.said()
    bench.become(record, 0, 'acknowledged')
    bench.become(record, 1, 'acknowledged')
    expect(bench.said()).to.deep.equal(['settled'])
  })

  it('rejects everything open when it is closed', () => {
    const bench = new Bench('one')
    const inClient = bench.seal()
    bench.seal()
    bench.become(inClient, 0, 'in-client')
    bench.settlement.handleClosed()
    expect(bench.said()).to.deep.equal(['reject unknown closed', 'reject not-written closed'])
    expect(bench.settlement.openCount).to.equal(0)
  })
})
