import { NO_LEASE, type LeaseRecord } from './lease.js'

/**
 * Which partitions an instance is to hold, among the others of its group.
 *
 * Only those count that read the most clusters; who reads fewer gives up what it has. One that has at least two fewer
 * than another asks it for one, by a mark; by a difference of one, three partitions on two instances would be taken to
 * and fro for ever. What is free is taken at once up to an even share, and beyond it only if it stays free: who is among
 * the members is a hint, and somebody who is there may not take.
 *
 * A difference in what is read counts only once it has lasted: when a cluster goes away, one instance is always the first
 * to notice, and must not hand everything to another one that is about to.
 * Source: position.md, Leases.
 */
export interface Member {
  /** Grows while it is alive. */
  readonly beat: number
  /** Clusters that it can read. */
  readonly reads: readonly string[]
  /** Where it runs. */
  readonly host: string
}

export interface SharesOptions {
  /** Id of this instance. */
  readonly instance: string
  readonly leaseMs: number
  readonly clusters: readonly [string, string]
  /** All there are to be shared. */
  readonly partitions: readonly string[]
}

export type SharesCommand =
  /** Asks its holder for a partition. */
  | { readonly kind: 'want'; readonly partition: string; readonly lease: LeaseRecord }
  /** Gives up a partition: for whoever asked for it, or for anybody. */
  | { readonly kind: 'give'; readonly partition: string; readonly to: string }
  /** Others read more, so nothing is held here. */
  | { readonly kind: 'outread'; readonly reads: number; readonly by: string }
  /** What only this cluster has is owed; another instance could read it. */
  | { readonly kind: 'unread'; readonly cluster: string; readonly by: string }

interface Seen {
  readonly member: Member
  readonly sinceMs: number
}

export class Shares {
  readonly #options: SharesOptions
  readonly #others = new Map<string, Seen>()
  /** Leases by partition: of those that are held here, that of this instance. */
  readonly #leases = new Map<string, LeaseRecord>()
  /** Held here, and being given up. */
  readonly #given = new Set<string>()
  #reads: readonly string[] = []
  #outreadSinceMs: number | undefined
  #outreadTold = false
  /** What is not read here and could be read there, and since when. */
  readonly #unread = new Map<string, { readonly by: string; readonly sinceMs: number; told: boolean }>()
  #wanted: { readonly partition: string; readonly from: string; readonly sinceMs: number } | undefined
  #commands: SharesCommand[] = []

  constructor(options: SharesOptions) {
    this.#options = options
    for (const partition of options.partitions) this.#leases.set(partition, NO_LEASE)
  }

  // --- events ---------------------------------------------------------------------------------------------------

  /** Who is there, as the store has it. */
  handleMembers(members: ReadonlyMap<string, Member>, now: number): void {
    for (const id of this.#others.keys()) if (!members.has(id)) this.#others.delete(id)
    for (const [id, member] of members) {
      if (id === this.#options.instance) continue
      const known = this.#others.get(id)
      const sinceMs = known?.member.beat === member.beat ? known.sinceMs : now
      this.#others.set(id, { member, sinceMs })
    }
  }

  /** Clusters that this instance can read now. */
  handleReads(reads: readonly string[]): void {
    this.#reads = reads
  }

  /** Whose a partition is. */
  handleLease(partition: string, lease: LeaseRecord): void {
    this.#leases.set(partition, lease)
    if (lease.owner !== this.#options.instance) this.#given.delete(partition)
    if (this.#wanted?.partition === partition && lease.owner !== this.#wanted.from) this.#wanted = undefined
  }

  /** All was looked at: what is to be done about it? */
  handleBeat(now: number): void {
    this.#compare(now)
    this.#lookAtUnread(now)
    if (this.#outreadSinceMs === undefined && this.#reads.length > 0) this.#ask(now)
  }

  poll(): SharesCommand | undefined {
    return this.#commands.shift()
  }

  // --- looking --------------------------------------------------------------------------------------------------

  /** Those that are alive, this one too. */
  instances(now: number): string[] {
    const living = [...this.#others].filter(([, { sinceMs }]) => now - sinceMs < this.#options.leaseMs)
    return [this.#options.instance, ...living.map(([id]) => id)]
  }

  /** Those that have stood still for so long that they may be struck off; one that lives after all comes back. */
  gone(now: number): string[] {
    const gone = [...this.#others].filter(([, { sinceMs }]) => now - sinceMs >= GONE_LEASES * this.#options.leaseMs)
    return gone.map(([id]) => id)
  }

  /** Whether a lease may be taken that has been free for so long. */
  mayTake(freeMs: number, now: number): boolean {
    if (this.#reads.length === 0 || this.#reads.length < this.#most(now)) return false
    const equals = this.#equals(now).length
    const even = Math.ceil(this.#leases.size / equals)
    return this.#count(this.#options.instance) < even || freeMs >= this.#options.leaseMs
  }

  // --- rules ----------------------------------------------------------------------------------------------------

  /** Does another one read more? */
  #compare(now: number): void {
    const { instance, leaseMs } = this.#options
    const most = this.#most(now)
    if (this.#reads.length >= most) {
      this.#outreadSinceMs = undefined
      this.#outreadTold = false
      for (const [partition, { owner, want }] of this.#leases) {
        if (owner === instance && want !== '' && this.#mayGive(want, now)) this.#give(partition, want)
      }
      return
    }
    this.#outreadSinceMs ??= now
    if (now - this.#outreadSinceMs < leaseMs) return
    if (!this.#outreadTold) {
      this.#outreadTold = true
      const [by] = this.#equals(now)
      this.#commands.push({ kind: 'outread', reads: this.#reads.length, by: by! })
    }
    for (const [partition, { owner }] of this.#leases) if (owner === instance) this.#give(partition, '')
  }

  #give(partition: string, to: string): void {
    if (this.#given.has(partition)) return
    this.#given.add(partition)
    this.#commands.push({ kind: 'give', partition, to })
  }

  /** Only to one that reads as much and has at least two fewer: a mark may be older than what has changed since. */
  #mayGive(asker: string, now: number): boolean {
    const { instance } = this.#options
    if (!this.#equals(now).includes(asker)) return false
    return this.#count(instance) - this.#count(asker) >= FEWER
  }

  /** Asks the one that has the most for one, if it has at least two more. */
  #ask(now: number): void {
    const { instance, leaseMs } = this.#options
    if (this.#wanted !== undefined && now - this.#wanted.sinceMs < WANT_LEASES * leaseMs) return
    this.#wanted = undefined
    const own = this.#count(instance)
    let from: string | undefined
    for (const id of this.#equals(now)) {
      if (this.#count(id) - own >= FEWER && (from === undefined || this.#count(id) > this.#count(from))) from = id
    }
    if (from === undefined) return
    const [partition, lease] = [...this.#leases].findLast(([, { owner }]) => owner === from)!
    this.#wanted = { partition, from, sinceMs: now }
    this.#commands.push({ kind: 'want', partition, lease })
  }

  /** While nobody reads both, it is told who could read what is not read here. */
  #lookAtUnread(now: number): void {
    const { clusters, instance, leaseMs } = this.#options
    const most = this.#most(now)
    for (const cluster of clusters) {
      const by =
        this.#reads.includes(cluster) || most === clusters.length || this.#count(instance) === 0
          ? undefined
          : this.instances(now).find((id) => this.#readsOf(id).includes(cluster))
      const known = this.#unread.get(cluster)
      if (by === undefined) this.#unread.delete(cluster)
      else if (known === undefined) this.#unread.set(cluster, { by, sinceMs: now, told: false })
      else if (!known.told && now - known.sinceMs >= leaseMs) {
        known.told = true
        this.#commands.push({ kind: 'unread', cluster, by })
      }
    }
  }

  #readsOf(id: string): readonly string[] {
    return id === this.#options.instance ? this.#reads : (this.#others.get(id)?.member.reads ?? [])
  }

  /** Of how many clusters the one reads that reads the most. */
  #most(now: number): number {
    return Math.max(...this.instances(now).map((id) => this.#readsOf(id).length))
  }

  /** Those that read the most. */
  #equals(now: number): string[] {
    const most = this.#most(now)
    return this.instances(now).filter((id) => this.#readsOf(id).length === most)
  }

  /** What one holds, but for what it gives up. */
  #count(id: string): number {
    let count = 0
    for (const [partition, { owner }] of this.#leases) if (owner === id && !this.#given.has(partition)) count++
    return count
  }
}

/** What one is to have fewer than another, to take one from it. */
const FEWER = 2
/** A mark that was not heard is made again after so many leases: the holder may drain for one. */
const WANT_LEASES = 3
/** An instance that stood still for so long is struck off. */
const GONE_LEASES = 10
