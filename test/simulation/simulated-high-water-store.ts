import { HighWaterStoreFailedError, type Clock } from '@tandem/common/internal'
import { type Acquired, type Claim, type HighWaterStore, type PartitionOfGroup, type Release } from '@tandem/consumer'

import { Bundle } from './bundle.js'
import { BookingStore, type BookAnswer, type Booking } from './booking-store.js'
import type { Booked } from './checkers/history.js'
import type { Prng } from './prng.js'
import type { Channel, SimulatedProcess } from './simulated-process.js'
import type { Timeline } from './timeline.js'

/**
 * The Redis of the world, or its PostgreSQL: one store behind a network, with a memory that can be lost.
 *
 * Each process has a connection. A call that is not answered in time is given up by its process, but may still be
 * carried out: ioredis sends what it queued when the server is back, and a connection that broke may have left a
 * call in the server's socket. Losing the last seconds means that only what was carried out before is replayed.
 */
export interface StoreOptions {
  readonly timeline: Timeline
  readonly prng: Prng
  readonly latencyMs: readonly [low: number, high: number]
  readonly wallMs: number
  /** Calls that a process makes in one moment travel together, and so do their answers. */
  readonly bundled: boolean
}

/** How calls of one process get to the store and back, and when they are given up. */
interface Way {
  out(delayMs: number, task: () => void): void
  back(task: () => void): void
  /** @returns what takes it back. */
  timeOut(task: () => void): () => void
}

interface Executed {
  readonly atMs: number
  readonly wallMs: number
  readonly execute: (store: BookingStore) => Promise<unknown>
}

/** A lease that was given: what is true of who may deliver what. */
export interface Taking extends PartitionOfGroup {
  readonly fence: number
  readonly atMs: number
  /** When it was given up, if it was. */
  releasedAtMs: number | undefined
}

export class SimulatedHighWaterStore {
  readonly #timeline: Timeline
  readonly #prng: Prng
  readonly #latencyMs: readonly [number, number]
  readonly #bundled: boolean
  readonly #clock: Clock
  #wallOffsetMs: number
  #replayedWallMs: number | undefined
  #store: BookingStore
  #executed: Executed[] = []
  #away = false
  readonly #cutOff = new Set<SimulatedProcess>()
  /** Sent while it was away; carried out when it is back, in order. */
  #queued: { readonly process: SimulatedProcess; readonly carryOut: () => void }[] = []
  #delayNextMs = 0
  /** Every lease that was given, in order. */
  readonly takings: Taking[] = []
  /** The same by partition. */
  readonly #takingsOf = new Map<string, Taking[]>()
  /** Calls that were carried out, by name. */
  readonly calls = { look: 0, acquire: 0, flush: 0, renew: 0, want: 0, release: 0, meet: 0, book: 0 }

  constructor(options: StoreOptions) {
    this.#timeline = options.timeline
    this.#prng = options.prng
    this.#latencyMs = options.latencyMs
    this.#bundled = options.bundled
    this.#wallOffsetMs = options.wallMs
    this.#clock = {
      now: () => this.#timeline.now,
      wall: () => this.#replayedWallMs ?? this.#wall(),
      schedule: () => {
        throw new Error('a store needs no timer')
      },
    }
    this.#store = new BookingStore(this.#clock)
  }

  /** What has been booked, in order. */
  get effects(): readonly Booked[] {
    return this.#store.effects
  }

  // --- faults ---------------------------------------------------------------------------------------------------

  /** Answers nobody. */
  goAway(): void {
    this.#away = true
  }

  comeBack(): void {
    this.#away = false
    const queued = this.#queued
    this.#queued = []
    for (const { process, carryOut } of queued) {
      // What lies in the server's sockets of connections that are gone is read whenever, or never.
      const orphaned = process.state === 'dead'
      if (orphaned && this.#prng.chance(50)) continue
      if (this.#prng.chance(orphaned ? 50 : 20)) this.#timeline.after(this.#prng.below(LATE_MS), carryOut)
      else carryOut()
    }
  }

  /** One process cannot reach it; the others can. */
  cutOff(process: SimulatedProcess): void {
    this.#cutOff.add(process)
  }

  reconnect(process: SimulatedProcess): void {
    this.#cutOff.delete(process)
  }

  /** Forgets everything. */
  empty(): void {
    this.#store = new BookingStore(this.#clock)
    this.#executed = []
  }

  /** Forgets what was written in the last `ms`: a failover to a replica that was behind. */
  rollBack(ms: number): void {
    const until = this.#timeline.now - ms
    this.#executed = this.#executed.filter(({ atMs }) => atMs <= until)
    this.#store = new BookingStore(this.#clock)
    for (const { wallMs, execute } of this.#executed) {
      this.#replayedWallMs = wallMs
      void execute(this.#store)
    }
    this.#replayedWallMs = undefined
  }

  /** The next call takes `ms` to get there; later ones overtake it. */
  delayNext(ms: number): void {
    this.#delayNextMs = ms
  }

  moveClock(ms: number): void {
    this.#wallOffsetMs += ms
  }

  // --- calls ----------------------------------------------------------------------------------------------------

  /** The store as one process sees it. */
  connection(process: SimulatedProcess, options: { readonly timeoutMs?: number } = {}): HighWaterStore {
    const channel: Channel = { name: 'store' }
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    const way = this.#bundled ? this.#bundledWay(process, timeoutMs) : this.#way(process, timeoutMs)
    const call = <T>(name: keyof typeof this.calls, execute: (store: BookingStore) => Promise<T>): Promise<T> =>
      this.#call({ name, process, channel, timeoutMs, way }, execute)
    return {
      name: 'simulated',
      look: (...all) => call('look', (store) => store.look(...all)),
      acquire: (id, claim) => call('acquire', (store) => this.#acquire(store, id, claim)),
      flush: (...all) => call('flush', (store) => store.flush(...all)),
      renew: (...all) => call('renew', (store) => store.renew(...all)),
      want: (...all) => call('want', (store) => store.want(...all)),
      release: (id, release) => call('release', (store) => this.#release(store, id, release)),
      meet: (...all) => call('meet', (store) => store.meet(...all)),
    }
  }

  /** How a service of a process books in the same database. */
  booker(process: SimulatedProcess): (booking: Booking, text: string) => Promise<BookAnswer> {
    const channel: Channel = { name: 'bookings' }
    const way = this.#way(process, TIMEOUT_MS)
    return (booking, text) =>
      this.#call({ name: 'book', process, channel, timeoutMs: TIMEOUT_MS, way }, (store) => {
        return store.book(booking, text, this.#timeline.now)
      })
  }

  /** What is replayed after a fall back was noted already. */
  async #acquire(store: HighWaterStore, id: PartitionOfGroup, claim: Claim): Promise<Acquired> {
    const atMs = this.#timeline.now
    const acquired = await store.acquire(id, claim)
    if (acquired.kind === 'acquired') {
      const fence = acquired.holding.token
      if (this.#taking(id, fence) === undefined) {
        const taking = { ...id, fence, atMs, releasedAtMs: undefined }
        this.takings.push(taking)
        this.#takingsOf.set(nameOf(id), [...(this.#takingsOf.get(nameOf(id)) ?? []), taking])
      }
    }
    return acquired
  }

  #release(store: HighWaterStore, id: PartitionOfGroup, release: Release): Promise<void> {
    const taking = this.#taking(id, release.token)
    if (taking !== undefined) taking.releasedAtMs ??= this.#timeline.now
    return store.release(id, release)
  }

  #taking(id: PartitionOfGroup, fence: number): Taking | undefined {
    return this.#takingsOf.get(nameOf(id))?.find((one) => one.fence === fence)
  }

  #call<T>(
    from: {
      name: keyof SimulatedHighWaterStore['calls']
      process: SimulatedProcess
      channel: Channel
      timeoutMs: number
      way: Way
    },
    execute: (store: BookingStore) => Promise<T>,
  ): Promise<T> {
    const { name, process, channel, timeoutMs, way } = from
    return new Promise<T>((resolve, reject) => {
      const give = (task: () => void): void => {
        process.deliver(channel, () => {
          cancelTimeout()
          task()
        })
      }
      let givenUp = false
      const cancelTimeout = way.timeOut(() => {
        givenUp = true
        reject(new HighWaterStoreFailedError(`The store did not ${name}: no answer within ${timeoutMs} ms`))
      })
      const carryOut = (): void => {
        if (this.#cutOff.has(process)) return
        // Of a transaction that is given up before its first step was answered, nothing is ever committed.
        if (name === 'book' && (givenUp || process.state === 'dead')) return
        this.calls[name]++
        // Who only looks changes nothing that is to be done again.
        if (name !== 'look') this.#executed.push({ atMs: this.#timeline.now, wallMs: this.#wall(), execute })
        const answer = execute(this.#store)
        way.back(() => {
          answer.then(
            (value) => give(() => resolve(value)),
            (error: unknown) => give(() => reject(error)),
          )
        })
      }
      const delayMs = this.#delayNextMs
      this.#delayNextMs = 0
      way.out(delayMs, () => {
        if (this.#away) this.#queued.push({ process, carryOut })
        else carryOut()
      })
    })
  }

  #way({ clock }: SimulatedProcess, timeoutMs: number): Way {
    return {
      out: (delayMs, task) => void this.#timeline.after(this.#travelMs() + delayMs, task),
      back: (task) => void this.#timeline.after(this.#travelMs(), task),
      timeOut: (task) => clock.schedule(this.#timeline.now + timeoutMs, task),
    }
  }

  /** Nothing of it is delayed by itself. */
  #bundledWay({ clock }: SimulatedProcess, timeoutMs: number): Way {
    const travel = (): Bundle => new Bundle(this.#timeline, (task) => void this.#timeline.after(this.#travelMs(), task))
    const [out, back] = [travel(), travel()]
    const timeOuts = new Bundle(this.#timeline, (task) => void clock.schedule(this.#timeline.now + timeoutMs, task))
    return {
      out: (_, task) => out.add(task),
      back: (task) => back.add(task),
      timeOut: (task) => {
        let wanted: (() => void) | undefined = task
        timeOuts.add(() => wanted?.())
        return () => (wanted = undefined)
      },
    }
  }

  #wall(): number {
    return this.#timeline.now + this.#wallOffsetMs
  }

  #travelMs(): number {
    return this.#prng.between(...this.#latencyMs)
  }
}

function nameOf({ groupId, topic, partition }: PartitionOfGroup): string {
  return `${groupId}/${topic}/${partition}`
}

/** What a call of a broken connection may take to be read, after the server is back. */
const LATE_MS = 3_000
/** As RedisHighWaterStore's. */
const TIMEOUT_MS = 2_000
