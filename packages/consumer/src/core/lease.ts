/**
 * The right of one instance to deliver one partition: as it is watched by who might take it, and as it is held.
 *
 * A holder trusts its lease for a little less than its length, from just before it sent the last renewal that was
 * answered. So whatever its answers have waited for (a stopped process, a slow socket), it stops before anybody else
 * may begin. The clock is read for each delivery, and what has passed is the greater of what the monotonic and the wall
 * clock show: the one stands still while a machine sleeps, the other one may be set.
 *
 * A taker goes by its own clock alone, and by what it saw: a record that stood still for a whole length belongs to
 * nobody who still trusts it. It may sleep in between, since `acquire` compares what is stored with what was seen.
 *
 * A lease that was not renewed in time has lapsed: nothing is delivered, and all is kept, for mostly it is the store that
 * was away, and the next renewal finds it unchanged. A holder that lapsed and then finds less in the store than it had
 * stored is a taker with a memory: only when that has stood still for a whole length does it write over it.
 * Source: position.md, Leases.
 */
export interface Moment {
  /** Monotonic, ms. */
  readonly now: number
  /** Of the machine's clock, ms. */
  readonly wall: number
}

/** What a store has of a lease. */
export interface LeaseRecord {
  /** Id of the instance that holds it; empty if nobody does. */
  readonly owner: string
  /** 0 if there is no record. */
  readonly token: number
  /** Number of the last flush. */
  readonly number: number
  /** Number of the last renewal. */
  readonly beat: number
  /** Who asks for it; empty if nobody does. */
  readonly want: string
  /** For whom it was released; empty if for anybody. */
  readonly keptFor: string
}

/** What there is of a partition that was never held. */
export const NO_LEASE: LeaseRecord = { owner: '', token: 0, number: 0, beat: 0, want: '', keptFor: '' }

/** Whether nobody did anything in between. That somebody asks for it is nothing that its holder does. */
export function isSameLease(a: LeaseRecord, b: LeaseRecord): boolean {
  return a.owner === b.owner && a.token === b.token && a.number === b.number && a.beat === b.beat
}

export interface LeaseOptions {
  /** Id of this instance. */
  readonly instance: string
  readonly leaseMs: number
  readonly whenStoreAway: 'pause' | 'continue'
}

/** Those that have a `call` are answered by it; an answer to another call than the last one says nothing any more. */
export type LeaseCommand =
  | { readonly kind: 'look'; readonly call: number }
  | { readonly kind: 'acquire'; readonly call: number; readonly seen: LeaseRecord; readonly greatestSeen: number }
  | { readonly kind: 'renew'; readonly call: number; readonly token: number; readonly beat: number }
  /** It was not renewed in time: nothing may begin. */
  | { readonly kind: 'lapsed' }
  | { readonly kind: 'regained' }
  /** The store has less than it had: it is to be given the whole position. */
  | { readonly kind: 'restore' }
  | { readonly kind: 'lost'; readonly reason: string }

type State =
  | { readonly kind: 'watched'; readonly seen: LeaseRecord | undefined; readonly sinceMs: number }
  | {
      readonly kind: 'held'
      readonly token: number
      beat: number
      /** Just before the last renewal was sent that was answered. */
      proven: Moment
      lapsed: boolean
      /** What it found, after it had lapsed, that is less than it knows: since when, and just before it was asked last. */
      lesser: { readonly record: LeaseRecord; readonly sinceMs: number; readonly asked: Moment } | undefined
    }

export class Lease {
  readonly #options: LeaseOptions
  readonly #trustMs: number
  #state: State = { kind: 'watched', seen: undefined, sinceMs: 0 }
  #greatestSeen = 0
  /** Neither cluster has a commit of the group. */
  #uncommitted = false
  #calls = 0
  /** The call that is not answered yet, and when it was sent: one at a time. */
  #open: { readonly call: number; readonly sent: Moment } | undefined
  #commands: LeaseCommand[] = []

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#trustMs = options.leaseMs * (1 - DRIFT) - GUARD_MS
  }

  // --- events ---------------------------------------------------------------------------------------------------

  /** It is time for a sign of life, or for a look at whose it is. */
  handleBeat(at: Moment): void {
    this.notice(at)
    const state = this.#state
    if (this.#open !== undefined) return
    const call = this.#begin(at)
    if (state.kind === 'watched') this.#commands.push({ kind: 'look', call })
    else this.#commands.push({ kind: 'renew', call, token: state.token, beat: ++state.beat })
  }

  /** It is to be taken, if it may be. */
  handleGranted(at: Moment): void {
    const state = this.#state
    if (state.kind !== 'watched' || this.#open !== undefined || this.freeMs(at.now) === undefined) return
    const call = this.#begin(at)
    this.#commands.push({ kind: 'acquire', call, seen: state.seen!, greatestSeen: this.#greatestSeen })
  }

  /** Answer to a look, or to an attempt to take what is not as it was seen. */
  handleSeen(call: number, record: LeaseRecord, now: number): void {
    if (this.#end(call) === undefined || this.#state.kind !== 'watched') return
    this.#greatestSeen = Math.max(this.#greatestSeen, record.token)
    const { seen, sinceMs } = this.#state
    const same = seen !== undefined && isSameLease(seen, record)
    this.#state = { kind: 'watched', seen: record, sinceMs: same ? sinceMs : now }
  }

  /** It was taken. */
  handleAcquired(call: number, token: number, at: Moment): void {
    const sent = this.#end(call)
    if (sent === undefined) return
    this.#greatestSeen = Math.max(this.#greatestSeen, token)
    this.#state = { kind: 'held', token, beat: 0, proven: sent, lapsed: false, lesser: undefined }
    this.notice(at)
  }

  handleRenewed(call: number, at: Moment): void {
    const sent = this.#end(call)
    const state = this.#state
    if (sent === undefined || state.kind !== 'held') return
    state.proven = sent
    state.lesser = undefined
    if (!state.lapsed || !this.#isTrusted(state, at)) return
    state.lapsed = false
    this.#commands.push({ kind: 'regained' })
  }

  /** Answer to a renewal: the store has no record, or one with a lower token. */
  handleLesser(call: number, record: LeaseRecord, at: Moment): void {
    const sent = this.#end(call)
    const state = this.#state
    if (sent === undefined || state.kind !== 'held') return
    const { lesser } = state
    if (this.#isGood(state, at)) state.lesser = undefined
    else if (lesser === undefined) state.lesser = { record, sinceMs: at.now, asked: sent }
    else if (!isSameLease(lesser.record, record)) return this.#lose('it lapsed, and another holder has begun')
    else state.lesser = { ...lesser, asked: sent }
    if (this.mayRestore(at)) this.#commands.push({ kind: 'restore' })
  }

  /** Answer to a renewal: a greater token is there, or another owner. */
  handleFenced(call: number): void {
    if (this.#end(call) !== undefined) this.handleSuperseded()
  }

  /** The same, told by the answer to a flush. */
  handleSuperseded(): void {
    if (this.#state.kind === 'held') this.#lose('another holder has a greater token')
  }

  handleUnanswered(call: number): void {
    this.#end(call)
  }

  /** It was given up. */
  handleReleased(): void {
    this.#watch()
  }

  poll(): LeaseCommand | undefined {
    return this.#commands.shift()
  }

  /** Neither cluster has a commit of the group here: without a record nobody has it. */
  handleUncommitted(): void {
    this.#uncommitted = true
  }

  // --- looking --------------------------------------------------------------------------------------------------

  get held(): boolean {
    return this.#state.kind === 'held'
  }

  /** Its token while it is held and was renewed in time; else 0. */
  goodToken(at: Moment): number {
    const state = this.#state
    return state.kind === 'held' && !state.lapsed && this.#isGood(state, at) ? state.token : 0
  }

  /** Whose it is, as far as is known; empty for nobody. */
  get owner(): string {
    const state = this.#state
    return state.kind === 'held' ? this.#options.instance : (state.seen?.owner ?? '')
  }

  /** What was seen last of a lease that is not held. */
  get seen(): LeaseRecord | undefined {
    return this.#state.kind === 'watched' ? this.#state.seen : undefined
  }

  /** For how long this instance might have taken it; undefined if it may not. */
  freeMs(now: number): number | undefined {
    const state = this.#state
    if (state.kind === 'held' || state.seen === undefined) return undefined
    const forMs = now - state.sinceMs - this.#waitMs(state.seen)
    return forMs >= 0 ? forMs : undefined
  }

  /** Whether a delivery may begin: looks at the clock, and notes if it has lapsed. */
  notice(at: Moment): boolean {
    const state = this.#state
    if (state.kind !== 'held' || state.lapsed) return false
    if (this.#isTrusted(state, at)) return true
    state.lapsed = true
    this.#commands.push({ kind: 'lapsed' })
    return false
  }

  /** Whether the whole position may be written over a record that knows less, or over none. */
  mayRestore(at: Moment): boolean {
    const state = this.#state
    if (state.kind !== 'held') return false
    if (this.#isGood(state, at)) return true
    const { leaseMs } = this.#options
    const { lesser } = state
    // What stood still is known as far as it was asked for: a process that stood still itself knows nothing of that time.
    return (
      lesser !== undefined &&
      lesser.asked.now - lesser.sinceMs >= leaseMs &&
      elapsedMs(lesser.asked, at) < ASKED_BEATS * beatMs(leaseMs)
    )
  }

  /** When it lapses if nothing comes; undefined if it does not. */
  deadline(): number | undefined {
    const state = this.#state
    if (state.kind !== 'held' || state.lapsed || this.#options.whenStoreAway === 'continue') return undefined
    return state.proven.now + this.#trustMs
  }

  // --- rules ----------------------------------------------------------------------------------------------------

  /** How long a record is to have stood still before it may be taken. */
  #waitMs({ owner, token, keptFor }: LeaseRecord): number {
    const { instance, leaseMs } = this.#options
    if (token === 0) return this.#uncommitted && this.#greatestSeen === 0 ? 0 : leaseMs
    if (owner === instance) return 0 // an attempt of ours that was given up, and carried out
    if (owner !== '') return leaseMs
    return keptFor === '' || keptFor === instance ? 0 : KEPT_BEATS * beatMs(leaseMs)
  }

  #isTrusted(held: { readonly proven: Moment }, at: Moment): boolean {
    return this.#options.whenStoreAway === 'continue' || this.#isGood(held, at)
  }

  #isGood({ proven }: { readonly proven: Moment }, { now, wall }: Moment): boolean {
    return elapsedMs(proven, { now, wall }) < this.#trustMs
  }

  #lose(reason: string): void {
    this.#watch()
    this.#commands.push({ kind: 'lost', reason })
  }

  #watch(): void {
    this.#open = undefined
    this.#state = { kind: 'watched', seen: undefined, sinceMs: 0 }
  }

  #begin(sent: Moment): number {
    const call = ++this.#calls
    this.#open = { call, sent }
    return call
  }

  /** When it was sent; undefined if it is not the one that is waited for. */
  #end(call: number): Moment | undefined {
    if (this.#open?.call !== call) return undefined
    const { sent } = this.#open
    this.#open = undefined
    return sent
  }
}

/** By whichever clock has gone further. */
function elapsedMs(from: Moment, { now, wall }: Moment): number {
  return Math.max(now - from.now, wall - from.wall)
}

/** Between two signs of life: four of them may go unanswered. */
export function beatMs(leaseMs: number): number {
  return leaseMs / BEATS
}

/** position.md, Leases: 0.98 L − 200 ms. What clocks of two machines may differ by in pace … */
const DRIFT = 0.02
/** … and what may lie between a look at the clock and what follows from it. */
const GUARD_MS = 200
const BEATS = 5
/** One that is not answered does not count. */
const ASKED_BEATS = 2
/** A lease that is released to somebody is kept for so long. */
const KEPT_BEATS = 3
