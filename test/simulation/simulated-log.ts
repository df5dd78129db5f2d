import type { FeedRecord } from '@tandem/consumer/internal'

/** A record as it is handed to a log. */
export interface LogEntry {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** 0 for the broker's own time, as librdkafka has it. */
  readonly timestampMs: number
  /** One object with a single property per header, in order. */
  readonly headers: readonly Readonly<Record<string, string | Buffer>>[]
}

/** One partition of one cluster: records in the order of their offsets, as every reader gets them. */
export class SimulatedLog {
  readonly topic: string
  readonly partition: number
  /** Broker id; -1 if there is none now. */
  leader: number
  readonly #records: FeedRecord[] = []
  readonly #writtenAt: number[] = []
  /** Offset of the first record that retention has left. */
  #start = 0

  constructor(options: { topic: string; partition: number; leader: number }) {
    this.topic = options.topic
    this.partition = options.partition
    this.leader = options.leader
  }

  get start(): number {
    return this.#start
  }

  /** Offset of the next record to be written. */
  get end(): number {
    return this.#records.length
  }

  append(entry: LogEntry, nowMs: number): FeedRecord {
    const record: FeedRecord = {
      topic: this.topic,
      partition: this.partition,
      offset: this.end,
      key: entry.key === null ? null : Buffer.from(entry.key),
      value: entry.value === null ? null : Buffer.from(entry.value),
      timestampMs: entry.timestampMs === 0 ? nowMs : entry.timestampMs,
      headers: entry.headers.map(asRead),
    }
    this.#records.push(record)
    this.#writtenAt.push(nowMs)
    return record
  }

  /** When the record at an offset was written. */
  writtenAt(offset: number): number {
    return this.#writtenAt[offset]!
  }

  at(offset: number): FeedRecord | undefined {
    return offset < this.#start ? undefined : this.#records[offset]
  }

  /** First offset at or after a time; the end if there is none. */
  offsetAt(timeMs: number): number {
    let offset = this.#start
    while (offset < this.end && this.#records[offset]!.timestampMs < timeMs) offset++
    return offset
  }

  /** Retention removes what lies below `offset`; returns that. */
  moveStart(offset: number): readonly FeedRecord[] {
    const before = this.#start
    this.#start = Math.min(Math.max(this.#start, offset), this.end)
    return this.#records.slice(before, this.#start)
  }

  /** The end of it is lost, from this offset on; returns that. */
  truncate(offset: number): readonly FeedRecord[] {
    const lost = this.#records.splice(Math.max(offset, this.#start))
    this.#writtenAt.length = this.#records.length
    return lost
  }

  *[Symbol.iterator](): Generator<FeedRecord> {
    for (let offset = this.#start; offset < this.end; offset++) yield this.#records[offset]!
  }
}

/** Text goes out as UTF-8 and comes back as bytes, as node-rdkafka does it. */
function asRead(header: Readonly<Record<string, string | Buffer>>): Readonly<Record<string, Buffer>> {
  return Object.fromEntries(
    Object.entries(header).map(([name, value]) => [
      name,
      typeof value === 'string' ? Buffer.from(value, 'utf8') : value,
    ]),
  )
}
