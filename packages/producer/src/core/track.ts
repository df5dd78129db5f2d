/**
 * One partition of one cluster: what is still to be written there, what is being written, what never will be.
 *
 * There is no recovery mode. Records go through one queue in the order in which they were stamped; while the circuit
 * is open the queue waits, and when it closes the queue drains. Whatever comes back from the client goes to the front,
 * in the order of stamping: `#again` holds what was handed over before and `#fresh` what was not, and everything in
 * the first is older than anything in the second.
 *
 * What a report means (protocol.md, Lanes and tracks):
 * - acknowledged with an offset: done.
 * - acknowledged without one (hollow): librdkafka takes a duplicate-sequence answer for success, and it is not
 *   certain that this record was the one. Written again; twice in one log is harmless.
 * - refused for good: a void takes its place. The circuit is not touched, since the cluster is well.
 * - its batch was refused for good: one bad record condemns all in its batch, and a broker whose limit is below the
 *   client's batch size condemns good ones. So each is written once more with nothing beside it, and only an answer to
 *   a record alone counts as said about that record.
 * - anything else is transient: back to the front, and the circuit counts it. The log may hold it all the same, so it
 *   stays in doubt until an acknowledgement.
 *
 * **On disk.** When the lane holds as much as it may and has a journal, the queue goes on there: `#fresh`, then what is
 * on disk and not read back, then `#tail`, which holds what is newer than that in memory. What is in the tail goes to
 * the disk when the lane is over its bound; when the disk is read out, the tail is the queue. So a record is always
 * behind all that are older than it, wherever they lie.
 *
 * A void says that exactly these counters were not acknowledged here. Voids wait as intervals per sequence, so that
 * an outage of any length takes bounded memory, and go before the queue; where a void stands in the log does not
 * matter, since per feed and counter the first of data and void decides. What this track has acknowledged is never
 * voided: only queued records can be given up, and an acknowledged one is not queued. The one exception is a void that
 * an import asks for (protocol.md, Lanes and tracks 13): it is a question to the log, whose first word stands.
 */
import { Fifo, Intervals, invariant, type TandemFact } from '@tandem/common/internal'

import { Circuit, type CircuitLimits } from './circuit.js'
import { InClient } from './in-client.js'
import type { Load } from './load.js'
import { SealedRecord, VoidRecord, type LaneIndex, type VoidReason, type Write } from './record.js'
import type { Sequence } from './sequencer.js'
import type { WriteFailure } from './write-failure.js'

export type TrackCommand =
  | { readonly kind: 'acknowledged'; readonly record: SealedRecord }
  /** It will not be written here: refused or given up. */
  | { readonly kind: 'voided'; readonly record: SealedRecord }
  /** Put on disk what the tails of this partition hold, so that it can leave memory. */
  | { readonly kind: 'spill'; readonly topic: string; readonly partition: number }
  /** Read on from this place of the journal. */
  | { readonly kind: 'load'; readonly topic: string; readonly partition: number; readonly place: number }
  /** Nobody has the record in memory any more; the journal has it. */
  | { readonly kind: 'left'; readonly record: SealedRecord }
  /** A void that was asked for is in the log, or never will be. */
  | { readonly kind: 'void-answered'; readonly write: VoidRecord; readonly written: boolean }
  | { readonly kind: 'tell'; readonly fact: TandemFact }

export interface Taken {
  /** Names what was taken in the report about it. */
  readonly serial: number
  readonly write: Write
}

export interface TrackOptions {
  readonly cluster: string
  readonly lane: LaneIndex
  readonly topic: string
  readonly partition: number
  readonly circuit: CircuitLimits
  /** Bounds of what is in the client at a time, so that one stuck partition leaves room for the others. */
  readonly inClientMax: number
  readonly inClientBytesMax: number
  /** What the other cluster has had for longer is voided; at most, and if left out, `REWRITE_AGE_MS_MAX`. */
  readonly copyAgeMaxMs?: number | undefined
  readonly load: Load
  /** What the tracks of a lane say goes into one queue, in the order in which it happened; the lane passes it on. */
  readonly outbox: { push(command: TrackCommand): void }
}

export class Track {
  readonly topic: string
  readonly partition: number
  /** Broker that leads the partition; -1 if the cluster says that there is none, undefined if it did not say. */
  leader: number | undefined
  /** When a record was last acknowledged here. */
  acknowledgedAt = -Infinity
  /** The offset behind the last one that was acknowledged here: nothing that no client has had yet comes to lie below. */
  end = 0
  readonly #cluster: string
  readonly #lane: LaneIndex
  readonly #inClientMax: number
  readonly #inClientBytesMax: number
  readonly #copyAgeMaxMs: number
  readonly #load: Load
  readonly #circuit: Circuit
  readonly #again = new Fifo<SealedRecord>()
  #againSorted = true
  readonly #fresh = new Fifo<SealedRecord>()
  /** Places on disk that are not read back yet: from, up to but without. */
  #onDiskFrom = 0
  #onDiskTo = 0
  #loading = false
  readonly #tail = new Fifo<SealedRecord>()
  /** Of the tail, what nobody has asked the journal to take. */
  #unspilled = 0
  readonly #inClient = new InClient()
  /** When the client last said something of the oldest that it had: the next one is the oldest since then. */
  #oldestSince = -Infinity
  #inClientBytes = 0
  /** Whether what is in the client counts for the lane: while the circuit is closed. */
  #counted = true
  /** Writes of refused batches that are still to be written alone, and whether the one in the client is so. */
  #suspects = 0
  #alone = false
  #spareBytes = 0
  readonly #voids = new Map<VoidReason, Map<Sequence, Intervals>>()
  readonly #outbox: TrackOptions['outbox']
  #lookAt = Infinity

  constructor(options: TrackOptions) {
    this.topic = options.topic
    this.partition = options.partition
    this.#cluster = options.cluster
    this.#lane = options.lane
    this.#inClientMax = options.inClientMax
    this.#inClientBytesMax = options.inClientBytesMax
    this.#copyAgeMaxMs = Math.min(REWRITE_AGE_MS_MAX, options.copyAgeMaxMs ?? REWRITE_AGE_MS_MAX)
    this.#load = options.load
    this.#outbox = options.outbox
    this.#circuit = new Circuit(options.circuit)
  }

  get circuit(): 'closed' | 'open' | 'half-open' {
    return this.#circuit.state.kind
  }

  /** Whether anything waits to be handed over. */
  get waiting(): boolean {
    return this.#queued || this.#voids.size > 0
  }

  /** Whether a record that comes now has others before it. */
  get #queued(): boolean {
    return this.#again.size > 0 || this.#fresh.size > 0 || this.#isOnDisk || this.#tail.size > 0
  }

  get #isOnDisk(): boolean {
    return this.#onDiskFrom < this.#onDiskTo
  }

  /** Whether nothing is left to hand over before what is on disk. */
  get mustRead(): boolean {
    return this.#isOnDisk && !this.#loading
  }

  /** Places of the journal that are still to be read back. */
  get onDisk(): { readonly from: number; readonly to: number } {
    return { from: this.#onDiskFrom, to: this.#onDiskTo }
  }

  /** Whether anything is still to be done here. */
  get busy(): boolean {
    return this.#inClient.size > 0 || this.waiting
  }

  /** Since when another cluster has the oldest record that this one lacks, or undefined if it lacks none in memory. */
  get oldestExposedAt(): number | undefined {
    for (const queue of [this.#inClient, this.#again, this.#fresh, this.#tail]) {
      for (const write of queue) {
        const copy = write.kind === 'data' ? write.copies[this.#lane] : undefined
        if (copy?.elsewhereSince !== undefined && !copy.final) return copy.elsewhereSince
      }
    }
    return undefined
  }

  /** Below which offset the log cannot hold the record, whatever becomes of it. */
  from(record: SealedRecord): number {
    const { from } = record.copies[this.#lane]
    return from < 0 ? this.end : from
  }

  /** Bytes that may be given up; see `giveUp`. */
  get spareBytes(): number {
    return this.#spareBytes
  }

  /** When the oldest record that is still to be acknowledged was sealed, or undefined. */
  get oldestSealedAt(): number | undefined {
    let oldest = this.#again.peek()?.sealedAt ?? this.#fresh.peek()?.sealedAt ?? this.#tail.peek()?.sealedAt
    for (const write of this.#inClient) {
      if (write.kind === 'void') continue
      if (oldest === undefined || write.sealedAt < oldest) oldest = write.sealedAt
      break
    }
    return oldest
  }

  /** @param spills the lane is over its bound, and its journal takes records. */
  handleSealed(record: SealedRecord, spills: boolean): void {
    this.#load.records++
    this.#load.bytes += record.bytes
    if (!this.#isOnDisk && this.#tail.size === 0 && !(spills && this.#queued)) {
      this.#fresh.push(record)
      return
    }
    record.copies[this.#lane].tail = true
    this.#tail.push(record)
    this.#load.tailBytes += record.bytes
    if (record.journal === 'none') this.#unspilled++
    if (record.journal === 'durable') this.handleDurable(record)
    if (spills) this.spill()
  }

  /** Asks for what the tail holds to be put on disk. */
  spill(): void {
    if (this.#unspilled > 0) this.#outbox.push({ kind: 'spill', topic: this.topic, partition: this.partition })
  }

  /**
   * What of the tail the journal was not asked to take, in order. The caller asks now, for all of both lanes and by
   * age: a record must not lie on disk before one that is older and in the same tail.
   */
  takeUnspilled(): SealedRecord[] {
    if (this.#unspilled === 0) return []
    this.#unspilled = 0
    return [...this.#tail].filter(({ journal, copies }) => {
      return journal === 'none' && copies[this.#lane].state === 'queued'
    })
  }

  /**
   * Since when the client has nothing to say of the oldest that it has, which is the one that is written next. Not its
   * age: under load a queue that is well takes longer than that from end to end. And not the last acknowledgement: one
   * whose report is lost would stay for ever, with others acknowledged behind it.
   */
  get waitingSince(): number | undefined {
    const { oldest } = this.#inClient
    if (oldest === undefined) return undefined
    const handedAt = oldest.kind === 'void' ? oldest.handedAt : oldest.copies[this.#lane].handedAt
    return Math.max(handedAt, this.#oldestSince)
  }

  /** Records in memory that are still to be written here. */
  left(): SealedRecord[] {
    const all = [...this.#inClient, ...this.#again, ...this.#fresh, ...this.#tail]
    return all.filter((write): write is SealedRecord => write.kind === 'data' && !write.copies[this.#lane].final)
  }

  /** The journal has it: it can leave memory, if it is in the tail and all before it have left. */
  handleDurable(record: SealedRecord): void {
    for (let head = this.#tail.peek(); head !== undefined; head = this.#tail.peek()) {
      const copy = head.copies[this.#lane]
      if (copy.state === 'queued' && head.journal !== 'durable') return
      this.#tail.shift()
      this.#leaveTail(head)
      if (copy.state !== 'queued') continue // given up while it waited
      copy.state = 'on-disk'
      this.#load.records--
      this.#load.bytes -= head.bytes
      if (copy.spare) this.#countSpare(-head.bytes)
      if (copy.elsewhereSince !== undefined) this.#countExposed(-1, head)
      invariant(!this.#isOnDisk || head.place >= this.#onDiskTo, 'what is on disk is in order', { place: head.place })
      this.#setOnDisk(this.#isOnDisk ? this.#onDiskFrom : head.place, head.place + 1)
      this.#outbox.push({ kind: 'left', record: head })
      if (head === record) return
    }
  }

  /** The journal does not take it now. */
  handleRefused(record: SealedRecord): void {
    const copy = record.copies[this.#lane]
    if (copy.tail && copy.state === 'queued') this.#unspilled++
  }

  /** An earlier life left this in the journal: it comes before anything else. */
  handleFound(from: number, to: number): void {
    this.#setOnDisk(from, to)
  }

  /** What of the journal, up to without `next`, is still to be written here. */
  handleLoaded(records: readonly SealedRecord[], next: number): void {
    this.#hasRead()
    for (const record of records) {
      const copy = record.copies[this.#lane]
      copy.state = 'queued'
      this.#fresh.push(record)
      this.#load.records++
      this.#load.bytes += record.bytes
      if (copy.spare) this.#countSpare(record.bytes)
      if (copy.elsewhereSince !== undefined) this.#countExposed(1, record)
    }
    this.#setOnDisk(Math.min(next, this.#onDiskTo), this.#onDiskTo)
    this.#takeTail()
  }

  /** It could not be read; to be asked for again. */
  handleLoadFailed(): void {
    this.#hasRead()
  }

  /** The other cluster has the record. */
  handleElsewhere(record: SealedRecord, now: number): void {
    const copy = record.copies[this.#lane]
    if (copy.state === 'refused' || copy.state === 'given-up') this.#load.forgone += record.count
    if (copy.final || copy.elsewhereSince !== undefined) return
    copy.elsewhereSince = now
    if (copy.state !== 'on-disk') this.#countExposed(1, record)
    this.#spare(record)
  }

  /** Its `send()` was rejected: it may still be written, but nobody was promised that it is. */
  handleUnpromised(record: SealedRecord): void {
    if (!record.copies[this.#lane].final) this.#spare(record)
  }

  /**
   * The next record or void to hand to the client; undefined if there is none, or if it must not go now.
   *
   * @param mayRead whether there is room for what lies on disk.
   */
  take(now: number, mayRead = true): Taken | undefined {
    if (!this.#mayTake()) return undefined
    if (mayRead) this.#readOn()
    const write = this.#nextVoid() ?? this.#nextRecord(now) ?? this.#nextVoid()
    if (write === undefined) {
      this.#suspects = 0
      this.#look(now)
      return undefined
    }
    this.#lookAt = Math.min(this.#lookAt, now + this.#circuit.limits.silenceMsMax)
    const serial = this.#inClient.add(write)
    this.#countInClient(1, write.bytes)
    this.#alone = this.#suspects > 0
    if (write.kind === 'void') {
      write.handedAt = now
    } else {
      const copy = write.copies[this.#lane]
      if (copy.spare) this.#countSpare(-write.bytes)
      copy.state = 'in-client'
      copy.handedAt = now
      if (copy.from < 0) copy.from = this.end
    }
    return { serial, write }
  }

  /** The client did not take what `take` gave: it was not handed over. */
  handleNotTaken(serial: number): void {
    const write = this.#leave(serial)
    if (write === undefined) return
    this.#requeue(write)
  }

  /** Returns whether the report was about anything: one of a discarded client is not. */
  handleAcknowledged(serial: number, offset: number, now: number): boolean {
    const write = this.#reported(serial, now)
    if (write === undefined) return false
    if (offset < 0) {
      this.#tell({ kind: 'record-hollow', ...this.#where, count: write.count })
      this.#doubt(write)
      this.#circuit.handleFailure(now)
    } else {
      this.acknowledgedAt = now
      if (offset >= this.end) this.end = offset + 1
      this.#circuit.handleAcknowledged(now)
      this.#answered()
      if (write.kind === 'void') this.#voided('void-written', write, write.reason)
      else this.#acknowledge(write, offset)
    }
    this.#look(now)
    return true
  }

  handleFailed(serial: number, failure: WriteFailure, now: number): boolean {
    const write = this.#reported(serial, now)
    if (write === undefined) return false
    switch (failure.kind) {
      case 'denied':
        if (write.kind === 'data') write.copies[this.#lane].inDoubt = true
        this.#answered()
        this.#refuse(write, failure.reason)
        break
      case 'refused':
        this.#answered()
        this.#refuse(write, failure.reason)
        break
      case 'batch-refused':
        if (this.#alone) {
          this.#answered()
          this.#refuse(write, failure.reason)
        } else {
          this.#suspects++
          this.#requeue(write)
        }
        break
      case 'queue-full':
        this.#requeue(write)
        break
      case 'transient':
      case 'fatal':
        this.#doubt(write)
        this.#circuit.handleFailure(now)
        break
      default:
        throw failure.kind satisfies never
    }
    this.#look(now)
    return true
  }

  /** The client is gone: what it held is in doubt and goes back. Returns how many records that were. */
  handleDiscarded(now: number): number {
    const held = this.#inClient.removeAll()
    for (const write of held) {
      this.#countInClient(-1, -write.bytes)
      this.#doubt(write)
    }
    this.#look(now)
    return held.length
  }

  /** Voids a record that was refused. */
  voidRefused({ sequence, first, count }: SealedRecord): void {
    this.#void(sequence, first, first + count - 1, 'refused')
  }

  /** Asks for a void of counters that this track may know nothing of; the answer is `void-answered`. */
  void(sequence: Sequence, first: number, last: number): void {
    this.#void(sequence, first, last, 'imported')
  }

  handleHope(now: number): void {
    this.#circuit.handleHope(now)
  }

  /** Gives a record up if it is still queued. Its place in the queue is passed over later. */
  giveUpRecord(record: SealedRecord, reason: VoidReason): void {
    if (record.copies[this.#lane].state === 'queued') this.#giveUp(record, reason)
  }

  /** Gives up the oldest spare records until `bytes` are freed or nothing is spare; returns how many messages. */
  giveUp(bytes: number): number {
    let left = Math.min(bytes, this.#spareBytes)
    let messages = 0
    const keep = (record: SealedRecord): boolean => {
      const copy = record.copies[this.#lane]
      if (copy.state !== 'queued') return false
      if (left <= 0 || !copy.spare) return true
      left -= record.bytes
      messages += record.count
      this.#giveUp(record, 'backlog')
      return false
    }
    this.#sortAgain()
    this.#again.filter(keep)
    this.#fresh.filter(keep)
    this.#tail.filter(keep)
    return messages
  }

  deadline(): number | undefined {
    // While the circuit is closed the time is looked up only when it comes: this is asked for every record.
    if (this.#circuit.closed) return this.#inClient.size > 0 ? this.#lookAt : undefined
    return this.#circuit.deadline(this.waitingSince)
  }

  handleDeadline(now: number): void {
    const since = this.waitingSince
    if (since !== undefined) this.#circuit.handleWaiting(since, now)
    this.#circuit.handleDeadline(now)
    this.#look(now)
    this.#lookAt = this.#circuit.deadline(since) ?? Infinity
  }

  #mayTake(): boolean {
    const { size } = this.#inClient
    if (size > 0 && (this.#suspects > 0 || this.#inClientBytes >= this.#inClientBytesMax)) return false
    if (size >= this.#inClientMax) return false
    const state = this.#circuit.state
    switch (state.kind) {
      case 'closed':
        return true
      case 'open':
        return false
      case 'half-open':
        // What the client still holds from before is as good a probe as any.
        return size === 0
      default:
        throw state satisfies never
    }
  }

  #nextVoid(): VoidRecord | undefined {
    if (this.#voids.size === 0) return undefined
    for (const [reason, sequences] of this.#voids) {
      for (const [sequence, intervals] of sequences) {
        for (const { first, last } of intervals) {
          intervals.remove(first, last)
          if (intervals.size === 0) sequences.delete(sequence)
          if (sequences.size === 0) this.#voids.delete(reason)
          return new VoidRecord({ sequence, first, last, reason })
        }
      }
    }
    return undefined
  }

  #nextRecord(now: number): SealedRecord | undefined {
    this.#sortAgain()
    for (;;) {
      if (this.#fresh.size === 0) this.#takeTail()
      const queue = this.#again.size > 0 ? this.#again : this.#fresh
      const record = queue.shift()
      if (record === undefined) return undefined
      const copy = record.copies[this.#lane]
      if (copy.state !== 'queued') continue // given up while it waited
      if (copy.elsewhereSince !== undefined && now - copy.elsewhereSince > this.#copyAgeMaxMs) {
        this.#giveUp(record, 'aged')
        continue
      }
      return record
    }
  }

  #acknowledge(record: SealedRecord, offset: number): void {
    const copy = record.copies[this.#lane]
    copy.offset = offset
    this.#finish(record, 'acknowledged')
    this.#outbox.push({ kind: 'acknowledged', record })
  }

  /** A definite answer to a write: if it was alone, that one is no suspect any more. */
  #answered(): void {
    if (this.#alone) this.#suspects--
    this.#alone = false
  }

  #refuse(write: Write, reason: string): void {
    if (write.kind === 'void') {
      this.#voided('void-refused', write, reason)
      return
    }
    this.#finish(write, 'refused')
    // What is in a journal must first be forgone there; see `Journal.forgo`.
    if (write.journal === 'none' && !write.perhapsJournaled) this.voidRefused(write)
    this.#tell({ kind: 'record-refused', ...this.#where, reason, first: write.first, count: write.count })
    this.#outbox.push({ kind: 'voided', record: write })
  }

  #doubt(write: Write): void {
    if (write.kind === 'data') write.copies[this.#lane].inDoubt = true
    this.#requeue(write)
  }

  #giveUp(record: SealedRecord, reason: VoidReason): void {
    if (record.copies[this.#lane].spare) this.#countSpare(-record.bytes)
    this.#finish(record, 'given-up')
    this.#void(record.sequence, record.first, record.first + record.count - 1, reason)
    this.#outbox.push({ kind: 'voided', record })
  }

  #finish(record: SealedRecord, state: 'acknowledged' | 'refused' | 'given-up'): void {
    const copy = record.copies[this.#lane]
    copy.state = state
    this.#load.records--
    this.#load.bytes -= record.bytes
    this.#leaveTail(record)
    if (copy.elsewhereSince === undefined) return
    this.#countExposed(-1, record)
    if (state !== 'acknowledged') this.#load.forgone += record.count
  }

  #spare(record: SealedRecord): void {
    const copy = record.copies[this.#lane]
    if (copy.spare) return
    copy.spare = true
    if (copy.state === 'queued') this.#countSpare(record.bytes)
  }

  /** Asks for what is on disk when little is left before it. */
  #readOn(): void {
    if (!this.#isOnDisk || this.#loading || this.#again.size + this.#fresh.size >= READ_ON_BELOW) return
    this.#loading = true
    this.#load.reading++
    this.#outbox.push({ kind: 'load', topic: this.topic, partition: this.partition, place: this.#onDiskFrom })
  }

  #hasRead(): void {
    this.#loading = false
    this.#load.reading--
  }

  /** When nothing on disk is before it, the tail is the queue. */
  #takeTail(): void {
    if (this.#isOnDisk) return
    for (let record = this.#tail.shift(); record !== undefined; record = this.#tail.shift()) {
      this.#leaveTail(record)
      if (record.copies[this.#lane].state === 'queued') this.#fresh.push(record)
    }
    this.#unspilled = 0
  }

  #leaveTail(record: SealedRecord): void {
    const copy = record.copies[this.#lane]
    if (!copy.tail) return
    copy.tail = false
    this.#load.tailBytes -= record.bytes
  }

  #setOnDisk(from: number, to: number): void {
    this.#load.onDisk += to - from - (this.#onDiskTo - this.#onDiskFrom)
    this.#onDiskFrom = from
    this.#onDiskTo = to
  }

  #countExposed(sign: 1 | -1, record: SealedRecord): void {
    this.#load.exposed += sign * record.count
    this.#load.exposedBytes += sign * record.bytes
  }

  #countSpare(bytes: number): void {
    this.#spareBytes += bytes
    this.#load.spareBytes += bytes
  }

  #requeue(write: Write): void {
    if (write.kind === 'void') {
      this.#load.voids--
      this.#void(write.sequence, write.first, write.last, write.reason)
      return
    }
    const copy = write.copies[this.#lane]
    copy.state = 'queued'
    if (copy.spare) this.#countSpare(write.bytes)
    const newest = this.#again.newest
    if (newest !== undefined && newest.ordinal > write.ordinal) this.#againSorted = false
    this.#again.push(write)
  }

  #sortAgain(): void {
    if (this.#againSorted) return
    this.#again.sort((a, b) => a.ordinal - b.ordinal)
    this.#againSorted = true
  }

  #void(sequence: Sequence, first: number, last: number, reason: VoidReason): void {
    let sequences = this.#voids.get(reason)
    if (sequences === undefined) this.#voids.set(reason, (sequences = new Map<Sequence, Intervals>()))
    let intervals = sequences.get(sequence)
    if (intervals === undefined) sequences.set(sequence, (intervals = new Intervals()))
    this.#load.voids -= intervals.size
    intervals.add(first, last)
    this.#load.voids += intervals.size
  }

  /** The client has said what became of it. */
  #reported(serial: number, now: number): Write | undefined {
    const { oldest } = this.#inClient
    const write = this.#leave(serial)
    if (write !== undefined && write === oldest) this.#oldestSince = now
    return write
  }

  #leave(serial: number): Write | undefined {
    const write = this.#inClient.remove(serial)
    if (write === undefined) return undefined
    this.#countInClient(-1, -write.bytes)
    return write
  }

  #countInClient(records: number, bytes: number): void {
    this.#inClientBytes += bytes
    if (!this.#counted) return
    this.#load.inClient += records
    this.#load.inClientBytes += bytes
  }

  #count(counted: boolean): void {
    if (this.#counted === counted) return
    this.#counted = counted
    const sign = counted ? 1 : -1
    this.#load.inClient += sign * this.#inClient.size
    this.#load.inClientBytes += sign * this.#inClientBytes
  }

  /** Says what the circuit did, and lets one close that has nothing to probe with. */
  #look(now: number): void {
    if (!this.#circuit.closed && !this.busy) this.#circuit.handleIdle(now)
    const command = this.#circuit.poll()
    if (command === undefined) return
    switch (command.kind) {
      case 'opened':
        this.#count(false)
        this.#tell({ kind: 'circuit-opened', ...this.#where, reason: command.reason })
        return
      case 'closed':
        this.#count(true)
        this.#tell({ kind: 'circuit-closed', ...this.#where, openMs: command.openMs })
        return
      default:
        throw command satisfies never
    }
  }

  #voided(kind: 'void-written' | 'void-refused', write: VoidRecord, reason: string): void {
    this.#load.voids--
    this.#tell({ kind, ...this.#where, first: write.first, count: write.count, reason })
    if (write.reason !== 'imported') return
    this.#outbox.push({ kind: 'void-answered', write, written: kind === 'void-written' })
  }

  #tell(fact: TandemFact): void {
    this.#outbox.push({ kind: 'tell', fact })
  }

  get #where(): { cluster: string; topic: string; partition: number } {
    return { cluster: this.#cluster, topic: this.topic, partition: this.partition }
  }
}

/**
 * What the other cluster acknowledged longer ago than this is voided, not written. A constant of the protocol: consumers
 * forget a sequence only when it has passed (position.md, Expiry).
 */
export const REWRITE_AGE_MS_MAX = 24 * 60 * 60 * 1000

/** What is handed over while the disk is read; the read itself brings more than that. */
const READ_ON_BELOW = 200
