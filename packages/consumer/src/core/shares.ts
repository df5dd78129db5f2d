import { beatMs, NO_LEASE, type LeaseRecord } from './lease.js'

/**
 * Which partitions an instance is to hold, among the others of its group.
 *
 * Of a topic only those count that read it, and of them those that read the most clusters; who reads fewer gives up what
 * it has of it. One that has at least two fewer than another asks it for some, by marks, as long as it has less than an
 * even share and the other one more; by a difference of one, three partitions on two instances would be taken to and fro
 * for ever. Several that ask at the same time ask for different ones. What is free is taken at once up to an even share
 * of what the same instances may take, and beyond it only if it stays free: who is among the members is a hint, and
 * somebody who is there may not take.
 *
 * Instances of a group may read different topics. Of another one, each sees only what that has of its own topics: whoever
 * asks counts all that it has itself, and too little for the other one, never too much. So what is moved goes from one
 * that has more to one that has at least two fewer, and that ends.
 *
 * Each says what it holds, so that nobody need look at what one holds who is heard from: as long as its beat grows, it
 * renews what it says. What nobody says, whose holder was not heard from this time, and what is moved from one to the
 * other is looked at.
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
  /** Topics of which it would take partitions; an older version does not say so, and counts for every topic. */
  readonly topics?: readonly string[] | undefined
  /** Partitions that it holds and has renewed in time, and the greatest token of these; an older version does not say. */
  readonly holds?: readonly string[] | undefined
  readonly token?: number | undefined
  /** Where it runs. */
  readonly host: string
}

export interface SharesOptions {
  /** Id of this instance. */
  readonly instance: string
  readonly leaseMs: number
  readonly clusters: readonly [string, string]
  /** All that it would take, each with its topic. */
  readonly partitions: ReadonlyMap<string, string>
}

export type SharesCommand =
  /** Asks its holder for a partition. */
  | { readonly kind: 'want'; readonly partition: string; readonly owner: string }
  /** Gives up a partition: for whoever asked for it, or for anybody. */
  | { readonly kind: 'give'; readonly partition: string; readonly to: string }
  /** Others read more, so nothing of a topic is held here. */
  | { readonly kind: 'outread'; readonly topic: string; readonly reads: number; readonly by: string }
  /** What only this cluster has is owed; another instance could read it. */
  | { readonly kind: 'unread'; readonly cluster: string; readonly by: string }

interface Seen {
  readonly member: Member
  readonly topics: ReadonlySet<string> | undefined
  readonly sinceMs: number
}

/** Of each topic those that may take partitions of it: they read it, and read the most clusters of those that do. */
type Takers = ReadonlyMap<string, readonly string[]>

/** Topics that the same instances may take, and how many of their partitions are an even share. */
interface EvenShare {
  readonly topics: ReadonlySet<string>
  readonly partitions: number
}

export class Shares {
  readonly #options: SharesOptions
  readonly #others = new Map<string, Seen>()
  /** Who says of a partition that it holds it. */
  readonly #holders = new Map<string, string>()
  /** Leases by partition: of those that are held here, that of this instance. */
  readonly #leases = new Map<string, LeaseRecord>()
  /** How many of each topic an instance holds: counted as they change, since there are many and they are asked for often. */
  readonly #held = new Map<string, Map<string, number>>()
  /** Being given up, until somebody has it, and to whom. */
  readonly #given = new Map<string, string>()
  readonly #topics: ReadonlySet<string>
  /** What was found for one moment, as long as nothing is learned. */
  #known: { readonly now: number; readonly takers: Takers; readonly shares: Map<string, EvenShare> } | undefined
  #reads: readonly string[] = []
  /** Topics of which others may take partitions, and not this one. */
  readonly #outread = new Map<string, { readonly sinceMs: number; told: boolean }>()
  /** What is not read here and could be read there, and since when. */
  readonly #unread = new Map<string, { readonly by: string; readonly sinceMs: number; told: boolean }>()
  /** What others were asked for. */
  readonly #wanted = new Map<string, { readonly from: string; readonly sinceMs: number }>()
  #commands: SharesCommand[] = []

  constructor(options: SharesOptions) {
    this.#options = options
    this.#topics = new Set(options.partitions.values())
    for (const partition of options.partitions.keys()) this.#leases.set(partition, NO_LEASE)
    for (const topic of this.#topics) this.#held.set(topic, new Map())
  }

  // --- events ---------------------------------------------------------------------------------------------------

  /** Who is there, as the store has it. */
  handleMembers(members: ReadonlyMap<string, Member>, now: number): void {
    this.#known = undefined
    for (const id of this.#others.keys()) if (!members.has(id)) this.#others.delete(id)
    for (const [id, member] of members) {
      if (id === this.#options.instance) continue
      const known = this.#others.get(id)
      if (known?.member.beat === member.beat) continue
      this.#others.set(id, { member, topics: member.topics && new Set(member.topics), sinceMs: now })
    }
    this.#holders.clear()
    for (const [id, { member }] of this.#others) for (const name of member.holds ?? []) this.#handleHolds(id, name)
  }

  /** Clusters that this instance can read now. */
  handleReads(reads: readonly string[]): void {
    this.#known = undefined
    this.#reads = reads
  }

  /** Whose a partition is. */
  handleLease(partition: string, lease: LeaseRecord): void {
    const before = this.#leases.get(partition)!
    this.#hold(partition, before.owner, -1)
    this.#hold(partition, lease.owner, 1)
    this.#leases.set(partition, lease)
    // What is on its way to who asked for it is free for a moment.
    if (lease.owner !== '' && (lease.owner !== this.#options.instance || before.owner === '')) {
      this.#given.delete(partition)
    }
    // Somebody else may have asked for it in the same moment.
    const taken = lease.want !== '' && lease.want !== this.#options.instance
    if (taken || lease.owner !== this.#wanted.get(partition)?.from) this.#wanted.delete(partition)
  }

  /** It was not given: it is not held yet, though the store says so. */
  handleKept(partition: string): void {
    this.#given.delete(partition)
  }

  /** All was looked at: what is to be done about it? */
  handleBeat(now: number): void {
    const takers = this.#takers(now)
    this.#compare(takers, now)
    this.#give(takers)
    this.#lookAtUnread(takers, now)
    this.#ask(takers, now)
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

  /** Whether it is to be looked at whose a partition is that is not held here. */
  looksAt(partition: string, now: number): boolean {
    if (this.#wanted.has(partition) || this.#given.has(partition)) return true
    const holder = this.#others.get(this.#holders.get(partition) ?? '')
    return holder === undefined || now - holder.sinceMs > HEARD_BEATS * beatMs(this.#options.leaseMs)
  }

  /** Whether the lease of a partition may be taken that has been free for so long. */
  mayTake(partition: string, freeMs: number, now: number): boolean {
    const { instance, leaseMs } = this.#options
    const topic = this.#topicOf(partition)
    const able = this.#takers(now).get(topic)!
    if (this.#reads.length === 0 || !able.includes(instance)) return false
    if (freeMs >= leaseMs) return true
    const { topics, partitions } = this.#evenShare(topic, now)
    return this.#count(instance, topics) < partitions
  }

  // --- rules ----------------------------------------------------------------------------------------------------

  #handleHolds(id: string, partition: string): void {
    const lease = this.#leases.get(partition)
    if (lease === undefined) return // of a topic that is not read here
    this.#holders.set(partition, id)
    if (lease.owner !== id && lease.owner !== this.#options.instance) {
      this.handleLease(partition, { ...NO_LEASE, owner: id })
    }
  }

  /** Do others that read a topic read more? */
  #compare(takers: Takers, now: number): void {
    const { instance, leaseMs } = this.#options
    for (const [topic, able] of takers) {
      if (able.includes(instance)) {
        this.#outread.delete(topic)
        continue
      }
      const outread = this.#outread.get(topic) ?? { sinceMs: now, told: false }
      this.#outread.set(topic, outread)
      if (now - outread.sinceMs < leaseMs || outread.told) continue
      outread.told = true
      this.#commands.push({ kind: 'outread', topic, reads: this.#reads.length, by: able[0]! })
    }
  }

  /** What others are to have, and what they have asked for. */
  #give(takers: Takers): void {
    const { instance } = this.#options
    for (const [partition, { owner, want }] of this.#leases) {
      if (owner !== instance || this.#given.has(partition)) continue
      const outread = this.#outread.get(this.#topicOf(partition))?.told === true
      if (!outread && (want === '' || !this.#mayGive(partition, want, takers))) continue
      const to = outread ? '' : want
      this.#given.set(partition, to)
      this.#commands.push({ kind: 'give', partition, to })
    }
  }

  /** Only to one that may take it and has at least two fewer: a mark may be older than what has changed since. */
  #mayGive(partition: string, asker: string, takers: Takers): boolean {
    const { instance } = this.#options
    if (!includesAll(takers.get(this.#topicOf(partition))!, [asker, instance])) return false
    return this.#count(instance) - this.#count(asker) >= FEWER
  }

  /** Asks the one that has the most for some that both may have, if it has at least two more. */
  #ask(takers: Takers, now: number): void {
    const { instance, leaseMs } = this.#options
    if (this.#reads.length === 0) return
    for (const [partition, { sinceMs }] of this.#wanted) {
      if (now - sinceMs >= WANT_LEASES * leaseMs) this.#wanted.delete(partition)
    }
    // As if what was asked for were here.
    const asked = (id: string): number => [...this.#wanted.values()].filter(({ from }) => from === id).length
    const own = this.#count(instance) + this.#wanted.size
    const others = this.instances(now).map((id) => ({ id, ahead: this.#count(id) - asked(id) - own }))
    others.sort((one, other) => other.ahead - one.ahead)
    for (const { id: from, ahead } of others) {
      if (ahead < FEWER) return
      const found = this.#askable(from, takers)
      if (found.length === 0) continue
      const topic = this.#topicOf(found[0]!)
      const share = this.#evenShare(topic, now)
      const lacking = share.partitions - this.#count(instance, share.topics) - this.#wanted.size
      const count = Math.min(found.length, Math.max(1, Math.min(Math.floor(ahead / 2), lacking)))
      // Others who ask now begin elsewhere.
      const begin = [...takers.get(topic)!].sort().indexOf(instance) * count
      for (let index = begin; index < begin + count; index++) {
        const partition = found[index % found.length]!
        this.#wanted.set(partition, { from, sinceMs: now })
        this.#commands.push({ kind: 'want', partition, owner: from })
      }
      return
    }
  }

  /** What one holds and this one may have, the last first: of these what nobody has asked for, if there is any. */
  #askable(from: string, takers: Takers): string[] {
    const { instance } = this.#options
    const found: string[] = []
    for (const [partition, { owner }] of this.#leases) {
      if (owner !== from || this.#wanted.has(partition)) continue
      if (includesAll(takers.get(this.#topicOf(partition))!, [from, instance])) found.push(partition)
    }
    const unasked = found.filter((partition) => this.#leases.get(partition)!.want === '')
    return (unasked.length > 0 ? unasked : found).reverse()
  }

  /** While nobody who reads a topic reads both, it is told who could read what is not read here. */
  #lookAtUnread(takers: Takers, now: number): void {
    const { clusters, leaseMs } = this.#options
    for (const cluster of clusters) {
      const by = this.#reads.includes(cluster) ? undefined : this.#readerOf(cluster, takers)
      const known = this.#unread.get(cluster)
      if (by === undefined) this.#unread.delete(cluster)
      else if (known === undefined) this.#unread.set(cluster, { by, sinceMs: now, told: false })
      else if (!known.told && now - known.sinceMs >= leaseMs) {
        known.told = true
        this.#commands.push({ kind: 'unread', cluster, by })
      }
    }
  }

  /** One that reads this cluster alone, and could take something that is held here. */
  #readerOf(cluster: string, takers: Takers): string | undefined {
    for (const [topic, able] of takers) {
      if (this.#count(this.#options.instance, new Set([topic])) === 0) continue
      const by = able.find((id) => this.#readsOf(id).length === 1 && this.#readsOf(id)[0] === cluster)
      if (by !== undefined) return by
    }
    return undefined
  }

  #readsOf(id: string): readonly string[] {
    return id === this.#options.instance ? this.#reads : (this.#others.get(id)?.member.reads ?? [])
  }

  #takers(now: number): Takers {
    if (this.#known?.now !== now) this.#known = { now, takers: this.#findTakers(now), shares: new Map() }
    return this.#known.takers
  }

  #evenShare(topic: string, now: number): EvenShare {
    const takers = this.#takers(now)
    const { shares } = this.#known!
    let share = shares.get(topic)
    if (share === undefined) {
      const able = takers.get(topic)!
      const topics = new Set([...this.#topics].filter((other) => takers.get(other)!.join() === able.join()))
      const size = [...this.#options.partitions.values()].filter((other) => topics.has(other)).length
      shares.set(topic, (share = { topics, partitions: Math.ceil(size / able.length) }))
    }
    return share
  }

  #findTakers(now: number): Takers {
    const living = this.instances(now)
    const takers = new Map<string, readonly string[]>()
    for (const topic of this.#topics) {
      const readers = living.filter((id) => this.#others.get(id)?.topics?.has(topic) ?? true)
      const most = Math.max(...readers.map((id) => this.#readsOf(id).length))
      takers.set(
        topic,
        readers.filter((id) => this.#readsOf(id).length === most),
      )
    }
    return takers
  }

  #topicOf(partition: string): string {
    return this.#options.partitions.get(partition)!
  }

  /** What one holds of these topics, with what is on its way to it from here, and without what is given up here. */
  #count(id: string, topics = this.#topics): number {
    const { instance } = this.#options
    let count = 0
    for (const topic of topics) count += this.#held.get(topic)!.get(id) ?? 0
    for (const [partition, to] of this.#given) {
      if (!topics.has(this.#topicOf(partition))) continue
      if (id === to) count++
      else if (id === instance && this.#leases.get(partition)!.owner === instance) count--
    }
    return count
  }

  #hold(partition: string, owner: string, by: 1 | -1): void {
    if (owner === '') return
    const held = this.#held.get(this.#topicOf(partition))!
    const count = (held.get(owner) ?? 0) + by
    if (count === 0) held.delete(owner)
    else held.set(owner, count)
  }
}

function includesAll(all: readonly string[], some: readonly string[]): boolean {
  return some.every((one) => all.includes(one))
}

/** What one is to have fewer than another, to take one from it. */
const FEWER = 2
/** A mark that was not heard is made again after so many leases: the holder may drain for one. */
const WANT_LEASES = 3
/** Who has said nothing new since the beat before is not heard from. */
const HEARD_BEATS = 0.5
/** An instance that stood still for so long is struck off. */
const GONE_LEASES = 10
