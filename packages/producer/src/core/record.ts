/**
 * A sealed record: what both lanes write, byte for byte the same, and what each has made of it so far.
 *
 * One object serves both lanes. Each lane's track writes its own `Copy` and reads no other; what the other lane did
 * is told to it. Settlement reads both.
 */
import type { Sequence } from './sequencer.js'

/** Index of a lane: the order in which the user named the clusters. */
export type LaneIndex = 0 | 1

/** A record as it goes to a cluster. */
export interface WireRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestampMs: number
  readonly headers: WireHeaders
}

/** One object with a single property per header, in order: node-rdkafka's form, built once and used for both lanes. */
export type WireHeaders = readonly Readonly<Record<string, string>>[]

/**
 * - `queued`: waits in the track
 * - `in-client`: handed to the client; its report is still to come
 * - `on-disk`: waits in the journal, and nowhere else
 * - `acknowledged`, `refused`, `given-up`: final; the last two have a void in their place
 */
export type CopyState = 'queued' | 'in-client' | 'on-disk' | 'acknowledged' | 'refused' | 'given-up'

/** What one lane has made of a record. */
export class Copy {
  state: CopyState = 'queued'
  /** A client had it and did not say for certain that it was not written: the log may hold it. */
  inDoubt = false
  /** May be given up when memory runs short: another cluster has it, or nobody was promised anything. */
  spare = false
  /** Since when the other cluster has it, or undefined. */
  elsewhereSince: number | undefined = undefined
  /** Waits behind what is on disk. */
  tail = false
  /** Refused, which the journal has been asked to note. */
  forgone = false
  handedAt = 0
  /** Its log cannot hold the record below this offset; -1 while no client has had it. */
  from = -1
  offset = -1

  get final(): boolean {
    return this.state === 'acknowledged' || this.state === 'refused' || this.state === 'given-up'
  }

  /** Whether the log holds it, or may come to hold it without our doing anything more. */
  get perhapsWritten(): boolean {
    return this.state === 'acknowledged' || this.state === 'in-client' || this.inDoubt
  }
}

export type SendState = 'open' | 'resolved' | 'rejected'

/** Whether the journal has a record: no; it is being appended; it is on disk for good. */
export type JournalState = 'none' | 'appending' | 'durable'

export class SealedRecord implements WireRecord {
  readonly kind = 'data'
  readonly copies: readonly [Copy, Copy] = [new Copy(), new Copy()]
  readonly sequence: Sequence
  /** Position among all records of this producer; what is written again goes back to its old place by it. */
  readonly ordinal: number
  readonly first: number
  readonly count: number
  readonly bytes: number
  /** When it was stamped, by the monotonic clock. */
  readonly sealedAt: number
  readonly timestampMs: number
  readonly topic: string
  readonly partition: number
  key: Uint8Array | null
  value: Uint8Array | null
  headers: WireHeaders
  /** What the outside keeps with it until its sends are over: whose its messages are. */
  owner: unknown

  /** Whether the lanes have been given it: in mode `always` not before it is on disk. */
  handed = false
  journal: JournalState = 'none'
  /** An append failed and did not say for certain that nothing of it is on disk. */
  perhapsJournaled = false
  /** Where the journal has it, from 1; 0 if it does not. */
  place = 0
  bytesBefore = 0

  // Settlement's own.
  send: SendState = 'open'
  deadline = Infinity
  /** Lanes that `available` waits for, one bit each. */
  waitsFor = 0
  settled = false

  constructor(parts: RecordParts) {
    this.sequence = parts.sequence
    this.topic = parts.sequence.topic
    this.partition = parts.sequence.partition
    this.ordinal = parts.ordinal
    this.first = parts.first
    this.count = parts.count
    this.key = parts.key
    this.value = parts.value
    this.headers = parts.headers
    this.timestampMs = parts.timestampMs
    this.bytes = parts.bytes
    this.sealedAt = parts.sealedAt
    this.owner = parts.owner
  }

  /** Whether a lane still needs its bytes in memory. */
  get needed(): boolean {
    return this.copies.some(({ state }) => state === 'queued' || state === 'in-client')
  }

  /** Accepted, because the journal had it, and neither cluster ever will. */
  get undeliverable(): boolean {
    return this.send === 'resolved' && this.copies.every(({ final, state }) => final && state !== 'acknowledged')
  }

  /** Whether its bytes are nowhere in memory. */
  get released(): boolean {
    return this.headers === NO_HEADERS
  }

  /** Lets go of the payload while neither lane needs it in memory; a receipt may be kept for long. */
  release(): void {
    this.key = null
    this.value = null
    this.headers = NO_HEADERS
  }

  /** Takes over what became of another object of the same record. */
  adopt({ copies, settled }: SealedRecord): void {
    for (const lane of [0, 1] as const) {
      this.copies[lane].state = copies[lane].state
      this.copies[lane].offset = Math.max(this.copies[lane].offset, copies[lane].offset)
    }
    this.settled = settled
  }

  /** Takes the payload up again, from the journal. */
  restore({ key, value, headers }: Pick<RecordParts, 'key' | 'value' | 'headers'>): void {
    this.key = key
    this.value = value
    this.headers = headers
  }
}

export interface RecordParts {
  readonly sequence: Sequence
  readonly ordinal: number
  readonly first: number
  readonly count: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: WireHeaders
  readonly timestampMs: number
  /** What it counts for in every bound in bytes: its payload and what keeping it costs. */
  readonly bytes: number
  readonly sealedAt: number
  readonly owner?: unknown
}

/** Why counters were given up; each with the event that names it. */
export type VoidReason = 'refused' | 'backlog' | 'aged' | 'undelivered' | 'imported'

/** "These counters were not acknowledged here, and I will not write them": a record without key and value. */
export class VoidRecord implements WireRecord {
  readonly kind = 'void'
  readonly sequence: Sequence
  readonly first: number
  readonly last: number
  readonly reason: VoidReason
  readonly topic: string
  readonly partition: number
  readonly key = null
  readonly value = null
  /** The client takes 0 for its own time. */
  readonly timestampMs = 0
  readonly bytes = VOID_BYTES
  readonly headers: WireHeaders
  handedAt = 0

  constructor(parts: {
    readonly sequence: Sequence
    readonly first: number
    readonly last: number
    readonly reason: VoidReason
  }) {
    this.sequence = parts.sequence
    this.topic = parts.sequence.topic
    this.partition = parts.sequence.partition
    this.first = parts.first
    this.last = parts.last
    this.reason = parts.reason
    this.headers = [{ tandem: parts.sequence.stamps.encode('void', parts.first, this.count) }]
  }

  get count(): number {
    return this.last - this.first + 1
  }
}

/** What a track hands over. */
export type Write = SealedRecord | VoidRecord

/** About what a void costs while it is in the client. */
const VOID_BYTES = 512
const NO_HEADERS: WireHeaders = []
