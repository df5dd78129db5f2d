/**
 * The journal on LevelDB, which does disk, order and torn tails; @tandem/level makes up for what it does not.
 *
 * How far each partition was appended is written with the entries of each batch, and with the partition's name, so
 * that places go on where they were even when all entries are gone. What cannot be read shows as a hole between places,
 * since those have none: whether LevelDB lost a block of a table, a stretch of its log, or our checksum is wrong.
 *
 * Marks go to the log without being forced to disk: they survive a kill, not a power cut. Entries that they remove go
 * in the same batch. Files shrink when LevelDB merges them; it is asked to when much was removed.
 */
import {
  invariant,
  JournalFailedError,
  JournalForeignError,
  JournalLockedError,
  JournalVersionError,
  type ErrorDetails,
} from '@tandem/common/internal'
import { LevelDatabase, rowsOf, type KeyRange, type Level, type Operation, type Row } from '@tandem/level'

import type { LaneIndex } from '../core/record.js'
import { Damage, decodeEntry, decodeLetter, encodeEntry, encodeLetter, pack, unpack } from './entry-codec.js'
import {
  entriesFrom,
  entryKey,
  entryRange,
  forgoingCluster,
  forgoneKey,
  forgoneRange,
  idOf,
  letterKey,
  letterNumber,
  lettersFrom,
  lettersNextKey,
  markedCluster,
  markKey,
  marksOf,
  ownerKey,
  ownerRange,
  partitionKey,
  partitionsFrom,
  placeOf,
} from './journal-keys.js'
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
  ReadLimits,
} from './journal.js'

export interface LevelJournalSettings {
  /** Set aside on disk, so that a full one can still be read and made shorter. */
  readonly reserveBytes?: number
  /** So much that was removed is worth a compaction. */
  readonly compactBytesMin?: number
}

/** One partition of a topic, as far as it is known to be on disk. */
interface Partition {
  readonly id: number
  readonly topic: string
  readonly partition: number
  /** Below it, no entries are kept. */
  first: number
  next: number
  bytesNext: number
  done: [number, number]
}

export class LevelJournal implements Journal {
  readonly #path: string
  readonly #compactBytesMin: number
  readonly #database: LevelDatabase
  readonly #partitions = new Map<string, Partition>()
  #owner!: JournalOwner
  #nextId = 1
  #nextLetter = 1
  readonly #shrunk = new Set<Partition>()
  #compacting: Promise<void> | undefined

  constructor(path: string, settings: LevelJournalSettings = {}) {
    const { reserveBytes, compactBytesMin = COMPACT_BYTES_MIN } = settings
    this.#path = path
    this.#compactBytesMin = compactBytesMin
    this.#database = new LevelDatabase({
      path,
      reserveBytes,
      what: 'journal',
      error: (why, text, details, cause) => {
        if (why === 'failed') return new JournalFailedError(text, details, cause)
        return new JournalLockedError(`${text}: each producer needs its own`, details, cause)
      },
      undo: (level) => this.#leftovers(level),
    })
  }

  async open(owner: JournalOwner): Promise<JournalContents> {
    this.#owner = owner
    await this.#database.open()
    try {
      const contents = await this.#database.read((level) => this.#load(level))
      await this.#database.change(async (write) => {
        const leftovers = await this.#database.read((level) => this.#leftovers(level))
        await write([this.#ownership(), ...leftovers], { durable: true, grows: false })
      })
      return contents
    } catch (error) {
      await this.#database.close()
      throw error
    }
  }

  append(entries: readonly JournalEntry[]): Promise<void> {
    return this.#database.change(async (write) => {
      const operations: Operation[] = []
      const longer = new Map<string, Partition>()
      let nextId = this.#nextId
      for (const entry of entries) {
        const name = nameOf(entry)
        let partition = longer.get(name)
        if (partition === undefined) {
          const known = this.#partitions.get(name)
          partition = known === undefined ? emptyPartition(nextId++, entry) : { ...known }
          longer.set(name, partition)
        }
        const { place, bytesBefore } = entry
        const { next, bytesNext } = partition
        invariant(place === next && bytesBefore === bytesNext, 'an entry continues the places of its partition', {
          ...{ topic: entry.topic, partition: entry.partition, place, bytesBefore, next, bytesNext },
        })
        const key = entryKey(partition.id, place)
        operations.push({ type: 'put', key, value: encodeEntry(key, entry) })
        partition.next++
        partition.bytesNext += entry.bytes
      }
      for (const partition of longer.values()) operations.push(extent(partition))
      if (operations.length === 0) operations.push(this.#ownership())
      await write(operations, { durable: true, grows: true })
      this.#nextId = nextId
      for (const [name, { next, bytesNext, ...rest }] of longer) {
        const known = this.#partitions.get(name)
        if (known === undefined) this.#partitions.set(name, { ...rest, next, bytesNext })
        else Object.assign(known, { next, bytesNext })
      }
    })
  }

  async read(
    from: { readonly topic: string; readonly partition: number; readonly place: number },
    limits: ReadLimits,
  ): Promise<JournalRun> {
    const partition = this.#partitions.get(nameOf(from))
    if (partition === undefined) return { entries: [], next: from.place, damaged: [] }
    const place = Math.max(from.place, partition.first)
    const end = Math.max(place, Math.min(partition.next, place + limits.entriesMax))
    if (place === end) return { entries: [], next: place, damaged: [] }
    return this.#database.read((level) => readRun(level, partition, { place, end, bytesMax: limits.bytesMax }))
  }

  mark(marks: readonly JournalMark[]): Promise<void> {
    return this.#database.change(async (write) => {
      const operations: Operation[] = []
      const further = new Map<Partition, { readonly first: number; readonly done: [number, number] }>()
      for (const [name, own] of grouped(marks)) {
        const partition = this.#partitions.get(name)
        const next = partition?.next ?? 1
        for (const { done } of own)
          invariant(done <= next, 'nothing is done that was not appended', { name, done, next })
        if (partition === undefined) continue
        const done = doneOf(partition, own)
        const first = Math.min(...done)
        operations.push(...this.#marked(partition, own, done))
        operations.push(...(await this.#database.read((level) => removalsOf(level, partition, first))))
        further.set(partition, { first, done })
      }
      for (let at = 0; at < operations.length; at += OPERATIONS_MAX) {
        await write(operations.slice(at, at + OPERATIONS_MAX), { durable: false, grows: false })
      }
      for (const [partition, { first, done }] of further) {
        const removed = first > partition.first
        Object.assign(partition, { first, done })
        if (removed) this.#compactBelow(partition)
      }
    })
  }

  async forgo(at: { topic: string; partition: number; place: number; lane: LaneIndex }): Promise<void> {
    const partition = this.#partitions.get(nameOf(at))
    if (partition === undefined || at.place < partition.first) return
    const key = forgoneKey(partition.id, at.place, this.#owner.clusters[at.lane])
    await this.#database.change((write) =>
      write([{ type: 'put', key, value: NOTHING }], { durable: true, grows: false }),
    )
  }

  bury(letters: readonly DeadLetter[], left?: JournalEntry): Promise<void> {
    return this.#database.change(async (write) => {
      const next = this.#nextLetter + letters.length
      const operations: Operation[] = letters.map((letter, index) => {
        const key = letterKey(this.#nextLetter + index)
        return { type: 'put', key, value: encodeLetter(key, letter) }
      })
      operations.push({ type: 'put', key: lettersNextKey, value: pack(lettersNextKey, [next]) })
      const partition = left && this.#partitions.get(nameOf(left))
      if (left !== undefined && partition !== undefined && left.place >= partition.first) {
        const entry = entryKey(partition.id, left.place)
        operations.push({ type: 'put', key: entry, value: encodeEntry(entry, left) })
      }
      await write(operations, { durable: true, grows: true })
      this.#nextLetter = next
    })
  }

  async rebury(name: string, letter: DeadLetter): Promise<void> {
    const number = letterNumberOf(name)
    invariant(number !== undefined, 'a letter has its name from the journal', { name })
    const key = letterKey(number)
    await this.#database.change((write) =>
      write([{ type: 'put', key, value: encodeLetter(key, letter) }], { durable: true, grows: true }),
    )
  }

  async *deadLetters(): AsyncIterable<BuriedLetter> {
    // By pages: whoever reads them may take long over each.
    for (let range = lettersFrom(0); ;) {
      const page = await this.#database.read((level) => firstRunOf(level, range))
      for (const [key, value] of page) {
        const number = letterNumber(key)
        if (number === undefined) continue
        const name = String(number)
        const letter = decodeLetter(key, value)
        yield letter instanceof Damage ? { name, damaged: letter.reason } : { name, letter }
      }
      if (page.length === 0) return
      range = { ...range, gte: Buffer.concat([page.at(-1)![0], Buffer.of(0)]) }
    }
  }

  async exhume(name: string): Promise<void> {
    const number = letterNumberOf(name)
    if (number === undefined) return
    const key = letterKey(number)
    await this.#database.change((write) => write([{ type: 'del', key }], { durable: true, grows: false }))
  }

  async close(): Promise<void> {
    if (this.#database.closed) return
    try {
      // What is forced to disk takes with it what was written before.
      await this.#database.change((write) => write([this.#ownership()], { durable: true, grows: false }))
    } finally {
      await this.#database.close()
    }
  }

  // --- what earlier lives left ------------------------------------------------------------------------------------

  async #load(level: Level): Promise<JournalContents> {
    await this.#checkOwner(level)
    await this.#loadPartitions(level)
    const partitions: JournalPartition[] = []
    for (const partition of this.#partitions.values()) partitions.push(await this.#contentsOf(level, partition))
    return { partitions, deadLetters: await this.#loadLetters(level), droppedBytes: this.#database.droppedBytes }
  }

  async #checkOwner(level: Level): Promise<void> {
    const [stored] = await firstRunOf(level, ownerRange)
    if (stored === undefined) return
    const path = this.#path
    const format = unpack(ownerKey, stored[1], (fields) => fields.integer('format', 1))
    if (!(format instanceof Damage) && format > FORMAT) {
      const text = `The journal ${path} has format ${format}, written by a newer tandem; known is ${FORMAT}`
      throw new JournalVersionError(text, { path, format, known: FORMAT })
    }
    const owner = unpack(ownerKey, stored[1], (fields) => ({
      format: fields.integer('format', 1),
      producerId: fields.text('producerId'),
      epoch: fields.integer('epoch', 0),
      incarnation: fields.integer('incarnation', 0),
      clusters: fields.texts('clusters'),
    }))
    if (owner instanceof Damage) return // what can still be read is worth more than to know that it is ours
    const { producerId, clusters } = this.#owner
    if (owner.producerId === producerId && clusters.every((name) => owner.clusters.includes(name))) return
    const details: ErrorDetails = {
      path,
      producerId,
      clusters,
      owner: { producerId: owner.producerId, clusters: owner.clusters },
    }
    throw new JournalForeignError(
      `The journal ${path} is of ${owner.producerId} for ${owner.clusters.join(' and ')}, not of ${producerId} ` +
        `for ${clusters.join(' and ')}`,
      details,
    )
  }

  async #loadPartitions(level: Level): Promise<void> {
    for await (const rows of rowsOf(level, partitionsFrom(0))) {
      for (const [key, value] of rows) {
        const id = idOf(key)
        const partition = id === undefined ? undefined : partitionOf(id, key, value)
        if (partition !== undefined) this.#partitions.set(nameOf(partition), partition)
      }
    }
    // Those of which only entries can still be read.
    const ids = new Set([...this.#partitions.values()].map(({ id }) => id))
    for (let id = 0; ; id++) {
      const [row] = await firstRunOf(level, entriesFrom(id), 0)
      const found = row && idOf(row[0])
      if (found === undefined || found < id) break
      id = found
      if (!ids.has(id)) await this.#loadOrphans(level, id)
      ids.add(id)
    }
    this.#nextId = Math.max(0, ...ids) + 1
  }

  async #loadOrphans(level: Level, id: number): Promise<void> {
    for await (const rows of rowsOf(level, entryRange(id, 0, PLACE_MAX))) {
      for (const [key, value] of rows) {
        const entry = decodeEntry(key, value)
        if (entry instanceof Damage) continue
        this.#partitions.set(nameOf(entry), emptyPartition(id, entry))
        return
      }
    }
  }

  /** Marks may be older than the removals, and what is told of the end older than the entries: the later one counts. */
  async #contentsOf(level: Level, partition: Partition): Promise<JournalPartition> {
    const { id, topic, done } = partition
    const last = await endOf(level, partition)
    if (last !== undefined && last.place >= partition.next) {
      Object.assign(partition, { next: last.place + 1, bytesNext: last.bytesBefore + last.bytes })
    }
    for await (const rows of rowsOf(level, marksOf(id))) {
      for (const [key, value] of rows) {
        const lane = this.#owner.clusters.indexOf(markedCluster(key))
        const mark = unpack(key, value, (fields) => fields.integer('done', 1))
        if (lane >= 0 && !(mark instanceof Damage)) done[lane as LaneIndex] = mark
      }
    }
    partition.next = Math.max(partition.next, ...done)
    partition.first = Math.min(...done)
    const { first, next, bytesNext } = partition
    const forgone: [number[], number[]] = [[], []]
    for await (const rows of rowsOf(level, forgoneRange(id, first, next))) {
      for (const [key] of rows) {
        const lane = this.#owner.clusters.indexOf(forgoingCluster(key))
        const place = placeOf(key)
        if (lane >= 0 && place !== undefined) forgone[lane as LaneIndex].push(place)
      }
    }
    const run = await readRun(level, partition, { place: first, end: next, bytesMax: 0 })
    const bytesFirst = run.entries[0]?.bytesBefore ?? bytesNext
    return { topic, partition: partition.partition, first, next, bytesFirst, bytesNext, done: [...done], forgone }
  }

  async #loadLetters(level: Level): Promise<number> {
    const stored = await level.get(lettersNextKey)
    const next = stored && unpack(lettersNextKey, stored, (fields) => fields.integer('number', 1))
    this.#nextLetter = next === undefined || next instanceof Damage ? 1 : next
    let count = 0
    for await (const rows of rowsOf(level, lettersFrom(0))) {
      count += rows.length
      this.#nextLetter = Math.max(this.#nextLetter, (letterNumber(rows.at(-1)![0]) ?? 0) + 1)
    }
    return count
  }

  // --- changes ----------------------------------------------------------------------------------------------------

  #ownership(): Operation {
    const { producerId, epoch, incarnation, clusters } = this.#owner
    return { type: 'put', key: ownerKey, value: pack(ownerKey, [FORMAT, producerId, epoch, incarnation, clusters]) }
  }

  /** What to write down of marks of one partition. */
  #marked(partition: Partition, marks: readonly JournalMark[], done: readonly [number, number]): Operation[] {
    const operations: Operation[] = []
    for (const lane of [0, 1] as const) {
      if (done[lane] === partition.done[lane]) continue
      const key = markKey(partition.id, this.#owner.clusters[lane])
      operations.push({ type: 'put', key, value: pack(key, [done[lane]]) })
    }
    for (const { lane, forgone } of marks) {
      for (const place of forgone) {
        if (place < Math.min(...done)) continue
        const key = forgoneKey(partition.id, place, this.#owner.clusters[lane])
        operations.push({ type: 'put', key, value: NOTHING })
      }
    }
    return operations
  }

  #compactBelow(partition: Partition): void {
    this.#shrunk.add(partition)
    this.#compacting ??= this.#compactShrunk()
  }

  async #compactShrunk(): Promise<void> {
    for (const partition of this.#shrunk) {
      this.#shrunk.delete(partition) // it is visited again if it shrinks meanwhile
      const { id, first } = partition
      // If it fails, so does the next write, and says why.
      await this.#database.compact(entryRange(id, 0, first), this.#compactBytesMin).catch(() => undefined)
    }
    this.#compacting = undefined // in the same step, so that nothing that shrinks now is forgotten
  }

  /** What lies on disk and is not known of: removed but not gone, or of a write that failed. */
  async #leftovers(level: Level): Promise<Operation[]> {
    const operations: Operation[] = []
    for (const partition of this.#partitions.values()) {
      const { id, first, next } = partition
      operations.push(...(await deletions(level, entryRange(id, 0, first))))
      operations.push(...(await deletions(level, forgoneRange(id, 0, first))))
      operations.push(...(await deletions(level, entryRange(id, next, PLACE_MAX))))
      operations.push(extent(partition))
    }
    operations.push(...(await deletions(level, partitionsFrom(this.#nextId))))
    operations.push(...(await deletions(level, entriesFrom(this.#nextId))))
    operations.push(...(await deletions(level, lettersFrom(this.#nextLetter))))
    return operations
  }
}

/** Entries of the places from one to another, which is not among them; what is between and cannot be read is damaged. */
async function readRun(
  level: Level,
  { id, topic, partition }: Partition,
  { place, end, bytesMax }: { readonly place: number; readonly end: number; readonly bytesMax: number },
): Promise<JournalRun> {
  const entries: JournalEntry[] = []
  const damaged: { first: number; last: number; reason: string }[] = []
  let bytes = 0
  let next = place
  for await (const rows of rowsOf(level, entryRange(id, place, end), Math.min(bytesMax, READ_BYTES_MAX))) {
    for (const [key, value] of rows) {
      const at = placeOf(key)
      if (at === undefined || at < next || at >= end) continue
      if (at > next) damaged.push({ first: next, last: at - 1, reason: MISSING })
      const entry = decodeEntry(key, value)
      if (entry instanceof Damage || entry.place !== at || entry.topic !== topic || entry.partition !== partition) {
        damaged.push({ first: at, last: at, reason: entry instanceof Damage ? entry.reason : 'it is another entry' })
      } else {
        if (entries.length > 0 && bytes + entry.bytes > bytesMax) return { entries, next: at, damaged }
        entries.push(entry)
        bytes += entry.bytes
      }
      next = at + 1
    }
  }
  if (next < end) damaged.push({ first: next, last: end - 1, reason: MISSING })
  return { entries, next: end, damaged }
}

/** Deletes entries up to `first` blindly, since their places are known, and what is kept with them. */
async function removalsOf(level: Level, { id, first: old }: Partition, first: number): Promise<Operation[]> {
  if (first === old) return []
  const operations = await deletions(level, forgoneRange(id, old, first))
  for (let place = old; place < first; place++) operations.push({ type: 'del', key: entryKey(id, place) })
  return operations
}

async function deletions(level: Level, range: KeyRange): Promise<Operation[]> {
  const operations: Operation[] = []
  for await (const rows of rowsOf(level, range)) {
    for (const [key] of rows) operations.push({ type: 'del', key })
  }
  return operations
}

async function firstRunOf(level: Level, range: KeyRange, bytesMax?: number): Promise<Row[]> {
  for await (const rows of rowsOf(level, range, bytesMax)) return rows
  return []
}

/** The last entry that can be read, if it is the last at all. */
async function endOf(level: Level, { id }: Partition): Promise<JournalEntry | undefined> {
  const range = entryRange(id, 0, PLACE_MAX)
  const iterator = level.iterator({ ...range, reverse: true })
  try {
    const row = await iterator.next()
    const entry = row && decodeEntry(...row)
    return entry instanceof Damage ? undefined : entry
  } catch {
    return undefined
  } finally {
    await iterator.close()
  }
}

/** How far a partition was appended. */
function extent({ id, topic, partition, next, bytesNext }: Partition): Operation {
  const key = partitionKey(id)
  return { type: 'put', key, value: pack(key, [topic, partition, next, bytesNext]) }
}

function partitionOf(id: number, key: Buffer, value: Buffer): Partition | undefined {
  const partition = unpack(key, value, (fields) => ({
    topic: fields.text('topic'),
    partition: fields.integer('partition', 0),
    next: fields.integer('next', 1),
    bytesNext: fields.integer('bytes', 0),
  }))
  return partition instanceof Damage ? undefined : { ...emptyPartition(id, partition), ...partition }
}

function emptyPartition(id: number, at: { readonly topic: string; readonly partition: number }): Partition {
  return { id, topic: at.topic, partition: at.partition, first: 1, next: 1, bytesNext: 0, done: [1, 1] }
}

function doneOf(partition: Partition, marks: readonly JournalMark[]): [number, number] {
  const done: [number, number] = [...partition.done]
  for (const mark of marks) done[mark.lane] = Math.max(done[mark.lane], mark.done)
  return done
}

function grouped(marks: readonly JournalMark[]): Map<string, JournalMark[]> {
  const groups = new Map<string, JournalMark[]>()
  for (const mark of marks) {
    const own = groups.get(nameOf(mark))
    if (own === undefined) groups.set(nameOf(mark), [mark])
    else own.push(mark)
  }
  return groups
}

function letterNumberOf(name: string): number | undefined {
  const number = Number(name)
  return Number.isSafeInteger(number) && number >= 1 ? number : undefined
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${partition}/${topic}`
}

const FORMAT = 1
const MISSING = 'it is not there'
const NOTHING = Buffer.alloc(0)
const PLACE_MAX = Number.MAX_SAFE_INTEGER
const OPERATIONS_MAX = 10_000
const READ_BYTES_MAX = 1 << 20
/** Twice LevelDB's table size, so that there are whole tables to drop. */
const COMPACT_BYTES_MIN = 4 << 20
