import { expect } from 'chai'

import { Lease, NO_LEASE, type LeaseCommand, type LeaseOptions, type LeaseRecord, type Moment } from './lease.js'

const L = 10_000
/** 0.98 L − 200 ms. */
const TRUST = 9_600
const BEAT = 2_000

function record(more: Partial<LeaseRecord> = {}): LeaseRecord {
  return { ...NO_LEASE, owner: 'other', token: 5, number: 3, beat: 7, ...more }
}

/** A lease whose clocks agree, unless `wallBy` moves one. */
class Bench {
  readonly lease: Lease
  now = 0
  wallBy = 0
  #last: LeaseCommand | undefined

  /** Of a group that has no commit in either cluster, unless `uncommitted` says that nobody knows. */
  constructor({ uncommitted = true, ...options }: Partial<LeaseOptions> & { readonly uncommitted?: boolean } = {}) {
    this.lease = new Lease({ instance: 'me', leaseMs: L, whenStoreAway: 'pause', ...options })
    if (uncommitted) this.lease.handleUncommitted()
  }

  get at(): Moment {
    return { now: this.now, wall: 1_700_000_000_000 + this.now + this.wallBy }
  }

  get trusted(): boolean {
    return this.lease.notice(this.at)
  }

  pass(ms: number): this {
    this.now += ms
    return this
  }

  /** What it wants, by kind. */
  commands(): string {
    const kinds: string[] = []
    for (let command = this.lease.poll(); command !== undefined; command = this.lease.poll()) {
      kinds.push(command.kind)
      if ('call' in command) this.#last = command
    }
    return kinds.join(' ')
  }

  get last(): LeaseCommand & { readonly call: number } {
    return this.#last as LeaseCommand & { readonly call: number }
  }

  look(seen: LeaseRecord): this {
    this.lease.handleBeat(this.at)
    expect(this.commands()).to.equal('look')
    this.lease.handleSeen(this.last.call, seen, this.now)
    return this
  }

  /** Whether it may be taken now. */
  get free(): boolean {
    return this.lease.freeMs(this.now) !== undefined
  }

  /** Takes what nobody has; the store's answer comes after `answeredAfterMs`. */
  hold(token = 9, answeredAfterMs = 0): this {
    this.look(NO_LEASE)
    this.lease.handleGranted(this.at)
    expect(this.commands()).to.equal('acquire')
    this.pass(answeredAfterMs)
    this.lease.handleAcquired(this.last.call, token, this.at)
    return this
  }

  beat(): this {
    this.lease.handleBeat(this.at)
    return this
  }

  renewed(): this {
    this.lease.handleRenewed(this.last.call, this.at)
    return this
  }
}

describe('lease', () => {
  describe('as a taker', () => {
    it('looks at every beat, one look at a time', () => {
      const bench = new Bench().beat().beat()
      expect(bench.commands()).to.equal('look')
      bench.lease.handleUnanswered(bench.last.call)
      expect(bench.beat().commands()).to.equal('look')
    })

    it('may not take what it has not seen', () => {
      const bench = new Bench()
      expect(bench.free).to.equal(false)
      bench.lease.handleGranted(bench.at)
      expect(bench.commands()).to.equal('')
    })

    it('waits until owner, token, rev and beat have stood still for L, by its own clock', () => {
      const bench = new Bench().look(record())
      for (let ms = 0; ms < L; ms += BEAT) {
        expect(bench.free, `after ${ms}`).to.equal(false)
        bench.pass(BEAT).look(record())
      }
      expect(bench.free).to.equal(true)
      bench.pass(-1)
      expect(bench.free).to.equal(false)
    })

    for (const [what, more] of [
      ['owner', { owner: 'third' }],
      ['token', { token: 6 }],
      ['rev', { number: 4 }],
      ['beat', { beat: 8 }],
    ] as const) {
      it(`begins to wait anew when the ${what} moves`, () => {
        const bench = new Bench().look(record()).pass(L - 1)
        bench.look(record(more)).pass(L - 1)
        expect(bench.free).to.equal(false)
        expect(bench.pass(1).free).to.equal(true)
      })
    }

    it('does not begin anew when somebody asks for it', () => {
      const bench = new Bench().look(record()).pass(L - 1)
      expect(bench.look(record({ want: 'third' })).pass(1).free).to.equal(true)
    })

    it('does not wait for one that was released', () => {
      expect(new Bench().look(record({ owner: '' })).free).to.equal(true)
      expect(new Bench().look(record({ owner: '', keptFor: 'me' })).free).to.equal(true)
    })

    it('leaves one that is kept for another to it, for three beats', () => {
      const bench = new Bench().look(record({ owner: '', keptFor: 'third' })).pass(3 * BEAT - 1)
      expect(bench.free).to.equal(false)
      expect(bench.pass(1).free).to.equal(true)
    })

    it('does not wait where there is no record and it never saw a token', () => {
      expect(new Bench().look(NO_LEASE).free).to.equal(true)
    })

    it('waits for L where there is no record, unless it knows that the group has no commit', () => {
      const bench = new Bench({ uncommitted: false }).look(NO_LEASE)
      expect(bench.pass(L - 1).free).to.equal(false)
      expect(bench.pass(1).free).to.equal(true)
    })

    it('waits for L where there is no record any more', () => {
      const bench = new Bench()
        .look(record())
        .pass(L - 1)
        .look(NO_LEASE)
      expect(bench.pass(L - 1).free).to.equal(false)
      expect(bench.pass(1).free).to.equal(true)
    })

    it('does not wait for its own attempt that was given up and carried out', () => {
      expect(new Bench().look(record({ owner: 'me' })).free).to.equal(true)
    })

    it('takes what it saw, with the greatest token it ever saw', () => {
      const bench = new Bench().look(record({ token: 8 })).look(record({ owner: '', token: 4 }))
      bench.lease.handleGranted(bench.at)
      expect(bench.commands()).to.equal('acquire')
      expect(bench.last).to.deep.include({ seen: record({ owner: '', token: 4 }), greatestSeen: 8 })
    })

    it('goes on watching when another was quicker', () => {
      const bench = new Bench().look(NO_LEASE)
      bench.lease.handleGranted(bench.at)
      bench.commands()
      bench.lease.handleSeen(bench.last.call, record(), bench.now)
      expect([bench.lease.held, bench.lease.owner, bench.free]).to.deep.equal([false, 'other', false])
    })
  })

  describe('as a holder', () => {
    it('trusts for 0.98 L − 200 ms, from just before the acquisition was sent', () => {
      const bench = new Bench().hold(9, 1_500)
      expect(bench.pass(TRUST - 1_500 - 1).trusted).to.equal(true)
      expect(bench.lease.deadline()).to.equal(TRUST)
      expect(bench.pass(1).trusted).to.equal(false)
      expect(bench.commands()).to.equal('lapsed')
      expect(bench.lease.deadline()).to.equal(undefined)
    })

    it('trusts from when the renewal was sent, not from its answer', () => {
      const bench = new Bench().hold().pass(BEAT).beat()
      expect(bench.commands()).to.equal('renew')
      bench.pass(1_900).renewed()
      expect(bench.pass(TRUST - 1_900 - 1).trusted).to.equal(true)
      expect(bench.pass(1).trusted).to.equal(false)
    })

    it('believes nothing that was sent too long ago, though its answer comes only now', () => {
      const bench = new Bench().hold().pass(BEAT).beat()
      bench.commands()
      bench.pass(60_000) // stopped, with the answer in its socket
      bench.renewed()
      expect(bench.trusted).to.equal(false)
      expect(bench.commands()).to.equal('lapsed')
      bench.beat()
      expect(bench.commands()).to.equal('renew')
      bench.renewed()
      expect(bench.trusted).to.equal(true)
      expect(bench.commands()).to.equal('regained')
    })

    it('goes by the clock that shows more', () => {
      const forward = new Bench().hold()
      forward.wallBy = TRUST
      expect(forward.trusted, 'the machine slept, or its clock was set').to.equal(false)
      const back = new Bench().hold()
      back.wallBy = -3_600_000
      expect(back.pass(TRUST - 1).trusted).to.equal(true)
      expect(back.pass(1).trusted, 'a clock that was set back lengthens nothing').to.equal(false)
    })

    it('renews one at a time, each with the next number', () => {
      const bench = new Bench().hold().beat().beat()
      expect(bench.commands()).to.equal('renew')
      expect(bench.last).to.deep.include({ token: 9, beat: 1 })
      bench.lease.handleUnanswered(bench.last.call)
      bench.beat().commands()
      expect(bench.last).to.deep.include({ beat: 2 })
    })

    it('stays lapsed once it has noticed, until a renewal is answered', () => {
      const bench = new Bench().hold()
      bench.wallBy = TRUST
      expect(bench.trusted).to.equal(false)
      bench.wallBy = 0
      expect(bench.trusted).to.equal(false)
    })

    it('is never lapsed where delivery is to go on without the store', () => {
      const bench = new Bench({ whenStoreAway: 'continue' }).hold().pass(3_600_000)
      expect(bench.trusted).to.equal(true)
      expect(bench.lease.deadline()).to.equal(undefined)
      expect(bench.lease.mayRestore(bench.at)).to.equal(false)
    })

    it('is lost when a greater token is there', () => {
      for (const lose of [
        (bench: Bench) => bench.lease.handleSuperseded(),
        (bench: Bench) => {
          bench.beat().commands()
          bench.lease.handleFenced(bench.last.call)
        },
      ]) {
        const bench = new Bench().hold()
        lose(bench)
        expect(bench.commands()).to.equal('lost')
        expect([bench.lease.held, bench.trusted]).to.deep.equal([false, false])
      }
    })

    it('hears nothing from a call of before it was lost', () => {
      const bench = new Bench().hold().beat()
      bench.commands()
      const { call } = bench.last
      bench.lease.handleSuperseded()
      bench.commands()
      bench.beat().commands()
      bench.lease.handleFenced(call)
      bench.lease.handleUnanswered(call)
      expect(bench.beat().commands(), 'the look is still under way').to.equal('')
    })

    it('can be taken by anybody once it was released, but it is looked at first', () => {
      const bench = new Bench().hold()
      bench.lease.handleReleased()
      expect([bench.lease.held, bench.free, bench.lease.owner]).to.deep.equal([false, false, ''])
    })
  })

  describe('where the store knows less', () => {
    function lesser(bench: Bench, found: LeaseRecord): string {
      bench.beat().commands()
      bench.lease.handleLesser(bench.last.call, found, bench.at)
      return bench.commands()
    }

    it('is written anew while it is trusted', () => {
      const bench = new Bench().hold().pass(TRUST - 1)
      expect(lesser(bench, NO_LEASE)).to.equal('restore')
      expect(bench.lease.mayRestore(bench.at)).to.equal(true)
      expect(bench.pass(1).lease.mayRestore(bench.at), 'not without being asked for again').to.equal(false)
    })

    it('is written anew after it lapsed only when that has stood still for L', () => {
      const bench = new Bench().hold().pass(TRUST)
      expect(lesser(bench, NO_LEASE)).to.equal('')
      bench.pass(L - 1)
      expect(lesser(bench, NO_LEASE)).to.equal('')
      bench.pass(1)
      expect(lesser(bench, NO_LEASE)).to.equal('restore')
      expect(bench.lease.mayRestore(bench.at)).to.equal(true)
      expect(bench.beat().commands()).to.equal('renew')
      expect(bench.renewed().commands()).to.equal('regained')
    })

    it('is not written anew by who stood still meanwhile, and did not see that nobody moved', () => {
      const bench = new Bench().hold().pass(TRUST)
      expect(lesser(bench, NO_LEASE)).to.equal('')
      expect(bench.pass(2 * L).lease.mayRestore(bench.at), 'it was not asked since').to.equal(false)
      expect(lesser(bench, NO_LEASE)).to.equal('restore')
      expect(bench.pass(2 * BEAT - 1).lease.mayRestore(bench.at)).to.equal(true)
      expect(bench.pass(1).lease.mayRestore(bench.at), 'that was too long ago').to.equal(false)
    })

    it('is lost after it lapsed when anybody moves there, also under a lower token', () => {
      const bench = new Bench().hold().pass(TRUST)
      expect(lesser(bench, record({ beat: 1 }))).to.equal('')
      bench.pass(BEAT)
      expect(lesser(bench, record({ beat: 2 }))).to.equal('lost')
    })
  })
})
