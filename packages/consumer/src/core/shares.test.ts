import { expect } from 'chai'

import { NO_LEASE } from './lease.js'
import { Shares, type Member } from './shares.js'

const L = 10_000
const BOTH = ['east', 'west']

function member(
  beat: number,
  reads: readonly string[] = BOTH,
  topics?: readonly string[],
  holds?: readonly string[],
): Member {
  return { beat, reads, topics, holds, host: 'somewhere' }
}

/** Instance `me` of a group, with partitions 0, 1, 2 … whose topics, `t` if it does not, and holders the test says. */
class Bench {
  readonly shares: Shares
  now = 0
  #beat = 0
  #others: Record<string, readonly string[]> = {}
  #topics: Record<string, string> = {}
  #owners: string[] = []
  readonly #wants = new Map<number, string>()

  constructor(given: number | string, reads: readonly string[] = BOTH) {
    const topics = typeof given === 'number' ? Array<string>(given).fill('t') : given.split(' ')
    const partitions = new Map(topics.map((topic, index) => [String(index), topic]))
    this.shares = new Shares({ instance: 'me', leaseMs: L, clusters: ['east', 'west'], partitions })
    this.shares.handleReads(reads)
  }

  /** The others that are alive, with what they read. */
  others(others: Record<string, readonly string[]>): this {
    this.#others = others
    return this
  }

  /** `x y` : topics of those of the others that do not take just any. */
  ofTopics(topics: Record<string, string>): this {
    this.#topics = topics
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
      const members = Object.entries(this.#others).map(([id, reads]) => {
        return [id, member(this.#beat, reads, this.#topics[id]?.split(' '))] as const
      })
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

  mayTake(freeMs = 0, partition = 0): boolean {
    return this.shares.mayTake(String(partition), freeMs, this.now)
  }
}

/** Instances that know what others say they hold, and what they look at; their commands are carried out at once. */
class Group {
  readonly #readers: Record<string, string>
  readonly #shares = new Map<string, Shares>()
  readonly #topics: readonly string[]
  readonly #owners: string[]
  #now = 0

  /** @param readers topics of each instance. @param topics of partitions 0, 1, 2 … */
  constructor(readers: Record<string, string>, topics: string) {
    this.#readers = readers
    this.#topics = topics.split(' ')
    this.#owners = this.#topics.map(() => '')
    for (const [instance, own] of Object.entries(readers)) {
      const all = this.#topics.map((topic, index) => [String(index), topic] as const)
      const partitions = new Map(all.filter(([, topic]) => own.includes(topic)))
      const shares = new Shares({ instance, leaseMs: L, clusters: ['east', 'west'], partitions })
      shares.handleReads(BOTH)
      this.#shares.set(instance, shares)
    }
  }

  get free(): number {
    return this.#owners.filter((owner) => owner === '').length
  }

  /** How many more one has of what the other reads than the other has in all. */
  ahead(one: string, other: string): number {
    const count = (id: string): number =>
      this.#owners.filter((owner, index) => owner === id && this.#reads(other, index)).length
    return count(one) - count(other)
  }

  /** Lets beats of these pass; returns how many partitions were given by one to another. */
  pass(living: readonly string[], ms: number): number {
    let moved = 0
    for (const until = this.#now + ms; this.#now < until; this.#now += 2_000) {
      const members = living.map((id) => {
        const holds = this.#owners.flatMap((owner, index) => (owner === id ? [String(index)] : []))
        return [id, member(this.#now, BOTH, this.#readers[id]!.split(' '), holds)] as const
      })
      for (const id of living) {
        const shares = this.#shares.get(id)!
        shares.handleMembers(new Map(members), this.#now)
        this.#tell(id)
        for (const [index, owner] of this.#owners.entries()) {
          if (owner !== '' || !this.#reads(id, index) || !shares.mayTake(String(index), 0, this.#now)) continue
          this.#owners[index] = id
          this.#tell(id)
        }
        shares.handleBeat(this.#now)
        for (let command = shares.poll(); command !== undefined; command = shares.poll()) {
          if (command.kind !== 'want') throw new Error(`nobody gives by himself: ${command.kind}`)
          const holder = this.#owners[Number(command.partition)]!
          this.#tell(holder, { [command.partition]: id })
          this.#shares.get(holder)!.handleBeat(this.#now)
          if (this.#shares.get(holder)!.poll()?.kind !== 'give') continue
          this.#owners[Number(command.partition)] = id
          moved++
        }
      }
    }
    return moved
  }

  #tell(id: string, wants: Record<string, string> = {}): void {
    for (const [index, owner] of this.#owners.entries()) {
      const [name, shares] = [String(index), this.#shares.get(id)!]
      if (!this.#reads(id, index) || (owner !== id && !shares.looksAt(name, this.#now))) continue
      shares.handleLease(name, { ...NO_LEASE, owner, token: 1, want: wants[index] ?? '' })
    }
  }

  #reads(id: string, index: number): boolean {
    return this.#readers[id]!.includes(this.#topics[index]!)
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
        expect(bench.shares.mayTake('1', 0, now), `at ${now}`).to.equal(mayTake)
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

    it('is of as many as make an even share, and asked for again only when that was not heard', () => {
      const bench = new Bench(6).others({ you: BOTH }).held('you you you you you you')
      expect(bench.pass()).to.equal('want 5, want 4, want 3')
      expect(bench.pass(3 * L - 2_000)).to.equal('')
      expect(bench.pass(2_000)).to.equal('want 5, want 4, want 3')
      bench.held('you you you you me me')
      expect(bench.pass(3 * L - 2_000)).to.equal('')
      expect(bench.pass(2_000)).to.equal('want 3')
      bench.held('you you you me me me')
      expect(bench.pass(10 * L)).to.equal('')
    })

    it('is of what nobody else has asked for, if there is any', () => {
      const bench = new Bench(4).others({ they: BOTH, you: BOTH }).held('you you you you')
      expect(bench.wanted(3, 'they').wanted(1, 'they').pass()).to.equal('want 2, want 0')
      expect(bench.wanted(2, 'they').wanted(0, 'they').pass()).to.equal('want 3, want 2')
    })

    it('is soon over, and moves nothing twice', () => {
      const ten = 'abcdefghij'.split('')
      const group = new Group(Object.fromEntries(ten.map((id) => [id, 'x'])), Array(100).fill('x').join(' '))
      group.pass(['a'], L)
      expect(group.pass(ten, 4_000)).to.equal(90)
      for (const id of ten) expect(group.ahead(id, 'a')).to.equal(0)
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

    it('gives up again what it could not, as it did not hold it yet', () => {
      const bench = new Bench(3, ['east']).others({ you: BOTH }).held('me you me')
      expect(bench.pass(L + 2_000)).to.equal('outread you, give 0, give 2')
      bench.shares.handleKept('2')
      expect(bench.pass(2_000)).to.equal('give 2')
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

  describe('in a group whose instances read different topics', () => {
    it('are those of all partitions, free ones too, if nobody else reads the topic', () => {
      const bench = new Bench('x x x').others({ you: BOTH, they: BOTH }).ofTopics({ you: 'y', they: 'y z' })
      bench.held('me me .').pass()
      expect(bench.mayTake(0, 2)).to.equal(true)
      bench.ofTopics({ you: 'y', they: 'x y' }).pass()
      expect(bench.mayTake(0, 2)).to.equal(false)
    })

    it('are even shares of what the same instances read', () => {
      const bench = new Bench('x x x x y y').others({ you: BOTH }).ofTopics({ you: 'x' }).held('me me . . me .')
      bench.pass()
      expect([2, 3, 5].map((partition) => bench.mayTake(0, partition))).to.deep.equal([false, false, true])
      expect(bench.mayTake(L, 2)).to.equal(true)
    })

    it('count somebody who does not say of which topics as a reader of each', () => {
      const bench = new Bench('x y').others({ you: BOTH }).held('me .')
      bench.pass()
      expect(bench.mayTake(0, 1)).to.equal(false)
    })

    it('do not depend on what is read by those who read other topics', () => {
      const bench = new Bench('x y', ['east']).others({ you: BOTH }).ofTopics({ you: 'z' }).held('me .')
      expect(bench.pass(3 * L)).to.equal('')
      expect(bench.mayTake(0, 1)).to.equal(true)
      bench.ofTopics({ you: 'y z' }).held('me me')
      expect(bench.pass(3 * L), 'of y alone').to.equal('outread you, give 1')
      expect([0, 1].map((partition) => bench.mayTake(L, partition))).to.deep.equal([true, false])
    })

    it('ask only for what both read', () => {
      const bench = new Bench('x x y y').others({ you: BOTH }).held('you you you you')
      expect(bench.ofTopics({ you: 'x y' }).pass()).to.equal('want 3, want 2')
      const left = new Bench('x x y y').others({ you: BOTH }).held('you you you you')
      expect(left.ofTopics({ you: 'x' }).pass(), 'what one holds that does not say so is being given up').to.equal(
        'want 1',
      )
    })

    it('give only to who reads the topic', () => {
      const bench = new Bench('x x y').others({ you: BOTH }).ofTopics({ you: 'y' }).held('me me me')
      expect(bench.wanted(0, 'you').pass(L)).to.equal('')
      expect(bench.wanted(2, 'you').pass(L)).to.equal('give 2 to you')
    })

    it('come to rest, with all that somebody reads held, and nobody two below another in what both read', () => {
      const readers = { a: 'x', b: 'x y', c: 'y z', d: 'x y z' }
      for (const first of Object.keys(readers)) {
        const group = new Group(readers, 'x x x x x x y y y y y z')
        group.pass([first], L)
        const moved = group.pass(Object.keys(readers), 20 * L)
        expect(group.pass(Object.keys(readers), 20 * L), `after ${moved} moves`).to.equal(0)
        expect(group.free, `${first} was first`).to.equal(0)
        for (const one of Object.keys(readers)) {
          for (const other of Object.keys(readers)) expect(group.ahead(other, one), `${other}, ${one}`).to.be.below(2)
        }
      }
    })
  })

  describe('looking at partitions of others', () => {
    const said = (bench: Bench, beat: number, holds?: readonly string[]): void =>
      bench.shares.handleMembers(new Map([['you', member(beat, BOTH, undefined, holds)]]), bench.now)

    it('is for those of which nobody says that it holds them', () => {
      const bench = new Bench(3)
      expect(bench.shares.looksAt('0', 0), 'nobody is there').to.equal(true)
      said(bench, 1, ['0', '2'])
      expect(['0', '1', '2'].map((name) => bench.shares.looksAt(name, 0))).to.deep.equal([false, true, false])
      said(bench, 2, ['2'])
      expect(['0', '1', '2'].map((name) => bench.shares.looksAt(name, 0))).to.deep.equal([true, true, false])
      said(bench, 3)
      expect(bench.shares.looksAt('2', 0), 'it does not say').to.equal(true)
    })

    it('begins when their holder says nothing new for one beat, and ends when it does', () => {
      const bench = new Bench(1)
      said(bench, 1, ['0'])
      bench.now = 2_000
      said(bench, 2, ['0'])
      for (const [now, looks] of [
        [2_000, false],
        [3_000, false],
        [4_000, true],
      ] as const) {
        bench.now = now
        said(bench, 2, ['0'])
        expect(bench.shares.looksAt('0', now), `at ${now}`).to.equal(looks)
      }
      said(bench, 3, ['0'])
      expect(bench.shares.looksAt('0', bench.now)).to.equal(false)
      bench.shares.handleMembers(new Map(), bench.now)
      expect(bench.shares.looksAt('0', bench.now), 'it has left').to.equal(true)
    })

    it('is for what is moved, too, until it has come to its new holder', () => {
      const asking = new Bench(4)
      said(asking, 1, ['0', '1', '2', '3'])
      asking.shares.handleBeat(0)
      expect(
        [asking.shares.poll(), asking.shares.poll()].map((one) => one && 'partition' in one && one.partition),
      ).to.deep.equal(['3', '2'])
      expect(['1', '2', '3'].map((name) => asking.shares.looksAt(name, 0))).to.deep.equal([false, true, true])
      const giving = new Bench(2).others({ you: BOTH }).held('me me').wanted(1, 'you')
      expect(giving.pass()).to.equal('give 1 to you')
      giving.shares.handleLease('1', NO_LEASE)
      said(giving, 7, [])
      expect(giving.shares.looksAt('1', 0), 'it is on its way').to.equal(true)
      said(giving, 8, ['1'])
      expect(giving.shares.looksAt('1', 0), 'it has come').to.equal(false)
    })

    it('is not needed to know how much others have', () => {
      const bench = new Bench(5)
      said(bench, 1, ['0', '1', '2', '3', '4'])
      expect(bench.shares.mayTake('0', 0, 0)).to.equal(true)
      bench.shares.handleBeat(0)
      expect([bench.shares.poll()?.kind, bench.shares.poll()?.kind, bench.shares.poll()]).to.deep.equal([
        'want',
        'want',
        undefined,
      ])
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
