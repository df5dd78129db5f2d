import { invariant, JournalFailedError, JournalForeignError, JournalLockedError } from '@tandem/common/internal'
import type {
  BuriedLetter,
  DeadLetter,
  Journal,
  JournalContents,
  JournalEntry,
  JournalMark,
  JournalOwner,
  JournalPartition,
  JournalRun,
  LaneIndex,
  ReadLimits,
} from '@tandem/producer/internal'

import type { Prng } from './prng.js'
import type { Channel, SimulatedProcess } from './simulated-process.js'
import type { Timeline } from './timeline.js'

/**
 * A disk of the world, with the journals on it: it outlives the processes that write to it.
 *
 * What is appended is on it at some moment of the call, so that a kill leaves the whole of it or nothing. Marks get
 * there later, and a kill loses the last ones. A full disk takes nothing that makes a journal longer; one that fails
 * writes nothing, and the next life may find there what was refused, unless a later write of this one succeeded.
 */
export interface DiskOptions {
  readonly timeline: Timeline
  readonly prng: Prng
  readonly latencyMs: readonly [low: number, high: number]
  /** Marks may be so old when they get there. */
  readonly marksLateMs?: number
}

interface Kept {
  owner: JournalOwner | undefined
  holder: SimulatedProcess | undefined
  readonly partitions: Map<string, KeptPartition>
  readonly letters: Map<number, DeadLetter>
  nextLetter: number
  /** Of the holder, which may be dead: what is on its way to the disk, and what was refused and may be there. */
  underWay: UnderWay[]
  ghosts: (() => void)[]
  /** When the last call is done: one after the other. */
  busyUntil: number
}

interface KeptPartition {
  readonly topic: string
  readonly partition: number
  first: number
  next: number
  bytesNext: number
  readonly entries: Map<number, { readonly entry: JournalEntry; torn: boolean }>
  readonly done: Map<string, number>
  readonly forgone: Map<string, Set<number>>
}

/** What a life knows to be there. */
interface Known {
  readonly next: number
  readonly bytesNext: number
  readonly done: readonly [number, number]
}

interface Caller {
  readonly process: SimulatedProcess
  readonly channel: Channel
  readonly path: string
}

interface UnderWay {
  readonly apply: () => void
  /** Lost with its process, for certain. */
  readonly volatile: boolean
  readonly cancel: () => void
}

export class SimulatedDisk {
  readonly #timeline: Timeline
  readonly #prng: Prng
  readonly #latencyMs: readonly [number, number]
  readonly #marksLateMs: number
  readonly #kept = new Map<string, Kept>()
  /** Payloads of all dead letters that were read from it. */
  readonly lettersRead = new Set<string>()
  #slowMs = 0
  #failing = false
  #freeBytes = Infinity

  constructor(options: DiskOptions) {
    this.#timeline = options.timeline
    this.#prng = options.prng
    this.#latencyMs = options.latencyMs
    this.#marksLateMs = options.marksLateMs ?? MARKS_LATE_MS
  }

  // --- faults ---------------------------------------------------------------------------------------------------

  /** Takes only so much more; what is removed makes room again. */
  full(bytes = 0): void {
    this.#freeBytes = bytes
  }

  /** Writes nothing; what is on it can be read. */
  fail(): void {
    this.#failing = true
  }

  /** Everything takes so much longer. */
  slow(ms: number): void {
    this.#slowMs = ms
  }

  heal(): void {
    this.#freeBytes = Infinity
    this.#failing = false
    this.#slowMs = 0
  }

  /** Damages an entry of a message with others before and behind it; returns which, if there is any. */
  tear(): JournalEntry | undefined {
    const middle = [...this.#kept.values()]
      .flatMap(({ partitions }) => [...partitions.values()])
      .flatMap(({ entries, first, next }) =>
        [...entries.values()].filter(
          ({ entry, torn }) => !torn && entry.value !== null && entry.place > first && entry.place < next - 1,
        ),
      )
    if (middle.length === 0) return undefined
    const chosen = this.#prng.pick(middle)
    chosen.torn = true
    return chosen.entry
  }

  /** Dead letters of all journals, or of one. */
  *letters(path?: string): Generator<DeadLetter> {
    for (const [name, { letters }] of this.#kept) if (path === undefined || path === name) yield* letters.values()
  }

  // --- for journals ---------------------------------------------------------------------------------------------

  journal(path: string, process: SimulatedProcess): Journal {
    let kept = this.#kept.get(path)
    if (kept === undefined) {
      kept = {
        ...{ owner: undefined, holder: undefined, partitions: new Map(), letters: new Map(), nextLetter: 1 },
        ...{ underWay: [], ghosts: [], busyUntil: 0 },
      }
      this.#kept.set(path, kept)
    }
    return new SimulatedJournal(this, path, kept, process)
  }

  readLetters({ letters }: Kept): [number: number, letter: DeadLetter][] {
    for (const { value } of letters.values()) if (value !== null) this.lettersRead.add(Buffer.from(value).toString())
    return [...letters]
  }

  /** Does something after a while; its result or error gets to the process if it is still there. */
  call<T>(kept: Kept, { process, channel }: Caller, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#timeline.schedule(this.#doneAt(kept), () => answer(process, channel, work, resolve, reject))
    })
  }

  /** A write, durable at the moment that it is answered; `bytes` more or, if negative, less. */
  write(
    kept: Kept,
    { process, channel, path }: Caller,
    change: { readonly bytes: number; readonly apply: () => void; readonly applied: () => void },
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#timeline.schedule(this.#doneAt(kept), () => {
        kept.underWay = kept.underWay.filter((one) => one !== underWay)
        if (process.state === 'dead' && this.#prng.chance(50)) return
        const refusal = this.#refusalOf(change.bytes)
        const undone = refusal === undefined || !this.#failing || this.#prng.chance(50)
        if (!undone) kept.ghosts.push(change.apply)
        if (refusal === undefined) {
          kept.ghosts = []
          this.#freeBytes -= change.bytes
          change.apply()
        }
        answer(
          process,
          channel,
          () => {
            if (refusal !== undefined) throw failed(path, `was not written: ${refusal}`, { undone })
            change.applied()
          },
          resolve,
          reject,
        )
      })
      const underWay: UnderWay = { apply: change.apply, volatile: false, cancel }
      kept.underWay.push(underWay)
    })
  }

  /** A write that gets to the disk sometime, unless its process is killed before. */
  writeLater(kept: Kept, process: SimulatedProcess, apply: () => number): void {
    const work = (): void => {
      this.#freeBytes += apply()
    }
    const cancel = this.#timeline.after(this.#prng.between(0, this.#marksLateMs), () => {
      if (process.state === 'dead' || !kept.underWay.includes(underWay)) return
      // In order: what was written before it is there before it.
      const before = kept.underWay.indexOf(underWay)
      const through = kept.underWay.slice(0, before + 1).filter(({ volatile }) => volatile)
      kept.underWay = kept.underWay.filter((one) => !through.includes(one))
      for (const one of through) one.apply()
    })
    const underWay: UnderWay = { apply: work, volatile: true, cancel }
    kept.underWay.push(underWay)
  }

  /** What a process that is gone had under way: by lot, but for marks, which are lost with it. */
  settle(kept: Kept): void {
    for (const { apply, volatile, cancel } of kept.underWay) {
      cancel()
      if (volatile || this.#prng.chance(50)) continue
      kept.ghosts = []
      apply()
    }
    for (const apply of kept.ghosts) if (this.#prng.chance(50)) apply()
    kept.underWay = []
    kept.ghosts = []
  }

  /** Brings to the disk what was only on its way, or says why not. */
  flush(kept: Kept): string | undefined {
    const late = kept.underWay.filter(({ volatile }) => volatile)
    kept.underWay = kept.underWay.filter(({ volatile }) => !volatile)
    for (const { cancel } of late) cancel()
    if (this.#failing) return FAILING
    for (const { apply } of late) apply()
    return undefined
  }

  get failing(): boolean {
    return this.#failing
  }

  #refusalOf(bytes: number): string | undefined {
    if (this.#failing) return FAILING
    return bytes >= 0 && bytes >= this.#freeBytes ? FULL : undefined
  }

  #doneAt(kept: Kept): number {
    const travelMs = this.#prng.between(...this.#latencyMs) + this.#slowMs
    kept.busyUntil = Math.max(kept.busyUntil, this.#timeline.now + travelMs)
    return kept.busyUntil
  }
}

class SimulatedJournal implements Journal {
  readonly #disk: SimulatedDisk
  readonly #path: string
  readonly #kept: Kept
  readonly #process: SimulatedProcess
  readonly #caller: Caller
  readonly #known = new Map<string, Known>()
  #owner!: JournalOwner
  #open = false

  constructor(disk: SimulatedDisk, path: string, kept: Kept, process: SimulatedProcess) {
    this.#disk = disk
    this.#path = path
    this.#kept = kept
    this.#process = process
    this.#caller = { process, channel: { name: 'journal' }, path }
  }

  open(owner: JournalOwner): Promise<JournalContents> {
    return this.#disk.call(this.#kept, this.#caller, () => {
      const path = this.#path
      const { holder } = this.#kept
      if (holder !== undefined && holder.state !== 'dead') {
        throw new JournalLockedError(`The journal ${path} is open elsewhere`, { path })
      }
      if (this.#disk.failing) throw failed(path, `was not opened: ${FAILING}`)
      this.#disk.settle(this.#kept)
      this.#checkOwner(owner)
      this.#kept.owner = owner
      this.#kept.holder = this.#process
      this.#owner = owner
      this.#open = true
      return this.#contents()
    })
  }

  append(entries: readonly JournalEntry[]): Promise<void> {
    const longer = new Map<string, { readonly next: number; readonly bytesNext: number }>()
    for (const entry of entries) {
      const name = nameOf(entry)
      const end = longer.get(name) ?? this.#knownOf(name)
      const { place, bytesBefore } = entry
      invariant(place === end.next && bytesBefore === end.bytesNext, 'an entry continues the places of its partition', {
        ...{ topic: entry.topic, partition: entry.partition, place, bytesBefore },
        ...{ next: end.next, bytesNext: end.bytesNext },
      })
      longer.set(name, { next: place + 1, bytesNext: bytesBefore + entry.bytes })
    }
    return this.#write({
      bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
      apply: () => {
        for (const entry of entries) this.#keep(entry)
      },
      applied: () => {
        for (const [name, end] of longer) this.#known.set(name, { ...this.#knownOf(name), ...end })
      },
    })
  }

  read(
    from: { readonly topic: string; readonly partition: number; readonly place: number },
    { entriesMax, bytesMax }: ReadLimits,
  ): Promise<JournalRun> {
    return this.#call(() => {
      const kept = this.#kept.partitions.get(nameOf(from))
      const { done, next } = this.#knownOf(nameOf(from))
      const place = Math.max(from.place, ...(kept === undefined ? [] : [Math.min(...done)]))
      const end = Math.max(place, Math.min(next, place + entriesMax))
      if (kept === undefined || place === end) return { entries: [], next: place, damaged: [] }
      const entries: JournalEntry[] = []
      const damaged: { first: number; last: number; reason: string }[] = []
      let bytes = 0
      for (let at = place; at < end; at++) {
        const found = kept.entries.get(at)
        if (found === undefined || found.torn) {
          damaged.push({ first: at, last: at, reason: found === undefined ? 'it is not there' : 'it is torn' })
          continue
        }
        if (entries.length > 0 && bytes + found.entry.bytes > bytesMax) return { entries, next: at, damaged }
        entries.push(found.entry)
        bytes += found.entry.bytes
      }
      return { entries, next: end, damaged }
    })
  }

  mark(marks: readonly JournalMark[]): Promise<void> {
    return this.#call(() => {
      for (const mark of marks) {
        const { next } = this.#knownOf(nameOf(mark))
        invariant(mark.done <= next, 'nothing is done that was not appended', { done: mark.done, next })
      }
      if (this.#disk.failing) throw failed(this.#path, `was not written: ${FAILING}`)
      for (const { lane, done, ...at } of marks) {
        const known = this.#known.get(nameOf(at))
        if (known === undefined) continue
        const further: [number, number] = [...known.done]
        further[lane] = Math.max(further[lane], done)
        this.#known.set(nameOf(at), { ...known, done: further })
      }
      this.#disk.writeLater(this.#kept, this.#process, () => this.#applyMarks(marks))
    })
  }

  forgo(at: { topic: string; partition: number; place: number; lane: LaneIndex }): Promise<void> {
    const apply = (): void => {
      const kept = this.#kept.partitions.get(nameOf(at))
      if (kept === undefined || at.place < kept.first) return
      const cluster = this.#owner.clusters[at.lane]
      const forgone = kept.forgone.get(cluster) ?? new Set()
      kept.forgone.set(cluster, forgone.add(at.place))
    }
    return this.#write({ bytes: 0, apply, applied: () => undefined })
  }

  bury(letters: readonly DeadLetter[], left?: JournalEntry): Promise<void> {
    const kept = this.#kept
    const apply = (): void => {
      for (const letter of letters) kept.letters.set(kept.nextLetter++, letter)
      const entries = left && kept.partitions.get(nameOf(left))?.entries
      if (left !== undefined && entries?.has(left.place) === true) entries.set(left.place, { entry: left, torn: false })
    }
    return this.#write({ bytes: letters.length * LETTER_BYTES, apply, applied: () => undefined })
  }

  rebury(name: string, letter: DeadLetter): Promise<void> {
    const apply = (): void => {
      this.#kept.letters.set(Number(name), letter)
    }
    return this.#write({ bytes: 0, apply, applied: () => undefined })
  }

  async *deadLetters(): AsyncIterable<BuriedLetter> {
    const letters = await this.#call(() => this.#disk.readLetters(this.#kept))
    for (const [number, letter] of letters) yield { name: String(number), letter }
  }

  exhume(name: string): Promise<void> {
    const apply = (): void => {
      this.#kept.letters.delete(Number(name))
    }
    return this.#write({ bytes: -LETTER_BYTES, apply, applied: () => undefined })
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve()
    this.#open = false
    return this.#disk.call(this.#kept, this.#caller, () => {
      const refusal = this.#disk.flush(this.#kept)
      this.#kept.holder = undefined
      if (refusal !== undefined) throw failed(this.#path, `was not written: ${refusal}`)
    })
  }

  #call<T>(work: () => T): Promise<T> {
    if (!this.#open) return Promise.reject(failed(this.#path, 'is closed'))
    return this.#disk.call(this.#kept, this.#caller, work)
  }

  #write(change: { readonly bytes: number; readonly apply: () => void; readonly applied: () => void }): Promise<void> {
    if (!this.#open) return Promise.reject(failed(this.#path, 'is closed'))
    return this.#disk.write(this.#kept, this.#caller, change)
  }

  #knownOf(name: string): Known {
    return this.#known.get(name) ?? { next: 1, bytesNext: 0, done: [1, 1] }
  }

  #checkOwner({ producerId, clusters }: JournalOwner): void {
    const stored = this.#kept.owner
    if (stored === undefined) return
    if (stored.producerId === producerId && clusters.every((name) => stored.clusters.includes(name))) return
    const owner = { producerId: stored.producerId, clusters: stored.clusters }
    throw new JournalForeignError(`The journal ${this.#path} is of ${stored.producerId}, not of ${producerId}`, {
      ...{ path: this.#path, producerId, clusters, owner },
    })
  }

  #keep(entry: JournalEntry): void {
    const name = nameOf(entry)
    let kept = this.#kept.partitions.get(name)
    if (kept === undefined) {
      const { topic, partition } = entry
      kept = {
        ...{ topic, partition, first: 1, next: 1, bytesNext: 0 },
        ...{ entries: new Map(), done: new Map(), forgone: new Map() },
      }
      this.#kept.partitions.set(name, kept)
    }
    kept.entries.set(entry.place, { entry, torn: false })
    kept.next = entry.place + 1
    kept.bytesNext = entry.bytesBefore + entry.bytes
  }

  /** Returns the bytes of what goes. */
  #applyMarks(marks: readonly JournalMark[]): number {
    let bytes = 0
    for (const mark of marks) {
      const kept = this.#kept.partitions.get(nameOf(mark))
      if (kept === undefined) continue
      const cluster = this.#owner.clusters[mark.lane]
      kept.done.set(cluster, Math.max(mark.done, kept.done.get(cluster) ?? 1))
      const forgone = kept.forgone.get(cluster) ?? new Set()
      kept.forgone.set(cluster, forgone)
      for (const place of mark.forgone) forgone.add(place)
      const first = Math.min(...this.#owner.clusters.map((name) => kept.done.get(name) ?? 1))
      for (; kept.first < first; kept.first++) {
        bytes += kept.entries.get(kept.first)?.entry.bytes ?? 0
        kept.entries.delete(kept.first)
        for (const places of kept.forgone.values()) places.delete(kept.first)
      }
    }
    return bytes
  }

  #contents(): JournalContents {
    const [east, west] = this.#owner.clusters
    const partitions: JournalPartition[] = []
    for (const [name, kept] of this.#kept.partitions) {
      const { topic, partition, first, next, bytesNext } = kept
      const done = [kept.done.get(east) ?? 1, kept.done.get(west) ?? 1] as const
      this.#known.set(name, { next, bytesNext, done })
      const whole = [...kept.entries.values()].find(({ torn }) => !torn)
      const forgoneBy = (cluster: string): number[] => [...(kept.forgone.get(cluster) ?? [])].sort((a, b) => a - b)
      partitions.push({
        ...{ topic, partition, first, next, bytesNext },
        bytesFirst: whole?.entry.bytesBefore ?? bytesNext,
        done,
        forgone: [forgoneBy(east), forgoneBy(west)],
      })
    }
    return { partitions, deadLetters: this.#kept.letters.size, droppedBytes: 0 }
  }
}

function answer<T>(
  process: SimulatedProcess,
  channel: Channel,
  work: () => T,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): void {
  process.deliver(channel, () => {
    try {
      resolve(work())
    } catch (error) {
      reject(error)
    }
  })
}

function failed(path: string, what: string, details: { readonly undone?: boolean } = {}): JournalFailedError {
  return new JournalFailedError(`The journal ${path} ${what}`, { path, ...details })
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${partition}/${topic}`
}

const FULL = 'No space left on device'
const FAILING = 'Input/output error'
/** About. */
const LETTER_BYTES = 512
const MARKS_LATE_MS = 1_000
