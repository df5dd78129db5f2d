import type { TandemFact } from '@tandem/common/internal'
import { expect } from 'chai'

import { sealed, sequences, shown } from './given.test.js'
import { Lane, type LaneCommand, type LaneOptions } from './lane.js'
import type { SealedRecord } from './record.js'
import { KnownSequences, type Sequence } from './sequencer.js'

const TRANSIENT = { kind: 'transient', reason: 'message timed out' } as const

/** A lane whose client connects when told; partition p is led by broker `leaders[p]`. */
class Bench {
  readonly lane: Lane
  readonly sequences: Sequence[]
  /** In the client: id by `partition:counter`. */
  readonly client = new Map<string, number>()
  commands: string[] = []
  facts: TandemFact[] = []
  finished: SealedRecord[] = []
  /** Partitions whose circuit opened. */
  away: number[] = []
  readonly voids: string[] = []
  /** Partitions whose journal is asked for. */
  readonly loads: number[] = []

  constructor(leaders: number[] = [1, 2, 3, 4], options: Partial<LaneOptions> = {}) {
    this.sequences = sequences(leaders.length)
    this.lane = new Lane({
      cluster: 'east',
      index: 0,
      circuit: { failuresMax: 2, silenceMsMax: 5_000, probeAfterMs: 1_000, probeAfterMsMax: 8_000 },
      backlogBytesMax: 1_000_000,
      inClientMax: 1_000,
      ...options,
    })
    this.lane.handleLeaders('entries', leaders)
    this.lane.start(0)
    this.run(0)
    this.lane.handleConnected(0)
    this.run(0)
    this.commands = []
    this.facts = []
  }

  seal(partition: number, { bytes = 100, at = 0 } = {}): SealedRecord {
    const record = sealed(this.sequences[partition]!, { bytes, at })
    this.lane.handleSealed(record)
    return record
  }

  run(now: number): this {
    for (let command = this.lane.poll(now); command !== undefined; command = this.lane.poll(now)) this.#execute(command)
    return this
  }

  /** Lets time pass, deadline by deadline. */
  pass(until: number): this {
    for (let due = this.lane.deadline(); due !== undefined && due <= until; due = this.lane.deadline()) {
      this.lane.handleDeadline(due)
      this.run(due)
      expect(this.lane.deadline() ?? Infinity, 'a deadline that was served is over').to.be.above(due)
    }
    return this
  }

  acknowledge(record: string, now: number): this {
    this.#report(record, 7, undefined, now)
    return this
  }

  fail(record: string, now: number): this {
    this.#report(record, -1, TRANSIENT, now)
    return this
  }

  acknowledgeAll(now: number): string {
    const acknowledged: string[] = []
    while (this.client.size > 0) {
      const [record] = this.client.keys()
      acknowledged.push(record!)
      this.acknowledge(record!, now)
    }
    return acknowledged.join(' ')
  }

  kinds(): string[] {
    return this.facts.map(({ kind }) => kind)
  }

  takes(): boolean[] {
    return this.sequences.map((_, partition) => this.lane.takes('entries', partition))
  }

  #report(record: string, offset: number, failure: typeof TRANSIENT | undefined, now: number): void {
    const id = this.client.get(record)!
    this.client.delete(record)
    this.lane.handleReport(id, offset, failure, now)
    this.run(now)
  }

  #execute(command: LaneCommand): void {
    switch (command.kind) {
      case 'produce':
        this.client.set(`${command.write.partition}:${shown(command.write)}`, command.id)
        return
      case 'tell':
        this.facts.push(command.fact)
        return
      case 'acknowledged':
      case 'voided':
        this.finished.push(command.record)
        return
      case 'discard':
        this.client.clear()
        this.commands.push('discard')
        return
      case 'connect':
      case 'describe':
      case 'away':
        this.commands.push(command.kind)
        return
      case 'track-away':
        this.away.push(command.track.partition)
        return
      case 'reach':
        return
      case 'void-answered':
        this.voids.push(`${command.write.first}-${command.write.last} ${command.written}`)
        return
      case 'load':
        this.loads.push(command.partition)
        return
      case 'spill':
      case 'left':
        throw new Error(`there is no journal to ${command.kind}`)
      default:
        throw command satisfies never
    }
  }
}

describe('lane', () => {
  it('voids counters of any life at once, and passes the answer on', () => {
    const bench = new Bench()
    const earlier = new KnownSequences('ledger').of({
      topic: 'entries',
      keyRange: 2,
      partition: 2,
      epoch: 1,
      incarnation: 9,
    })
    bench.lane.void(earlier, 4, 5)
    bench.run(0)
    expect([...bench.client.keys()]).to.deep.equal(['2:v4-5'])
    bench.lane.handleReport(bench.client.get('2:v4-5')!, 17, undefined, 0)
    bench.run(0)
    expect(bench.voids).to.deep.equal(['4-5 true'])
    expect(bench.lane.end('entries', 2)).to.equal(18)
  })

  it('hands over nothing before its client is connected, then what waited', () => {
    const lane = new Lane({
      cluster: 'east',
      index: 0,
      circuit: { failuresMax: 2, silenceMsMax: 5_000, probeAfterMs: 1_000, probeAfterMsMax: 8_000 },
      backlogBytesMax: 1_000_000,
      inClientMax: 10,
    })
    const [sequence] = sequences(1)
    lane.handleSealed(sealed(sequence!))
    lane.start(0)
    expect(lane.poll(0)).to.deep.equal({ kind: 'connect' })
    expect(lane.poll(0)).to.equal(undefined)
    expect(lane.takes('entries', 0)).to.equal(false)
    lane.handleConnected(10)
    expect(lane.poll(10)).to.deep.include({ kind: 'tell' })
    expect(lane.poll(10)).to.deep.equal({ kind: 'reach' })
    expect(lane.poll(10)).to.include({ kind: 'produce' })
    expect(lane.takes('entries', 0)).to.equal(true)
  })

  it('lets tracks take turns, one record each', () => {
    const bench = new Bench()
    for (const partition of [0, 0, 0, 1, 2]) bench.seal(partition)
    bench.run(0)
    expect([...bench.client.keys()]).to.deep.equal(['0:1', '1:1', '2:1', '0:2', '0:3'])
  })

  it('bounds what is in the client', () => {
    const bench = new Bench([1, 2, 3, 4], { inClientMax: 8 })
    for (let i = 0; i < 20; i++) bench.seal(i % 4)
    bench.run(0)
    expect(bench.client.size).to.equal(8)
    bench.acknowledge('2:1', 1)
    expect(bench.client.size).to.equal(8)
    expect([...bench.client.keys()].at(-1)).to.equal('2:3') // a track has a quarter of the room for itself
  })

  it('opens a track without a leader alone: the others go on, nothing flaps (leaderless)', () => {
    const bench = new Bench([1, 1, 2, 2])
    bench.seal(0)
    bench.run(0)
    for (let now = 0; now <= 30_000; now += 500) {
      bench.pass(now)
      for (const partition of [1, 2, 3]) bench.seal(partition, { at: now })
      bench.run(now)
      for (const partition of [1, 2, 3]) {
        const [record] = [...bench.client.keys()].filter((key) => key.startsWith(`${partition}:`))
        bench.acknowledge(record!, now + 1)
      }
    }
    expect(bench.kinds()).to.deep.equal(['circuit-opened'])
    expect(bench.takes()).to.deep.equal([false, true, true, true])
    expect(bench.commands.filter((command) => command !== 'describe')).to.deep.equal([])
    expect(bench.away).to.deep.equal([0])
    expect(bench.commands).to.include('describe') // who leads it now?
  })

  it('does not take a track that is known to have no leader for a sign, though it is all there is', () => {
    const bench = new Bench([1, 1])
    bench.lane.handleLeaders('entries', [-1, 1])
    bench.seal(0)
    bench.run(0).pass(30_000)
    expect(bench.kinds()).to.deep.equal(['circuit-opened'])
    expect(bench.lane.away).to.equal(false)
  })

  it('is away when the tracks of two leaders are open, though others go on', () => {
    const bench = new Bench([1, 2, 3])
    for (const partition of [0, 1]) bench.seal(partition)
    bench.run(0)
    bench.seal(2, { at: 4_990 })
    bench.run(4_990)
    bench.acknowledge('2:1', 4_995).pass(5_000)
    expect(bench.kinds()).to.deep.equal(['circuit-opened', 'circuit-opened', 'lane-away', 'client-discarded'])
    expect(bench.facts[2]).to.include({ reason: 'two-leaders' })
    expect(bench.facts[3]).to.include({ inDoubt: 2 })
    expect(bench.commands).to.deep.equal(['away', 'discard'])
  })

  it('is away when all tracks with work are open and none was acknowledged of late', () => {
    const bench = new Bench([1, 1, 1])
    bench.seal(0)
    bench.seal(1)
    bench.run(0)
    bench.acknowledge('1:1', 10).pass(5_009)
    expect(bench.lane.away).to.equal(false) // track 1 was well a moment ago
    bench.pass(6_500)
    expect(bench.lane.away).to.equal(true)
    expect(bench.facts.find(({ kind }) => kind === 'lane-away')).to.include({ reason: 'all-tracks' })
  })

  it('puts everything back in doubt when it goes away, and writes it by the next client', () => {
    const bench = new Bench([1, 1])
    const records = [bench.seal(0), bench.seal(0), bench.seal(1)]
    bench.run(0).pass(5_000)
    expect(records.every(({ copies }) => copies[0].inDoubt)).to.equal(true)
    expect(bench.takes()).to.deep.equal([false, false])
    bench.pass(6_000)
    expect(bench.commands).to.deep.equal(['away', 'discard', 'connect'])
    bench.lane.handleConnected(6_100)
    bench.run(6_100)
    expect([...bench.client.keys()]).to.deep.equal(['0:1', '1:1']) // one probe each
    expect(bench.lane.away).to.equal(true)
    bench.acknowledge('0:1', 6_200)
    expect(bench.lane.away).to.equal(false)
    expect(bench.kinds().slice(-3)).to.deep.equal(['cluster-connected', 'circuit-closed', 'lane-returned'])
    expect(bench.acknowledgeAll(6_300)).to.equal('1:1 0:2')
    expect(bench.lane.drained).to.equal(true)
    expect(bench.takes()).to.deep.equal([true, true])
  })

  it('probes all tracks at once as soon as one is acknowledged', () => {
    const bench = new Bench([1, 1])
    bench.seal(0)
    bench.seal(1)
    bench.run(0).pass(6_000)
    bench.lane.handleConnected(6_100)
    bench.run(6_100)
    bench.fail('0:1', 6_200) // and would wait two seconds for the next probe
    expect([...bench.client.keys()]).to.deep.equal(['1:1'])
    bench.acknowledge('1:1', 6_300)
    expect([...bench.client.keys()]).to.deep.equal(['0:1'])
  })

  it('is not told anything by a client that it discarded', () => {
    const bench = new Bench([1])
    const record = bench.seal(0)
    bench.run(0)
    const id = bench.client.get('0:1')!
    bench.pass(5_000)
    bench.lane.handleReport(id, 3, undefined, 5_001)
    expect(record.copies[0].state).to.equal('queued')
    expect(bench.lane.away).to.equal(true)
  })

  it('discards the next client too when its probe is stuck, with a longer back-off each time', () => {
    const bench = new Bench([1])
    bench.seal(0)
    bench.run(0).pass(6_000)
    const connectedAt: number[] = []
    for (let round = 0; round < 5; round++) {
      const now = bench.lane.deadline() ?? 0
      connectedAt.push(now)
      bench.commands = []
      bench.lane.handleConnected(now)
      bench.run(now)
      expect(bench.client.size).to.equal(1)
      while (!bench.commands.includes('connect')) bench.pass(bench.lane.deadline()!)
    }
    expect(bench.facts.filter(({ kind }) => kind === 'lane-away')).to.have.length(1)
    expect(bench.facts.filter(({ kind }) => kind === 'client-discarded')).to.have.length(6)
  })

  it('tries to connect again after a back-off that doubles up to a bound, and is away meanwhile', () => {
    const bench = new Bench([1])
    bench.lane.handleFatal('fatal error', 0)
    bench.run(0)
    expect(bench.lane.away).to.equal(false)
    const attempts: number[] = []
    let now = 0
    while (now < 60_000) {
      now = bench.lane.deadline()!
      bench.commands = []
      bench.lane.handleDeadline(now)
      bench.run(now)
      if (!bench.commands.includes('connect')) continue
      attempts.push(now)
      bench.lane.handleConnectFailed('no broker', now)
      bench.run(now)
    }
    expect(attempts.slice(0, 6)).to.deep.equal([1_000, 3_000, 7_000, 15_000, 23_000, 31_000])
    const away = bench.facts.filter(({ kind }) => kind === 'lane-away')
    expect(away).to.have.length(1)
    expect(away[0]).to.include({ reason: 'no-client' })
    bench.lane.handleDeadline(bench.lane.deadline()!)
    bench.lane.handleConnected(70_000)
    bench.run(70_000)
    expect(bench.lane.away).to.equal(false) // a broker has answered, and nothing speaks against it
  })

  it('stays out when the cluster is not what it should be, and looks again', () => {
    const bench = new Bench([1])
    const record = bench.seal(0)
    bench.run(0)
    bench.lane.handleMismatched('4 partitions instead of 6', 10)
    bench.run(10)
    expect(bench.kinds()).to.deep.equal(['cluster-mismatched', 'client-discarded'])
    expect(record.copies[0].state).to.equal('queued')
    expect(bench.takes()).to.deep.equal([false])
    bench.pass(1_010)
    expect(bench.commands).to.deep.equal(['discard', 'connect'])
  })

  it('waits a little when the client has no room, without doubting the cluster', () => {
    const bench = new Bench([1])
    bench.seal(0)
    bench.run(0)
    const full = { kind: 'queue-full', reason: 'queue full' } as const
    bench.lane.handleProduceFailed(bench.client.get('0:1')!, full, 100)
    bench.client.clear()
    bench.run(100)
    expect(bench.client.size).to.equal(0)
    bench.pass(200)
    expect([...bench.client.keys()]).to.deep.equal(['0:1'])
    expect(bench.facts).to.deep.equal([])
  })

  it('discards a client that says it is of no use, and keeps what it had not taken', () => {
    const bench = new Bench([1])
    const record = bench.seal(0)
    bench.run(0)
    bench.lane.handleProduceFailed(bench.client.get('0:1')!, { kind: 'fatal', reason: 'fatal error' }, 1)
    bench.run(1)
    expect(record.copies[0]).to.include({ state: 'queued', inDoubt: false })
    expect(bench.commands).to.deep.equal(['discard'])
  })

  it('discards a client that will not report a record any more, though all others are well', () => {
    const bench = new Bench([1, 2])
    const lost = bench.seal(0)
    bench.run(0)
    for (let second = 1; second < 60; second++) {
      bench.seal(1, { at: second * 1_000 })
      bench.run(second * 1_000).acknowledge(`1:${second}`, second * 1_000)
      bench.pass(second * 1_000 + 999)
    }
    expect(bench.lane.away).to.equal(false)
    expect(bench.commands).not.to.include('discard')
    bench.pass(61_000)
    expect(bench.commands).to.include('discard')
    expect(lost.copies[0]).to.include({ state: 'queued', inDoubt: true })
  })

  it('gives up the oldest that the other cluster has when it holds too much, with an event', () => {
    const bench = new Bench([1, 1], { backlogBytesMax: 10_000 })
    bench.lane.handleMismatched('out', 0)
    bench.run(0)
    const records: SealedRecord[] = []
    for (let i = 0; i < 110; i++) {
      records.push(bench.seal(i % 2))
      bench.lane.handleElsewhere(records[i]!, i)
      bench.run(i)
      expect(bench.lane.load.bytes).to.be.at.most(10_100)
    }
    expect(bench.lane.full).to.equal(false)
    const given = records.filter(({ copies }) => copies[0].state === 'given-up')
    expect(given).to.deep.equal(records.slice(0, given.length)) // the oldest, of both tracks
    const told = bench.facts.filter((fact) => fact.kind === 'record-given-up')
    expect(told.reduce((sum, fact) => sum + fact.count, 0)).to.equal(given.length)
    expect(bench.finished).to.have.length(given.length)
  })

  it('is full, and gives nothing up, when nobody else has what it holds', () => {
    const bench = new Bench([1], { backlogBytesMax: 10_000 })
    bench.lane.handleMismatched('out', 0)
    const records = Array.from({ length: 101 }, () => bench.seal(0))
    bench.run(0)
    expect(bench.lane.full).to.equal(true)
    for (const record of records.slice(0, 50)) bench.lane.handleUnpromised(record) // their sends were rejected
    bench.run(1)
    expect(bench.lane.full).to.equal(false)
    expect(records[0]!.copies[0].state).to.equal('given-up')
    expect(records[60]!.copies[0].state).to.equal('queued')
  })

  it('is not full while it can spare something, and gives that up with the next record', () => {
    const journal = { usable: true }
    const bench = new Bench([1], { backlogBytesMax: 10_000, journal })
    bench.lane.handleMismatched('out', 0)
    bench.run(0)
    for (let i = 0; i < 120; i++) bench.lane.handleElsewhere(bench.seal(0), i)
    expect(bench.lane.load.bytes).to.equal(12_000)
    journal.usable = false // a quarter less may be held from now on
    expect(bench.lane.full).to.equal(false)
    bench.seal(0)
    expect(bench.lane.load.bytes).to.be.at.most(10_000)
  })

  it('is not full for ever by what a client holds that hangs: discarded, that can be spared', () => {
    const bench = new Bench([1], { backlogBytesMax: 10_000 })
    const records = Array.from({ length: 18 }, () => bench.seal(0, { bytes: 600 }))
    bench.run(0)
    expect(records.slice(0, 3).map(({ copies }) => copies[0].state)).to.deep.equal(['in-client', 'in-client', 'queued'])
    for (const record of records.slice(0, 4)) bench.lane.handleElsewhere(record, 1)
    expect(bench.lane.full).to.equal(true)
    bench.pass(5_000)
    expect(bench.lane.away).to.equal(true)
    expect(bench.lane.full).to.equal(false)
  })

  it('reads back no more at a time than it has room for, of however many partitions', () => {
    const bench = new Bench(
      Array.from({ length: 30 }, () => 1),
      { backlogBytesMax: 10_000, journal: { usable: true } },
    )
    for (let partition = 0; partition < 30; partition++) {
      bench.lane.handleFound({ topic: 'entries', partition, from: 1, to: 2 })
    }
    bench.run(0)
    // A sixteenth each, of the bound and a quarter more.
    expect(bench.loads).to.have.length(20)
    bench.lane.handleLoaded('entries', bench.loads[0]!, [], 2)
    bench.lane.handleLoadFailed('entries', bench.loads[1]!, 1)
    bench.pass(100)
    expect(bench.loads.slice(20)).to.have.length(2)
  })

  it('counts what only the other cluster has', () => {
    const bench = new Bench([1])
    const record = bench.seal(0)
    bench.run(0)
    bench.lane.handleElsewhere(record, 1)
    expect(bench.lane.load.exposed).to.equal(1)
    bench.acknowledge('0:1', 2)
    expect(bench.lane.load.exposed).to.equal(0)
  })

  it('asks for the leaders now and then', () => {
    const bench = new Bench([1])
    bench.pass(60_000)
    expect(bench.commands).to.deep.equal(['describe'])
  })

  it('lets go of its client when it is closed, and wants nothing more', () => {
    const bench = new Bench([1])
    bench.seal(0)
    bench.run(0)
    bench.lane.close()
    bench.run(1)
    expect(bench.commands).to.deep.equal(['discard'])
    expect(bench.lane.deadline()).to.equal(undefined)
  })
})
