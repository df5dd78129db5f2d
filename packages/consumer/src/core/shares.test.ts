import { expect } from 'chai'

import { NO_LEASE } from './lease.js'
import { Shares, type Member } from './shares.js'

const L = 10_000
const BOTH = ['east', 'west']

function member(beat: number, reads: readonly string[] = BOTH): Member {
  return { beat, reads, host: 'somewhere' }
}

/** Instance `me` of a group, with partitions 0, 1, 2 … whose holders the test says. */
class Bench {
  readonly shares: Shares
  now = 0
  #beat = 0
  #others: Record<string, readonly string[]> = {}
  #owners: string[] = []
  readonly #wants = new Map<number, string>()

  constructor(partitions: number, reads: readonly string[] = BOTH) {
    const names = Array.from({ length: partitions }, (_, index) => String(index))
    this.shares = new Shares({ instance: 'me', leaseMs: L, clusters: ['east', 'west'], partitions: names })
    this.shares.handleReads(reads)
  }

  /** The others that are alive, with what they read. */
  others(others: Record<string, readonly string[]>): this {
    this.#others = others
    return this
  }

  /** `me me you .` : who holds partition 0, 1, 2 …; a dot for nobody. */
  held(owners: string): this {
    this.#owners = owners.split(' ').map((owner) => (owner === '.' ? '' : owner))
    return this
  }

  wanted(partition: number, by: string): this {
    this.#wants.set(partition, by)
    return this
  }

  /** Lets beats pass up to `ms` from now; returns what is wanted. */
  pass(ms = 0): string {
    const told: string[] = []
    for (const until = this.now + ms; ; this.now += 2_000) {
      this.#beat++
      const members = Object.entries(this.#others).map(([id, reads]) => [id, member(this.#beat, reads)] as const)
      this.shares.handleMembers(new Map(members), this.now)
      this.#owners.forEach((owner, index) => {
        const want = this.#wants.get(index) ?? ''
        this.shares.handleLease(String(index), { ...NO_LEASE, owner, token: owner === '' ? 0 : 1, want })
      })
      this.shares.handleBeat(this.now)
      for (let command = this.shares.poll(); command !== undefined; command = this.shares.poll()) {
        const { kind } = command
        if (kind === 'want') told.push(`want ${command.partition}`)
        else if (kind === 'give') told.push(`give ${command.partition}${command.to === '' ? '' : ` to ${command.to}`}`)
        else told.push(`${kind} ${command.by}`)
      }
      if (this.now + 2_000 > until) return told.join(', ')
    }
  }

  mayTake(freeMs = 0): boolean {
    return this.shares.mayTake(freeMs, this.now)
  }
}

describe('shares', () => {
  describe('what is free', () => {
    it('is taken, all of it, by one that is alone', () => {
      const bench = new Bench(3).held('. . .')
      bench.pass()
      for (const owners of ['me . .', 'me me .']) {
        expect(bench.mayTake()).to.equal(true)
        bench.held(owners).pass()
      }
      expect(bench.mayTake()).to.equal(true)
    })

    it('is taken up to an even share, and beyond it only if it stays free for a lease', () => {
      const bench = new Bench(3).others({ you: BOTH }).held('me me .')
      bench.pass()
      expect(bench.mayTake()).to.equal(false)
      expect(bench.mayTake(L - 1)).to.equal(false)
      expect(bench.mayTake(L)).to.equal(true)
      bench.held('me . .').pass()
      expect(bench.mayTake()).to.equal(true)
    })

    it('is not taken by one that reads nothing, nor by one that reads less than another', () => {
      const blind = new Bench(2, []).held('. .')
      blind.pass()
      expect(blind.mayTake(L)).to.equal(false)
      const half = new Bench(2, ['east']).others({ you: BOTH }).held('. .')
      half.pass()
      expect(half.mayTake(L)).to.equal(false)
      half.others({ you: ['west'] }).pass()
      expect(half.mayTake()).to.equal(true)
    })

    it('is shared with the living alone: who stood still for a lease is none', () => {
      const bench = new Bench(2).held('me .')
      bench.shares.handleMembers(new Map([['you', member(1)]]), 0)
      bench.shares.handleLease('0', { ...NO_LEASE, owner: 'me', token: 1 })
      bench.shares.handleLease('1', NO_LEASE)
      for (const [now, mayTake] of [
        [0, false],
        [L - 1, false],
        [L, true],
      ] as const) {
        bench.shares.handleMembers(new Map([['you', member(1)]]), now)
        expect(bench.shares.mayTake(0, now), `at ${now}`).to.equal(mayTake)
      }
      expect(bench.shares.gone(10 * L - 1)).to.deep.equal([])
      expect(bench.shares.gone(10 * L)).to.deep.equal(['you'])
    })
  })

  describe('stealing', () => {
    it('is only from one with at least two more', () => {
      expect(new Bench(3).others({ you: BOTH }).held('you me you').pass(L)).to.equal('')
      expect(new Bench(2).others({ you: BOTH }).held('you you').pass()).to.equal('want 1')
    })

    it('is from the one that has the most', () => {
      const bench = new Bench(5).others({ you: BOTH, they: BOTH }).held('you you they they they')
      expect(bench.pass()).to.equal('want 4')
    })

    it('is of one at a time, and asked for again only when that was not heard', () => {
      const bench = new Bench(4).others({ you: BOTH }).held('you you you you')
      expect(bench.pass()).to.equal('want 3')
      expect(bench.pass(3 * L - 2_000)).to.equal('')
      expect(bench.pass(2_000)).to.equal('want 3')
      bench.held('you you you me')
      expect(bench.pass()).to.equal('want 2')
      bench.held('you you me me')
      expect(bench.pass(10 * L)).to.equal('')
    })

    it('is not from the dead, whose leases end by themselves', () => {
      const bench = new Bench(2).held('you you')
      bench.shares.handleMembers(new Map(), 0)
      expect(bench.pass(L)).to.equal('')
    })

    it('is not for one that reads nothing', () => {
      expect(
        new Bench(3, [])
          .others({ you: [] })
          .held('you you you')
          .pass(10 * L),
      ).to.equal('')
    })
  })

  describe('giving', () => {
    it('is to an asker that has at least two fewer, once', () => {
      const bench = new Bench(3).others({ you: BOTH }).held('me me me').wanted(1, 'you')
      expect(bench.pass(L)).to.equal('give 1 to you')
    })

    it('is not to one whose mark is older than what it has by now', () => {
      expect(new Bench(3).others({ you: BOTH }).held('me me you').wanted(1, 'you').pass(L)).to.equal('')
    })

    it('is not to one that is dead, or reads less', () => {
      expect(new Bench(3).held('me me me').wanted(1, 'you').pass(L)).to.equal('')
      expect(
        new Bench(3)
          .others({ you: ['east'] })
          .held('me me me')
          .wanted(1, 'you')
          .pass(L),
      ).to.equal('')
    })

    it('counts what it gives up already', () => {
      const bench = new Bench(3).others({ you: BOTH, they: BOTH }).held('me me me').wanted(0, 'you').wanted(1, 'they')
      expect(bench.pass(L)).to.equal('give 0 to you, give 1 to they')
      const two = new Bench(2).others({ you: BOTH, they: BOTH }).held('me me').wanted(0, 'you').wanted(1, 'they')
      expect(two.pass(L)).to.equal('give 0 to you')
    })
  })

  describe('who reads less than others', () => {
    it('gives up all it has, when that has lasted for a lease, and says who reads more', () => {
      const bench = new Bench(3, ['east']).others({ you: BOTH }).held('me you me')
      expect(bench.pass(L - 2_000)).to.equal('')
      expect(bench.pass(4_000)).to.equal('outread you, give 0, give 2')
      expect(bench.pass(L)).to.equal('')
    })

    it('keeps it if the other one turns out to read no more', () => {
      const bench = new Bench(3, ['east']).others({ you: BOTH }).held('me you me')
      bench.pass(L - 2_000)
      bench.others({ you: ['east'] })
      expect(bench.pass(3 * L)).to.equal('')
    })

    it('keeps what it has if nobody reads anything', () => {
      expect(
        new Bench(2, [])
          .others({ you: [] })
          .held('me you')
          .pass(3 * L),
      ).to.equal('')
    })
  })

  it('names who could read what is owed here, if nobody reads both', () => {
    const bench = new Bench(2, ['east']).others({ you: ['west'] }).held('me you')
    expect(bench.pass(L - 2_000)).to.equal('')
    expect(bench.pass(3 * L)).to.equal('unread you')
    bench.shares.handleReads(BOTH)
    bench.others({ you: BOTH })
    expect(bench.pass(3 * L)).to.equal('')
  })
})
