import {
  Agenda,
  HighWaterStoreFailedError,
  isTandemError,
  received,
  type Clock,
  type Telemetry,
} from '@tandem/common/internal'

import { beatMs, Lease, NO_LEASE, type LeaseCommand, type Moment } from './core/lease.js'
import { Shares } from './core/shares.js'
import type { Holding, PartitionOfGroup } from './high-water/high-water-store.js'
import type { ConsumerSettings } from './options.js'

/**
 * Which partitions this instance has: carries what leases and shares want to the store and back, and tells whoever works
 * on a partition when it begins, stands, goes on and ends. Decides nothing.
 */
export interface LeasesHost {
  readonly settings: ConsumerSettings
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** Id of this instance, and where it runs. */
  readonly instance: string
  readonly hostName: string
  /** Clusters that can be read now. */
  reads(): readonly string[]
  /** Finds out whether they can be. */
  probe(): void
  /** Begins to work on a partition. What it throws is a position that cannot be read. */
  begin(id: PartitionOfGroup, holding: Holding, tenure: Tenure): Tenant
  handleStoreAnswered(asked: object): void
  handleStoreFailed(asked: object, error: unknown): void
  /** Something was thrown where nothing may be. */
  handleBroken(error: unknown): void
}

/** What works on a partition for as long as this instance holds it. */
export interface Tenant {
  readonly fence: number
  /** Number of the last flush that the store confirmed. */
  readonly confirmed: number
  /** Nothing may begin until the lease is regained. */
  handleLapsed(): void
  handleRegained(): void
  /** The store forgot: it is to be given the whole position. */
  handleForgotten(): void
  handleLost(reason: string): void
  /** Begins nothing new; resolves when what is under way has ended, or not in bounded time, and all is stored. */
  drain(): Promise<void>
  /** It is over. */
  end(): void
}

/** What a tenant has of its lease. */
export interface Tenure {
  /** Whether a delivery may begin; looks at the clock. */
  readonly trusted: boolean
  /** Whether the whole position may be written over less. */
  readonly mayRestore: boolean
  /** A flush was told that another holder has a greater token. */
  handleSuperseded(): void
}

interface Entry {
  readonly id: PartitionOfGroup
  readonly name: string
  readonly lease: Lease
  tenant: Tenant | undefined
  /** Its position could not be read when it was taken last. */
  unreadable: boolean
  /** The last attempt to take it was not answered. */
  unanswered: boolean
}

/** What is asked of the store. */
type Asking = Extract<LeaseCommand, { call: number }>

export class Leases {
  readonly #host: LeasesHost
  readonly #entries = new Map<string, Entry>()
  readonly #shares: Shares
  readonly #agenda: Agenda
  #cancelBeat = (): void => undefined
  #beats = 0
  /** Greatest token that others say they hold. */
  #greatestToken = 0
  /** The store has put this instance down. */
  #met = false
  /** Nothing more is taken. */
  #closing = false
  /** Of the last call that failed. */
  #failure: unknown

  constructor(host: LeasesHost, ids: readonly PartitionOfGroup[]) {
    const { settings, instance, clock } = host
    this.#host = host
    const partitions = new Map(ids.map((id) => [nameOf(id), id.topic]))
    this.#shares = new Shares({ ...settings, instance, partitions })
    this.#agenda = new Agenda(clock, () => this.#wake())
    const options = { ...settings, instance }
    for (const id of ids) {
      const name = nameOf(id)
      this.#entries.set(name, {
        id,
        name,
        lease: new Lease(options),
        tenant: undefined,
        unreadable: false,
        unanswered: false,
      })
    }
  }

  /** Instances of the group that are alive, as far as is known. */
  get instances(): number {
    return this.#shares.instances(this.#host.clock.now()).length
  }

  /**
   * Looks at every partition and takes what is free; resolves when all are known, and the store has taken down what it was
   * told: one that can only be read, such as a replica, is no store.
   * @throws what the store said last, if it does not come to that in time; at once if no time mends it.
   */
  async start(until: number): Promise<void> {
    const { clock } = this.#host
    this.#arm()
    for (;;) {
      await this.#beat()
      if (isTandemError(this.#failure) && !this.#failure.retriable) throw this.#failure
      if (this.#closing || this.#known) return
      if (clock.now() + LOOK_AGAIN_MS >= until) throw this.#failure
      await new Promise<void>((resolve) => void clock.schedule(clock.now() + LOOK_AGAIN_MS, resolve))
    }
  }

  /** Neither cluster has a commit of the group for this partition. */
  handleUncommitted(id: PartitionOfGroup): void {
    this.#entries.get(nameOf(id))!.lease.handleUncommitted()
  }

  /** Takes nothing more; what is held is renewed until it is released. */
  stop(): void {
    this.#closing = true
  }

  /** Gives up all that is held, and leaves the group. */
  async release(): Promise<void> {
    this.#closing = true
    this.#cancelBeat()
    this.#agenda.close()
    const { settings, instance } = this.#host
    const leave = async (): Promise<void> => {
      await settings.highWater.meet(settings.groupId, { instance, member: undefined, gone: [] })
    }
    await Promise.allSettled([...[...this.#entries.values()].map((entry) => this.#release(entry, '')), leave()])
  }

  /** What the store said last that was no answer. */
  get failure(): unknown {
    return this.#failure
  }

  get #known(): boolean {
    const now = this.#host.clock.now()
    const isKnown = ({ lease, unanswered }: Entry): boolean =>
      lease.held || (lease.seen !== undefined && !(unanswered && lease.freeMs(now) !== undefined))
    return this.#met && [...this.#entries.values()].every(isKnown)
  }

  #at(): Moment {
    const { clock } = this.#host
    return { now: clock.now(), wall: clock.wall() }
  }

  // --- time -----------------------------------------------------------------------------------------------------

  #arm(): void {
    const { clock, settings } = this.#host
    this.#cancelBeat = clock.schedule(clock.now() + beatMs(settings.leaseMs), () => {
      this.#arm()
      this.#beat().catch((error: unknown) => this.#host.handleBroken(error))
    })
  }

  #wake(): void {
    for (const entry of this.#entries.values()) {
      entry.lease.notice(this.#at())
      this.#tend(entry)
      this.#agenda.arm(entry.lease.deadline())
    }
  }

  /**
   * One sign of life: says who is there and what is held, and renews that; hears from others, and looks at what none of
   * them is known to hold; then takes, asks and gives.
   */
  async #beat(): Promise<void> {
    const meeting = this.#meet()
    const entries = [...this.#entries.values()]
    const asked = entries.filter(({ lease }) => lease.held).map((entry) => this.#show(entry))
    await meeting
    const now = this.#host.clock.now()
    const watched = entries.filter(({ name, lease }) => {
      return !this.#closing && !lease.held && (lease.seen === undefined || this.#shares.looksAt(name, now))
    })
    asked.push(...watched.map((entry) => this.#show(entry)))
    await Promise.all(asked)
    if (!this.#closing) await this.#share(watched)
  }

  #show(entry: Entry): Promise<void> {
    entry.lease.handleBeat(this.#at())
    const asked = this.#carryOut(entry)
    this.#agenda.arm(entry.lease.deadline())
    return asked
  }

  /** @param watched what was looked at just now. */
  async #share(watched: readonly Entry[]): Promise<void> {
    const { instance, clock, telemetry } = this.#host
    this.#shares.handleReads(this.#host.reads())
    const taken: Promise<void>[] = []
    const now = clock.now()
    for (const entry of watched) {
      const freeMs = entry.lease.freeMs(now)
      if (freeMs === undefined || !this.#shares.mayTake(entry.name, freeMs, now)) continue
      entry.lease.handleGranted(this.#at())
      this.#shares.handleLease(entry.name, { ...NO_LEASE, owner: instance })
      taken.push(this.#carryOut(entry))
    }
    this.#shares.handleBeat(clock.now())
    for (let command = this.#shares.poll(); command !== undefined; command = this.#shares.poll()) {
      switch (command.kind) {
        case 'want':
          void this.#want(this.#entries.get(command.partition)!, command.owner)
          break
        case 'give':
          this.#give(this.#entries.get(command.partition)!, command.to).catch((error: unknown) => {
            this.#host.handleBroken(error)
          })
          break
        case 'outread':
          telemetry.tell({ kind: 'share-withheld', topic: command.topic, reads: command.reads, by: command.by })
          break
        case 'unread':
          telemetry.tell({ kind: 'feed-unread', cluster: command.cluster, by: command.by })
          break
        default:
          command satisfies never
      }
    }
    await Promise.all(taken)
  }

  // --- commands of a lease --------------------------------------------------------------------------------------

  /** Carries out what a lease wants, now and without waiting for answers. */
  #tend(entry: Entry): void {
    this.#carryOut(entry).catch((error: unknown) => this.#host.handleBroken(error))
  }

  /** Carries out what a lease wants; resolves when what was asked is answered. */
  async #carryOut(entry: Entry): Promise<void> {
    const { lease } = entry
    const asked: Promise<void>[] = []
    for (let command = lease.poll(); command !== undefined; command = lease.poll()) {
      switch (command.kind) {
        case 'look':
        case 'acquire':
        case 'renew':
          asked.push(this.#ask(entry, command))
          break
        case 'lapsed':
          entry.tenant?.handleLapsed()
          break
        case 'regained':
          entry.tenant?.handleRegained()
          break
        case 'restore':
          entry.tenant?.handleForgotten()
          break
        case 'lost':
          this.#lose(entry, command.reason)
          break
        default:
          command satisfies never
      }
    }
    await Promise.all(asked)
  }

  async #ask(entry: Entry, command: Asking): Promise<void> {
    try {
      if (command.kind === 'look') await this.#look(entry, command.call)
      else if (command.kind === 'acquire') await this.#acquire(entry, command)
      else await this.#renew(entry, command)
      if (!entry.unreadable) this.#host.handleStoreAnswered(entry)
    } catch (error) {
      this.#failure = error
      entry.lease.handleUnanswered(command.call)
      this.#host.handleStoreFailed(entry, error)
    }
    this.#tend(entry)
  }

  async #look({ id, name, lease }: Entry, call: number): Promise<void> {
    const seen = await this.#host.settings.highWater.look(id)
    lease.handleSeen(call, seen, this.#host.clock.now())
    this.#shares.handleLease(name, seen)
  }

  async #acquire(entry: Entry, { call, seen, greatestSeen }: Extract<Asking, { kind: 'acquire' }>): Promise<void> {
    const { id, name, lease } = entry
    const { settings, instance, clock, telemetry } = this.#host
    entry.unanswered = true
    const greatest = Math.max(greatestSeen, this.#greatestToken)
    const acquired = await settings.highWater.acquire(id, { owner: instance, greatestSeen: greatest, seen })
    entry.unanswered = false
    if (acquired.kind === 'held') {
      lease.handleSeen(call, acquired.lease, clock.now())
      this.#shares.handleLease(name, acquired.lease)
      return
    }
    const { holding } = acquired
    lease.handleAcquired(call, holding.token, this.#at())
    try {
      if (this.#closing) throw new Error('it was granted when nothing was to be taken any more')
      entry.tenant = this.#host.begin(id, holding, this.#tenureOf(entry))
      entry.unreadable = false
    } catch (error) {
      entry.unreadable = true
      lease.handleReleased()
      this.#shares.handleLease(name, NO_LEASE)
      await settings.highWater.release(id, { owner: instance, token: holding.token, keptFor: '' })
      if (!this.#closing) throw error
      return
    }
    telemetry.tell({ kind: 'lease-acquired', topic: id.topic, partition: id.partition, fence: holding.token })
  }

  async #renew(entry: Entry, { call, token, beat }: Extract<Asking, { kind: 'renew' }>): Promise<void> {
    const { id, name, lease, tenant } = entry
    const { settings, instance } = this.#host
    const confirmed = tenant?.confirmed ?? 0
    const renewed = await settings.highWater.renew(id, { owner: instance, token, beat })
    switch (renewed.kind) {
      case 'renewed':
        lease.handleRenewed(call, this.#at())
        if (renewed.number < confirmed && entry.tenant === tenant) tenant?.handleForgotten()
        if (lease.held) this.#shares.handleLease(name, { ...NO_LEASE, owner: instance, token, want: renewed.want })
        break
      case 'lesser':
        lease.handleLesser(call, renewed.lease, this.#at())
        break
      case 'fenced':
        lease.handleFenced(call)
        break
      default:
        throw new HighWaterStoreFailedError(`The store answered a renewal with ${received(renewed satisfies never)}`)
    }
  }

  #lose(entry: Entry, reason: string): void {
    const { tenant } = entry
    entry.tenant = undefined
    this.#shares.handleLease(entry.name, NO_LEASE)
    tenant?.handleLost(reason)
  }

  #tenureOf(entry: Entry): Tenure {
    const { lease } = entry
    const at = (): Moment => this.#at()
    const tend = (): void => this.#tend(entry)
    return {
      get trusted() {
        const trusted = lease.notice(at())
        if (!trusted) tend()
        return trusted
      },
      get mayRestore() {
        return lease.mayRestore(at())
      },
      handleSuperseded: () => {
        lease.handleSuperseded()
        tend()
      },
    }
  }

  // --- commands of the shares -----------------------------------------------------------------------------------

  async #meet(): Promise<void> {
    const { settings, clock, instance, hostName } = this.#host
    this.#host.probe()
    const holds: string[] = []
    let token = 0
    const at = this.#at()
    for (const { name, lease } of this.#entries.values()) {
      const held = lease.goodToken(at)
      if (held > 0) holds.push(name)
      token = Math.max(token, held)
    }
    const member = {
      beat: ++this.#beats,
      reads: this.#host.reads(),
      topics: settings.topics,
      holds,
      token,
      host: hostName,
    }
    const roll = { instance, member, gone: this.#shares.gone(clock.now()) }
    try {
      const members = await settings.highWater.meet(settings.groupId, roll)
      this.#shares.handleMembers(members, clock.now())
      for (const { token: told = 0 } of members.values()) this.#greatestToken = Math.max(this.#greatestToken, told)
      this.#met = true
      this.#host.handleStoreAnswered(this)
    } catch (error) {
      this.#failure = error
      this.#host.handleStoreFailed(this, error)
    }
  }

  async #want({ id, name }: Entry, owner: string): Promise<void> {
    const { settings, instance } = this.#host
    try {
      const seen = await settings.highWater.look(id)
      this.#shares.handleLease(name, seen)
      if (seen.owner === owner) await settings.highWater.want(id, { owner, token: seen.token, by: instance })
    } catch {
      // Another is sent in time.
    }
  }

  async #give(entry: Entry, to: string): Promise<void> {
    const { tenant } = entry
    if (tenant === undefined) {
      this.#shares.handleKept(entry.name)
      return
    }
    await tenant.drain()
    if (entry.tenant === tenant) await this.#release(entry, to)
  }

  async #release(entry: Entry, to: string): Promise<void> {
    const { id, lease, tenant } = entry
    if (tenant === undefined) return
    const { settings, instance, telemetry } = this.#host
    entry.tenant = undefined
    tenant.end()
    lease.handleReleased()
    this.#shares.handleLease(entry.name, NO_LEASE)
    telemetry.tell({ kind: 'lease-released', topic: id.topic, partition: id.partition, to })
    try {
      await settings.highWater.release(id, { owner: instance, token: tenant.fence, keptFor: to })
    } catch (error) {
      this.#host.handleStoreFailed(entry, error)
    }
  }
}

function nameOf({ topic, partition }: PartitionOfGroup): string {
  return `${topic}/${partition}`
}

/** At the start, where a store that is away for a moment is waited for. */
const LOOK_AGAIN_MS = 500
