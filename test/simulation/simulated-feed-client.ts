import {
  CommittedQuestions,
  END,
  NONE,
  Questions,
  START,
  type Asked,
  type FeedClient,
  type FeedClientHandler,
  type FeedClientOptions,
  type FeedPartition,
  type FeedPosition,
  type FeedRecord,
  type Put,
  type PutCommitted,
} from '@tandem/consumer/internal'

import { LEADERLESS, type Reader, type SimulatedCluster } from './cluster.js'
import type { SimulatedLog } from './simulated-log.js'
import { SimulatedConnection } from './simulated-connection.js'
import type { SimulatedProcess } from './simulated-process.js'

/**
 * What KafkaFeedClient is to a real cluster: reads ahead into a buffer, hands it out in batches, asks questions aside.
 *
 * Kept from the real one, since the wiring may come to rely on it or be hurt by it: a batch that was taken before an
 * `assign` or a `pause` is still handed over after it; a pause outlives an assignment; an end of a partition is told once
 * per end offset, by a read that brought nothing; an offset outside the log stops the partition, and the error vanishes
 * if a batch has records too, while it takes ends with it; questions are put in the same order, few at a time, and given
 * up after the same time.
 */
interface Cursor {
  readonly log: SimulatedLog
  next: number
  paused: boolean
  /** The end that was told last; -1 for none. */
  toldEnd: number
  /** Outside the log: nothing is read until it is assigned anew. */
  stuck: boolean
  /** Grows when what was read before no longer counts. */
  generation: number
}

interface Item {
  readonly cursor: Cursor
  readonly generation: number
  readonly record: FeedRecord | undefined
  readonly offset: number
}

interface Found {
  readonly cursor: Cursor
  readonly generation: number
  readonly from: number
  readonly records: readonly FeedRecord[]
  readonly end: number
  readonly outside: boolean
}

export class SimulatedFeedClient implements FeedClient, Reader {
  /** When its silence said nothing: it had a batch to bring, or nobody polled, or not all of its partitions. */
  readonly distracted: { readonly fromMs: number; toMs: number }[] = []
  readonly #options: FeedClientOptions
  readonly #handler: FeedClientHandler
  readonly #cluster: SimulatedCluster
  readonly #process: SimulatedProcess
  readonly #connection: SimulatedConnection
  readonly #pollTimeoutMs: number
  readonly #readRecordsMax: number
  readonly #batchMax: number
  readonly #cursors = new Map<string, Cursor>()
  readonly #questions: Questions
  readonly #committed: CommittedQuestions
  #buffer: Item[] = []
  #buffered = 0
  #failure: string | undefined
  #polling = false
  #cancelPollTimeout: (() => void) | undefined
  #taking = false
  #reading = false
  #readAgain = false
  #readSerial = 0

  constructor(
    options: FeedClientOptions,
    handler: FeedClientHandler,
    where: {
      readonly cluster: SimulatedCluster
      readonly process: SimulatedProcess
      /** What a poll waits if there is nothing. */
      readonly pollTimeoutMs: number
      /** Records that one read brings of one partition, and one batch of all. */
      readonly readRecordsMax: number
    },
  ) {
    this.#options = options
    this.#handler = handler
    this.#cluster = where.cluster
    this.#process = where.process
    this.#connection = new SimulatedConnection(where.cluster, where.process, 'feed client')
    this.#questions = new Questions((...question) => this.#ask(...question))
    this.#committed = new CommittedQuestions((...question) => this.#askCommitted(...question))
    this.#pollTimeoutMs = where.pollTimeoutMs
    this.#readRecordsMax = where.readRecordsMax
    // A batch may be smaller than what was asked for: with little at a time, bounds show sooner.
    this.#batchMax = Math.min(BATCH_MAX, where.readRecordsMax)
  }

  // --- FeedClient -----------------------------------------------------------------------------------------------

  connect(): void {
    this.#connection.contact(this.#options.connectTimeoutMs, (reached) => {
      if (!reached) {
        this.#handler.handleConnectFailed(`${this.#cluster.name}: timed out`)
        return
      }
      this.#cluster.addReader(this)
      const description = this.#cluster.describe(this.#options.topics)
      this.#questions.handleDescribed(description)
      this.#handler.handleConnected(description)
    })
  }

  assign(positions: readonly FeedPosition[]): void {
    for (const { topic, partition, offset } of positions) {
      const name = nameOf({ topic, partition })
      const log = this.#cluster.log(topic, partition)
      const before = this.#cursors.get(name)
      if (before !== undefined) before.generation++
      const paused = before?.paused ?? false
      this.#cursors.set(name, { log, next: offset, paused, toldEnd: -1, stuck: false, generation: 0 })
    }
    this.#dropStale()
    this.#read()
    this.#noteAttention()
  }

  unassign(partitions: readonly FeedPartition[]): void {
    for (const cursor of this.#cursorsOf(partitions)) cursor.generation++
    for (const one of partitions) this.#cursors.delete(nameOf(one))
    this.#dropStale()
    this.#noteAttention()
  }

  pause(partitions: readonly FeedPartition[]): void {
    for (const cursor of this.#cursorsOf(partitions)) {
      cursor.paused = true
      // What was read ahead is thrown away and read again later.
      const first = this.#buffer.find((item) => item.cursor === cursor && item.generation === cursor.generation)
      cursor.generation++
      if (first === undefined) continue
      cursor.next = first.offset
      cursor.toldEnd = -1
    }
    this.#dropStale()
    this.#noteAttention()
  }

  resume(partitions: readonly FeedPartition[]): void {
    for (const cursor of this.#cursorsOf(partitions)) cursor.paused = false
    this.#read()
    this.#noteAttention()
  }

  poll(): void {
    if (this.#polling) throw new Error(`${this.#process.name}: a poll of ${this.#cluster.name} is under way`)
    this.#polling = true
    this.#cancelPollTimeout = this.#connection.after(this.#pollTimeoutMs, () => this.#take())
    this.#look()
    this.#noteAttention()
  }

  queryStart(asked: FeedPartition, done: (offset: number | undefined) => void): void {
    this.#questions.askStart(asked, done)
  }

  queryEnd(asked: FeedPartition, done: (offset: number | undefined) => void): void {
    this.#questions.askEnd(asked, done)
  }

  queryTime(asked: FeedPartition, timeMs: number, done: (offset: number | undefined) => void): void {
    this.#questions.askTime(asked, timeMs, done)
  }

  queryCommitted(asked: FeedPartition, done: (offset: number | undefined) => void): void {
    this.#committed.ask(asked, done)
  }

  /** librdkafka goes on trying for a while; a cluster that hangs has it carried out when it goes on. */
  commit(positions: readonly FeedPosition[], done: (failure: string | undefined) => void): void {
    let open = true
    const over = (failure: string | undefined): void => {
      if (!open) return
      open = false
      cancelTimeout()
      done(failure)
    }
    const cancelTimeout = this.#connection.after(COMMIT_MS, () => over('Local: Timed out'))
    this.#connection.ask(
      'query',
      () => this.#cluster.commit(this.#options.groupId, positions),
      (answer) => over(answer === undefined ? 'Local: Broker transport failure' : undefined),
    )
  }

  close(done: () => void): void {
    this.#cluster.removeReader(this)
    this.#connection.close(done)
  }

  // --- reading --------------------------------------------------------------------------------------------------

  handleReadable(): void {
    this.#read()
  }

  handleSpeed(): void {
    this.#reading = false
    this.#read()
  }

  /** It shows in the next statistics. */
  handleSilence(): void {
    this.#connection.after(this.#cluster.prng.below(STATISTICS_MS), () => this.#handler.handleSilence())
  }

  #read(): void {
    if (this.#connection.closed || this.#buffered >= BUFFER_MAX || !this.#hasUnread()) return
    if (this.#reading) {
      this.#readAgain = true
      return
    }
    this.#reading = true
    this.#readAgain = false
    const serial = ++this.#readSerial
    this.#connection.ask(
      'read',
      () => this.#find(),
      (found) => {
        if (serial !== this.#readSerial) return
        this.#reading = false
        const progress = found !== undefined && this.#add(found)
        if (progress || this.#readAgain) this.#read()
      },
    )
  }

  /** Whether a read would bring anything. The real client asks all the time; an answer without anything says nothing. */
  #hasUnread(): boolean {
    for (const { log, next, paused, toldEnd, stuck } of this.#cursors.values()) {
      if (!paused && !stuck && !(next === log.end && toldEnd === next)) return true
    }
    return false
  }

  /** What the cluster finds when the request is there. */
  #find(): Found[] {
    const found: Found[] = []
    for (const cursor of this.#cursors.values()) {
      const { log, next: from, generation } = cursor
      if (cursor.paused || cursor.stuck || log.leader === LEADERLESS) continue
      const records: FeedRecord[] = []
      const outside = from < log.start || from > log.end
      for (let offset = from; !outside && offset < log.end && records.length < this.#readRecordsMax; offset++) {
        records.push(log.at(offset)!)
      }
      found.push({ cursor, generation, from, records, end: log.end, outside })
    }
    return found
  }

  /** Whether there may be more: records, or an end that was not told yet. */
  #add(found: readonly Found[]): boolean {
    let progress = false
    for (const { cursor, generation, from, records, end, outside } of found) {
      if (cursor.generation !== generation || cursor.next !== from || cursor.paused) continue
      if (outside) {
        cursor.stuck = true
        this.#failure = 'Broker: Offset out of range'
        continue
      }
      for (const record of records) this.#buffer.push({ cursor, generation, record, offset: record.offset })
      this.#buffered += records.length
      cursor.next += records.length
      if (records.length > 0) progress = true
      else if (cursor.toldEnd !== end) {
        cursor.toldEnd = end
        this.#buffer.push({ cursor, generation, record: undefined, offset: end })
      }
    }
    this.#look()
    this.#noteAttention()
    return progress
  }

  #noteAttention(): void {
    const { now } = this.#cluster.timeline
    const attentive =
      this.#polling && this.#buffer.length === 0 && [...this.#cursors.values()].every(({ paused }) => !paused)
    const last = this.distracted.at(-1)
    if (attentive && last?.toMs === Infinity) {
      last.toMs = now
      if (last.fromMs === now) this.distracted.pop()
    } else if (!attentive && last?.toMs !== Infinity) this.distracted.push({ fromMs: now, toMs: Infinity })
  }

  // --- batches --------------------------------------------------------------------------------------------------

  /** Ends the poll that waits, if there is something to end it with. */
  #look(): void {
    if (!this.#polling || this.#taking || (this.#buffer.length === 0 && this.#failure === undefined)) return
    this.#taking = true
    this.#connection.after(this.#hopMs(), () => this.#take())
  }

  /** Takes a batch in librdkafka's threads; it comes to the main one a moment later. */
  #take(): void {
    if (!this.#polling) return
    this.#polling = false
    this.#taking = false
    this.#noteAttention()
    this.#cancelPollTimeout?.()
    this.#dropStale()
    let records = 0
    let taken = 0
    for (const { record } of this.#buffer) {
      if (record !== undefined && ++records > this.#batchMax) break
      taken++
    }
    const batch = this.#buffer.slice(0, taken)
    this.#buffer = this.#buffer.slice(taken)
    this.#buffered -= Math.min(records, this.#batchMax)
    const failure = records === 0 ? this.#failure : undefined
    this.#failure = undefined
    this.#read()
    const answer = (): void => {
      if (failure === undefined) this.#bring(batch)
      else this.#handler.handlePollFailed(failure)
    }
    // Quiet times are most of the time: an empty batch comes at once.
    if (records === 0) answer()
    else this.#connection.after(this.#hopMs(), answer)
  }

  /** Without what was moved or taken away meanwhile. */
  #bring(batch: readonly Item[]): void {
    const current = batch.filter(({ cursor }) => this.#cursors.get(nameOf(cursor.log)) === cursor)
    const ends = current.filter(({ record }) => record === undefined)
    this.#handler.handleBatch(
      current.flatMap(({ record }) => record ?? []),
      ends.map(({ cursor: { log }, offset }) => ({ topic: log.topic, partition: log.partition, offset })),
    )
  }

  #dropStale(): void {
    this.#buffer = this.#buffer.filter(({ cursor, generation }) => cursor.generation === generation)
    this.#buffered = this.#buffer.reduce((count, { record }) => count + (record === undefined ? 0 : 1), 0)
  }

  // --- questions ------------------------------------------------------------------------------------------------

  #ask(...[asked, patienceMs, over]: Parameters<Put>): void {
    const execute = (): number[] | undefined => {
      this.#cluster.counts.questions++
      this.#cluster.counts.offsets += asked.length
      const offsets = asked.flatMap((one) => this.#offsetOf(one) ?? [])
      return offsets.length === asked.length ? offsets : undefined
    }
    this.#askWithin(patienceMs, execute, over)
  }

  /** Without a leader of each, or without a broker, librdkafka goes on trying until the time is up. */
  #askWithin<T>(patienceMs: number, execute: () => T | undefined, over: (answer: T | undefined) => void): void {
    let open = true
    const answered = (answer: T | undefined): void => {
      if (!open) return
      open = false
      cancelTimeout()
      over(answer)
    }
    const cancelTimeout = this.#connection.after(patienceMs, () => answered(undefined))
    this.#connection.ask('query', execute, (answer) => {
      if (answer !== undefined) answered(answer)
    })
  }

  #askCommitted(...[asked, patienceMs, over]: Parameters<PutCommitted>): void {
    const execute = (): number[] => asked.map((one) => this.#cluster.committed(this.#options.groupId, one))
    this.#askWithin(patienceMs, execute, over)
  }

  /** First offset at or after a time; undefined without a leader. */
  #offsetOf({ topic, partition, timeMs }: Asked): number | undefined {
    const log = this.#cluster.log(topic, partition)
    if (log.leader === LEADERLESS) return undefined
    if (timeMs === START) return log.start
    if (timeMs === END) return log.end
    const offset = log.offsetAt(timeMs)
    return offset < log.end ? offset : NONE
  }

  #hopMs(): number {
    return this.#cluster.prng.below(2)
  }

  #cursorsOf(partitions: readonly FeedPartition[]): Cursor[] {
    return partitions.flatMap((one) => this.#cursors.get(nameOf(one)) ?? [])
  }
}

function nameOf({ topic, partition }: FeedPartition): string {
  return `${topic}/${partition}`
}

/** As in kafka-feed-client.ts. */
const BATCH_MAX = 1_000
const STATISTICS_MS = 1_000
/** After which librdkafka gives up a commit that no coordinator answers. */
const COMMIT_MS = 20_000
/** What is read ahead. */
const BUFFER_MAX = 2_000
