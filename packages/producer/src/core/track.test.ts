import { Fifo, type TandemFact } from '@tandem/common/internal'
import { expect } from 'chai'

import { sealed, sequences, shown } from './given.test.js'
import { Load } from './load.js'
import type { SealedRecord } from './record.js'
import { KnownSequences } from './sequencer.js'
import { REWRITE_AGE_MS_MAX, Track, type Taken, type TrackCommand, type TrackOptions } from './track.js'

const TRANSIENT = { kind: 'transient', reason: 'message timed out' } as const
const REFUSED = { kind: 'refused', reason: 'invalid topic' } as const
const BATCH_REFUSED = { kind: 'batch-refused', reason: 'message size too large' } as const

/** A track of lane 0, and what it says. */
class Bench {
  readonly load = new Load()
  readonly outbox = new Fifo<TrackCommand>()
  readonly track: Track
  readonly sequence = sequences(1)[0]!

  constructor(options: Partial<TrackOptions> = {}) {
    this.track = new Track({
      cluster: 'east',
      lane: 0,
      topic: 'entries',
      partition: 0,
      circuit: { failuresMax: 2, silenceMsMax: 5_000, probeAfterMs: 1_000, probeAfterMsMax: 8_000 },
      inClientMax: 100,
      inClientBytesMax: 1_000_000,
      load: this.load,
      outbox: this.outbox,
      ...options,
    })
  }

  /** Seals so many messages of one sequence. */
  seal(count: number, bytes = 100): SealedRecord[] {
    const records = Array.from({ length: count }, () => sealed(this.sequence, { bytes }))
    for (const record of records) this.track.handleSealed(record, false)
    return records
  }

  /** Takes what it may take now. */
  take(now = 0): Taken[] {
    const all: Taken[] = []
    for (let taken = this.track.take(now); taken !== undefined; taken = this.track.take(now)) all.push(taken)
    return all
  }

  /** The log that a well cluster gets from now on, acknowledging each record at once. */
  drain(now = 0): string {
    const log: string[] = []
    for (let taken = this.track.take(now); taken !== undefined; taken = this.track.take(now)) {
      log.push(shown(taken.write))
      this.track.handleAcknowledged(taken.serial, log.length, now)
    }
    return log.join(' ')
  }

  facts(): TandemFact[] {
    const facts: TandemFact[] = []
    for (let command = this.outbox.shift(); command !== undefined; command = this.outbox.shift()) {
      if (command.kind === 'tell') facts.push(command.fact)
    }
    return facts
  }

  kinds(): string[] {
    return this.facts().map(({ kind }) => kind)
  }

  /** Opens the circuit by failing a record that is in the client. */
  open(taken: Taken, now = 0): void {
    this.track.handleFailed(taken.serial, TRANSIENT, now)
    this.track.handleFailed(this.track.take(now)!.serial, TRANSIENT, now)
  }
}

describe('track', () => {
  it('hands records over in the order of stamping, and is done with what is acknowledged', () => {
    const bench = new Bench()
    const records = bench.seal(3)
    expect(bench.drain()).to.equal('1 2 3')
    expect(records.map(({ copies }) => copies[0].state)).to.deep.equal(['acknowledged', 'acknowledged', 'acknowledged'])
    expect(records.map(({ copies }) => copies[0].offset)).to.deep.equal([1, 2, 3])
    expect(bench.load).to.include({ records: 0, bytes: 0, voids: 0, inClient: 0, inClientBytes: 0 })
    expect(bench.track.busy).to.equal(false)
  })

  it('puts what failed transiently back to the front, in counter order, and doubts it', () => {
    const bench = new Bench()
    const records = bench.seal(4)
    const taken = [bench.track.take(0)!, bench.track.take(0)!, bench.track.take(0)!]
    bench.track.handleFailed(taken[2]!.serial, TRANSIENT, 0)
    bench.track.handleAcknowledged(taken[1]!.serial, 9, 0)
    bench.track.handleFailed(taken[0]!.serial, TRANSIENT, 0)
    expect(bench.drain()).to.equal('1 3 4')
    expect(records[0]!.copies[0].inDoubt).to.equal(true)
    expect(records[3]!.copies[0].inDoubt).to.equal(false)
  })

  it('hands nothing over while the circuit is open, and drains in order when it closes', () => {
    const bench = new Bench()
    bench.seal(3)
    bench.open(bench.track.take(0)!)
    expect(bench.track.circuit).to.equal('open')
    expect(bench.take(999)).to.deep.equal([])
    bench.track.handleDeadline(1_000)
    const probe = bench.take(1_000)
    expect(probe.map(({ write }) => shown(write))).to.deep.equal(['1']) // one, and the head
    bench.track.handleAcknowledged(probe[0]!.serial, 5, 1_100)
    expect(bench.drain(1_100)).to.equal('2 3')
    expect(bench.kinds()).to.deep.equal(['circuit-opened', 'circuit-closed'])
  })

  it('opens when nothing is heard for too long of the oldest in the client, however old that is', () => {
    const bench = new Bench()
    bench.seal(4)
    const [first, second] = bench.take(0)
    expect(bench.track.deadline()).to.equal(5_000)
    bench.track.handleAcknowledged(first!.serial, 1, 4_000)
    bench.track.handleDeadline(5_000)
    expect(bench.track.circuit).to.equal('closed')
    expect(bench.track.deadline()).to.equal(9_000)
    bench.track.handleAcknowledged(second!.serial, 2, 8_000)
    bench.track.handleDeadline(9_000)
    expect(bench.track.circuit).to.equal('closed') // a deep queue that is well: the third is 9 s old
    bench.track.handleDeadline(12_999)
    expect(bench.track.circuit).to.equal('closed')
    bench.track.handleDeadline(13_000)
    expect(bench.facts()[0]).to.include({ kind: 'circuit-opened', cluster: 'east', partition: 0, reason: 'silence' })
  })

  it('opens for one whose report is lost, though others are acknowledged behind it', () => {
    const bench = new Bench()
    bench.seal(6)
    const [first, ...others] = bench.take(0)
    for (const [second, { serial }] of others.entries()) bench.track.handleAcknowledged(serial, second, second * 1_000)
    bench.track.handleDeadline(4_999)
    expect(bench.track.circuit).to.equal('closed')
    bench.track.handleDeadline(5_000)
    expect(bench.track.circuit).to.equal('open')
    bench.track.handleDiscarded(5_500)
    bench.track.handleDeadline(6_000)
    expect(bench.drain(6_000)).to.equal(shown(first!.write))
  })

  it('takes what the client still holds for a probe, instead of handing over more', () => {
    const bench = new Bench()
    bench.seal(2)
    const stuck = bench.track.take(0)!
    bench.track.handleDeadline(5_000)
    bench.track.handleDeadline(6_000)
    expect(bench.track.circuit).to.equal('half-open')
    expect(bench.take(6_000)).to.deep.equal([])
    bench.track.handleAcknowledged(stuck.serial, 1, 6_500)
    expect(bench.drain(6_500)).to.equal('2')
  })

  it('puts what a discarded client held back, in doubt, and ignores what is said of it later', () => {
    const bench = new Bench()
    const records = bench.seal(3)
    const taken = bench.take()
    expect(bench.track.handleDiscarded(10)).to.equal(3)
    expect(records.every(({ copies }) => copies[0].inDoubt && copies[0].state === 'queued')).to.equal(true)
    expect(bench.track.handleAcknowledged(taken[0]!.serial, 1, 20)).to.equal(false)
    expect(bench.drain(30)).to.equal('1 2 3')
  })

  it('writes again what was acknowledged without an offset, with an event', () => {
    const bench = new Bench()
    const [record] = bench.seal(1)
    const taken = bench.track.take(0)!
    bench.track.handleAcknowledged(taken.serial, -1001, 0)
    expect(record!.copies[0]).to.include({ state: 'queued', inDoubt: true })
    expect(bench.facts()).to.deep.equal([
      { kind: 'record-hollow', cluster: 'east', topic: 'entries', partition: 0, count: 1 },
    ])
    expect(bench.drain()).to.equal('1')
  })

  it('puts a void in the place of what is refused for good, with an event, and leaves the circuit alone', () => {
    const bench = new Bench()
    const records = bench.seal(3)
    const taken = [bench.track.take(0)!, bench.track.take(0)!]
    for (const { serial } of taken) bench.track.handleFailed(serial, REFUSED, 0)
    expect(bench.track.circuit).to.equal('closed')
    expect(records[0]!.copies[0].state).to.equal('refused')
    expect(bench.facts()[0]).to.deep.include({ kind: 'record-refused', first: 1, count: 1, reason: REFUSED.reason })
    expect(bench.drain()).to.equal('v1-2 3')
    const written = bench.facts()
    expect(written[0]).to.deep.include({ kind: 'void-written', first: 1, count: 2, reason: 'refused' })
  })

  it('writes each record of a refused batch once more alone, and believes only an answer to one alone', () => {
    const bench = new Bench()
    const records = bench.seal(4)
    for (const { serial } of [bench.track.take(0)!, bench.track.take(0)!, bench.track.take(0)!]) {
      bench.track.handleFailed(serial, BATCH_REFUSED, 0)
    }
    const log: string[] = []
    for (let step = 0; step < 3; step++) {
      const alone = bench.take()
      expect(alone).to.have.length(1) // nothing beside it, though 4 waits too
      const { serial, write } = alone[0]!
      log.push(shown(write))
      if (shown(write) === '2') bench.track.handleFailed(serial, BATCH_REFUSED, 0)
      else bench.track.handleAcknowledged(serial, step, 0)
    }
    expect(bench.drain()).to.equal('3 4')
    expect(log).to.deep.equal(['1', '2', 'v2'])
    expect(records.map(({ copies }) => copies[0].state)).to.deep.equal([
      'acknowledged',
      'refused',
      'acknowledged',
      'acknowledged',
    ])
    expect(bench.track.circuit).to.equal('closed')
  })

  it('drops a void that is refused, with an event', () => {
    const bench = new Bench()
    bench.seal(1)
    bench.track.handleFailed(bench.track.take(0)!.serial, REFUSED, 0)
    bench.track.handleFailed(bench.track.take(0)!.serial, REFUSED, 0)
    expect(bench.kinds()).to.deep.equal(['record-refused', 'void-refused'])
    expect(bench.track.busy).to.equal(false)
    expect(bench.load.voids).to.equal(0)
  })

  it('writes a void that failed transiently again', () => {
    const bench = new Bench()
    bench.seal(1)
    bench.track.handleFailed(bench.track.take(0)!.serial, REFUSED, 0)
    bench.track.handleFailed(bench.track.take(0)!.serial, TRANSIENT, 0)
    expect(bench.load.voids).to.equal(1)
    expect(bench.drain()).to.equal('v1')
    expect(bench.load.voids).to.equal(0)
  })

  it('voids exactly what it gave up, never what it acknowledged (exact-voids)', () => {
    const bench = new Bench()
    const records = bench.seal(7)
    for (const record of records.slice(0, 4)) bench.track.giveUpRecord(record, 'undelivered')
    const taken = bench.take()
    expect(taken.map(({ write }) => shown(write))).to.deep.equal(['v1-4', '5', '6', '7'])
    bench.track.handleAcknowledged(taken[2]!.serial, 1, 0) // 6
    for (const { serial } of [taken[1]!, taken[3]!]) bench.track.handleFailed(serial, REFUSED, 0)
    bench.track.giveUpRecord(records[5]!, 'backlog') // acknowledged: not to be given up
    expect(bench.drain()).to.equal('v5 v7')
  })

  it('keeps voids as intervals: an outage of any length takes bounded memory', () => {
    const bench = new Bench()
    for (let i = 0; i < 1_000; i++) {
      const [record] = bench.seal(1)
      bench.track.giveUpRecord(record!, 'backlog')
    }
    expect(bench.load).to.include({ records: 0, bytes: 0, voids: 1 })
    expect(bench.drain()).to.equal('v1-1000')
  })

  it('writes voids as the probe of an open circuit', () => {
    const bench = new Bench()
    const [record] = bench.seal(1)
    bench.open(bench.track.take(0)!)
    bench.track.giveUpRecord(record!, 'backlog')
    bench.track.handleDeadline(1_000)
    expect(bench.drain(1_000)).to.equal('v1')
    expect(bench.track.circuit).to.equal('closed')
  })

  it('voids what the other cluster has had for too long, and writes at any age what nobody else has', () => {
    const bench = new Bench()
    const records = bench.seal(3)
    bench.track.handleElsewhere(records[0]!, 0)
    bench.track.handleElsewhere(records[2]!, 1)
    expect(bench.drain(REWRITE_AGE_MS_MAX + 1)).to.equal('2 v1 3') // found to be too old when its turn came
    expect(records[0]!.copies[0].state).to.equal('given-up')
  })

  it('voids sooner what may not be written so late, to the ms, and no later than the constant of the protocol', () => {
    for (const [copyAgeMaxMs, limit] of [
      [5_000, 5_000],
      [REWRITE_AGE_MS_MAX + 1, REWRITE_AGE_MS_MAX],
    ] as const) {
      for (const [age, log] of [
        [limit, '1 2'],
        [limit + 1, '2 v1'],
      ] as const) {
        const bench = new Bench({ copyAgeMaxMs })
        const records = bench.seal(2)
        bench.track.handleElsewhere(records[0]!, 7)
        expect(bench.drain(age + 7), `${age} of ${copyAgeMaxMs} ms`).to.equal(log)
      }
    }
  })

  it('voids counters of any life that it is asked about, and says whether the log has taken the void', () => {
    const bench = new Bench()
    const [record] = bench.seal(1)
    const earlier = new KnownSequences('ledger').of({
      topic: 'entries',
      keyRange: 0,
      partition: 0,
      epoch: 1,
      incarnation: 9,
    })
    bench.track.void(earlier, 5, 5)
    bench.track.giveUpRecord(record!, 'undelivered')
    bench.track.void(earlier, 6, 6)
    const answers: string[] = []
    for (let taken = bench.track.take(0); taken !== undefined; taken = bench.track.take(0)) {
      if (shown(taken.write) === 'v1') bench.track.handleAcknowledged(taken.serial, 0, 0)
      else bench.track.handleFailed(taken.serial, answers.length === 0 ? REFUSED : TRANSIENT, 0)
      for (let command = bench.outbox.shift(); command !== undefined; command = bench.outbox.shift()) {
        if (command.kind === 'void-answered') answers.push(`${shown(command.write)} ${command.written}`)
      }
    }
    expect(answers).to.deep.equal(['v5-6 false'])
    bench.track.void(earlier, 7, 7)
    const { serial } = bench.track.take(0)!
    bench.track.handleAcknowledged(serial, 1, 0)
    const told = [...Array(9)].map(() => bench.outbox.shift()).filter((command) => command?.kind === 'void-answered')
    expect(told).to.have.length(1)
    expect(told[0]).to.include({ written: true })
  })

  it('knows below which offset the log cannot hold a record: what was acknowledged when it was first handed over', () => {
    const bench = new Bench()
    const [first, second, third] = bench.seal(3)
    expect(bench.track.from(first!), 'nothing acknowledged, not handed over').to.equal(0)
    const taken = bench.track.take(0)!
    bench.track.handleAcknowledged(taken.serial, 41, 0)
    expect(bench.track.from(first!)).to.equal(0)
    expect(bench.track.from(second!), 'not handed over').to.equal(42)
    const doubtful = bench.track.take(0)!
    const other = bench.track.take(0)!
    bench.track.handleAcknowledged(other.serial, 50, 0)
    bench.track.handleFailed(doubtful.serial, TRANSIENT, 0)
    bench.track.take(0) // handed over again: it may lie where the first attempt left it
    expect([second!, third!].map((record) => bench.track.from(record))).to.deep.equal([42, 42])
    expect(bench.track.end).to.equal(51)
  })

  it('gives up the oldest that others have, and never what nobody has', () => {
    const bench = new Bench()
    const records = bench.seal(6)
    for (const i of [1, 2, 4, 5]) bench.track.handleElsewhere(records[i]!, 0)
    expect(bench.load).to.include({ spareBytes: 400, exposed: 4 })
    expect(bench.track.giveUp(250)).to.equal(3)
    expect(bench.load).to.include({ records: 3, bytes: 300, spareBytes: 100, exposed: 1 })
    expect(bench.track.giveUp(1_000)).to.equal(1)
    expect(bench.drain()).to.equal('v2-3 v5-6 1 4')
  })

  it('may give up what was promised to nobody', () => {
    const bench = new Bench()
    const [record] = bench.seal(1)
    bench.track.handleUnpromised(record!)
    expect(bench.load).to.include({ spareBytes: 100, exposed: 0 })
    expect(bench.track.giveUp(1)).to.equal(1)
  })

  it('counts as spare only what is queued', () => {
    const bench = new Bench()
    const [record] = bench.seal(1)
    const taken = bench.track.take(0)!
    bench.track.handleElsewhere(record!, 0)
    expect(bench.load).to.include({ spareBytes: 0, exposed: 1 })
    expect(bench.track.giveUp(1)).to.equal(0)
    bench.track.handleFailed(taken.serial, TRANSIENT, 0)
    expect(bench.load.spareBytes).to.equal(100)
    bench.drain()
    expect(bench.load).to.include({ spareBytes: 0, exposed: 0, bytes: 0 })
  })

  it('leaves room in the client: no more than its share of records and bytes', () => {
    const bench = new Bench()
    bench.seal(150)
    expect(bench.take()).to.have.length(100)
    const large = new Bench()
    large.seal(5, 400_000)
    expect(large.take()).to.have.length(3) // the third passes the bound, the fourth waits
  })

  it('does not count what is stuck behind an open circuit against the room of others', () => {
    const bench = new Bench()
    bench.seal(3)
    const taken = bench.take()
    expect(bench.load).to.include({ inClient: 3, inClientBytes: 300 })
    bench.track.handleDeadline(5_000)
    expect(bench.load).to.include({ inClient: 0, inClientBytes: 0 })
    bench.track.handleAcknowledged(taken[0]!.serial, 1, 5_001)
    expect(bench.load).to.include({ inClient: 2, inClientBytes: 200 })
  })

  it('closes a circuit when the only record there was has been refused', () => {
    const bench = new Bench()
    bench.seal(1)
    bench.open(bench.track.take(0)!)
    bench.track.handleDeadline(1_000)
    bench.track.handleFailed(bench.track.take(1_000)!.serial, REFUSED, 1_000)
    bench.track.handleFailed(bench.track.take(1_000)!.serial, REFUSED, 1_000) // the void, too
    expect(bench.track.circuit).to.equal('closed')
    expect(bench.track.deadline()).to.equal(undefined)
  })

  it('does not take a right that is gone for proof that the log lacks what the client may have tried before', () => {
    const bench = new Bench()
    const [denied, refused] = bench.seal(2)
    bench.track.handleFailed(bench.track.take(0)!.serial, { kind: 'denied', reason: 'topic authorization failed' }, 0)
    bench.track.handleFailed(bench.track.take(0)!.serial, REFUSED, 0) // the void of the first
    bench.track.handleFailed(bench.track.take(0)!.serial, REFUSED, 0)
    expect(denied!.copies[0]).to.include({ state: 'refused', perhapsWritten: true })
    expect(refused!.copies[0]).to.include({ state: 'refused', perhapsWritten: false })
  })

  it('takes back what the client had no room for, as never handed over', () => {
    const bench = new Bench()
    const [record] = bench.seal(1)
    bench.track.handleFailed(bench.track.take(0)!.serial, { kind: 'queue-full', reason: 'queue full' }, 0)
    expect(record!.copies[0]).to.include({ state: 'queued', inDoubt: false })
    bench.track.handleNotTaken(bench.track.take(0)!.serial)
    expect(record!.copies[0].perhapsWritten).to.equal(false)
    expect(bench.drain()).to.equal('1')
  })

  describe('with a journal', () => {
    /** What lies on disk, by place, as the journal would give it back. */
    class Disk {
      readonly bench = new Bench()
      readonly entries: SealedRecord[] = []

      /** Puts on disk what the tail asks for, in order. */
      write(): string {
        const records = this.bench.track.takeUnspilled()
        for (const record of records) {
          this.entries.push(record)
          record.place = this.entries.length
          record.journal = 'durable'
          this.bench.track.handleDurable(record)
        }
        return records.map(({ first }) => first).join(' ')
      }

      spill(count: number): SealedRecord[] {
        const records = Array.from({ length: count }, () => sealed(this.bench.sequence, { bytes: 100 }))
        for (const record of records) this.bench.track.handleSealed(record, true)
        return records
      }

      commands(): string[] {
        const said: string[] = []
        const { outbox } = this.bench
        for (let command = outbox.shift(); command !== undefined; command = outbox.shift()) {
          said.push(command.kind === 'load' ? `load ${command.place}` : command.kind)
        }
        return said
      }

      load(count: number): void {
        const { from } = this.bench.track.onDisk
        const entries = this.entries.slice(from - 1, from - 1 + count)
        this.bench.track.handleLoaded(entries, from + entries.length)
      }
    }

    it('lets go of what is behind others when the lane is over its bound, and only when it is on disk', () => {
      const disk = new Disk()
      const { bench } = disk
      bench.seal(1)
      const [two, three] = disk.spill(2)
      expect(disk.commands()).to.deep.equal(['spill', 'spill'])
      expect(bench.load).to.include({ records: 3, bytes: 300, tailBytes: 200 })
      expect(disk.write()).to.equal('2 3')
      expect([two, three].map((record) => record!.copies[0].state)).to.deep.equal(['on-disk', 'on-disk'])
      expect(bench.load).to.include({ records: 1, bytes: 100, tailBytes: 0, onDisk: 2 })
      expect(disk.commands()).to.deep.equal(['left', 'left'])
      expect(bench.track.busy).to.equal(true)
    })

    it('hands over in the order of stamping: what is in memory, what is on disk, what came after that', () => {
      const disk = new Disk()
      const { bench } = disk
      bench.seal(1)
      disk.spill(3)
      disk.write()
      bench.seal(2) // there is room again, but these are behind what is on disk
      disk.commands()
      expect(bench.drain()).to.equal('1')
      expect(disk.commands()).to.include('load 1')
      expect(bench.drain()).to.equal('')
      disk.load(2)
      expect(bench.drain()).to.equal('2 3')
      disk.load(2)
      expect(bench.drain()).to.equal('4 5 6')
      expect(bench.load).to.include({ records: 0, bytes: 0, tailBytes: 0, onDisk: 0 })
      expect(bench.track.busy).to.equal(false)
    })

    it('keeps in memory what the disk did not take, and asks for it again first', () => {
      const disk = new Disk()
      const { bench } = disk
      bench.seal(1)
      disk.spill(2)
      const refused = bench.track.takeUnspilled()
      for (const record of refused) bench.track.handleRefused(record)
      disk.spill(1)
      expect(disk.write()).to.equal('2 3 4')
      expect(bench.load).to.include({ records: 1, onDisk: 3 })
    })

    it('is not held up by a disk that does not answer: with nothing before it, the tail is the queue', () => {
      const disk = new Disk()
      const { bench } = disk
      bench.seal(1)
      disk.spill(2)
      const appending = bench.track.takeUnspilled()
      expect(bench.drain()).to.equal('1 2 3')
      for (const record of appending) {
        record.journal = 'durable'
        bench.track.handleDurable(record)
      }
      expect(bench.load).to.include({ records: 0, onDisk: 0, tailBytes: 0 })
    })

    it('reads on as soon as it may hand over again after a read that failed', () => {
      const disk = new Disk()
      const { bench } = disk
      bench.seal(1)
      disk.spill(1)
      disk.write()
      bench.drain()
      disk.commands()
      bench.track.handleLoadFailed()
      expect(bench.take()).to.deep.equal([])
      expect(disk.commands()).to.deep.equal(['load 1'])
    })

    it('writes what an earlier life left before anything of its own', () => {
      const disk = new Disk()
      const { bench } = disk
      disk.entries.push(...Array.from({ length: 2 }, () => sealed(bench.sequence, { bytes: 100 })))
      for (const record of disk.entries) record.copies[0].state = 'on-disk'
      bench.track.handleFound(1, 3)
      bench.seal(1)
      expect(bench.drain()).to.equal('')
      disk.load(2)
      expect(bench.drain()).to.equal('1 2 3')
    })

    it('counts exposure while a record is in memory, and can give up what was read back', () => {
      const disk = new Disk()
      const { bench } = disk
      bench.seal(1)
      const [two] = disk.spill(1)
      bench.track.handleElsewhere(two!, 5)
      expect(bench.load).to.include({ exposed: 1, exposedBytes: 100, spareBytes: 100 })
      disk.write()
      expect(bench.load).to.include({ exposed: 0, exposedBytes: 0, spareBytes: 0 })
      expect(bench.drain()).to.equal('1')
      disk.load(1)
      expect(bench.load).to.include({ exposed: 1, exposedBytes: 100, spareBytes: 100 })
      expect(bench.track.giveUp(100)).to.equal(1)
      expect(bench.drain()).to.equal('v2')
      expect(bench.load).to.include({ records: 0, bytes: 0, exposed: 0, forgone: 1, onDisk: 0 })
    })

    it('gives up what waits for the disk, too', () => {
      const disk = new Disk()
      const { bench } = disk
      bench.seal(1)
      const [two, three] = disk.spill(2)
      bench.track.handleElsewhere(two!, 5)
      expect(bench.track.giveUp(100)).to.equal(1)
      expect(bench.load).to.include({ records: 2, bytes: 200, tailBytes: 100 })
      expect(disk.write()).to.equal('3')
      expect(three!.copies[0].state).to.equal('on-disk')
      expect(bench.drain()).to.equal('v2 1')
    })
  })
})
