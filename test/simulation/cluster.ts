import type { ClusterDescription, TopicDescription } from '@tandem/common/internal'
import { UNCOMMITTED, type FeedPartition, type FeedPosition, type FeedRecord } from '@tandem/consumer/internal'

import { messagesIn } from './log-messages.js'
import type { Prng } from './prng.js'
import type { SimulatedProcess } from './simulated-process.js'
import { SimulatedLog, type LogEntry } from './simulated-log.js'
import type { Timeline } from './timeline.js'

/**
 * One Kafka cluster of the world: logs, and what can go wrong between a client and them.
 *
 * - Hung (its processes are stopped): connections stand, nothing is answered, and what was sent lies in its sockets
 *   and is carried out when it goes on, whether or not anybody still waits for it. That is how a write in doubt is
 *   appended late.
 * - Dead (its processes are killed): connections break and new ones are refused. What it had not begun is gone. What
 *   it had done and not answered is done. The logs are there when it comes back.
 * - A partition without a leader takes nothing and gives nothing; the others do not notice.
 * - Slow: every message takes longer, or only reads, writes or queries do.
 * - Cut off from a process: its connections break and new ones are refused, while others reach the cluster.
 * - Losing answers: a connection breaks after a write was done and before that was said.
 *
 * Clients are in simulated-cluster-client.ts and simulated-feed-client.ts; they reach the cluster by `request`.
 */
export type ClusterState = 'up' | 'hung' | 'dead'

/** What a request is about; a cluster can be slow in one of these alone. */
export type RequestKind = 'read' | 'write' | 'query'

/** Which records a cluster will never take. */
export type Refusal = (record: FeedRecordDraft) => boolean

export type FeedRecordDraft = LogEntry & { readonly topic: string; readonly partition: number }

export interface ClusterOptions {
  readonly name: string
  readonly timeline: Timeline
  readonly prng: Prng
  readonly topics: Readonly<Record<string, number>>
  readonly brokers: number
  readonly latencyMs: readonly [low: number, high: number]
  /** The brokers' clocks: what they add to the world's time. */
  readonly wallMs: number
}

interface Waiting {
  readonly execute: () => void
  /** Whether the client that sent it has been discarded since. */
  readonly abandoned: () => boolean
  readonly refuse: () => void
}

/** A client that wants to know when there may be something to read again. */
export interface Reader {
  handleReadable(): void
  /** The cluster became slower or faster: a read that is under way is not waited for any longer. */
  handleSpeed(): void
  /** Its connections are lost, or a partition has another leader. */
  handleSilence(): void
}

export class SimulatedCluster {
  readonly name: string
  readonly timeline: Timeline
  readonly prng: Prng
  readonly #brokers: number
  readonly #latencyMs: readonly [number, number]
  readonly #wallMs: number
  readonly #logs = new Map<string, readonly SimulatedLog[]>()
  readonly #slowMs: Record<RequestKind, number> = { read: 0, write: 0, query: 0 }
  readonly #readers = new Set<Reader>()
  /** What groups committed, in the order in which they did: a log like any other. */
  #commits: (FeedPosition & { readonly groupId: string })[] = []
  /** The last one of each group and partition. */
  #committed = new Map<string, number>()
  #state: ClusterState = 'up'
  /** Grows with each death: what was answered in an earlier life does not arrive. */
  #life = 0
  #sockets: Waiting[] = []
  #refusal: Refusal = () => false
  /** Of a hundred requests that a discarded client left in the sockets of a hung cluster, how many are still read. */
  lateAppendPercent = 100
  /** Of a hundred batches that it knows again, how many it acknowledges without an offset. */
  hollowPercent = 0
  /** Of a hundred answers to writes, how many get lost with their connection. */
  answerLostPercent = 0
  readonly #cutOff = new Set<SimulatedProcess>()
  /** Payloads that it has refused for good. */
  readonly refused = new Set<string>()
  /** What happened that nobody asked for at a certain time; questions about logs, and offsets that they asked for. */
  readonly counts = { lateAppends: 0, answersLost: 0, questions: 0, offsets: 0 }
  /** What was said of a topic last: with many partitions and clients it is said once, as long as leaders stay. */
  readonly #described = new Map<string, TopicDescription>()

  constructor(options: ClusterOptions) {
    const { name, topics, brokers } = options
    this.name = name
    this.timeline = options.timeline
    this.prng = options.prng
    this.#brokers = brokers
    this.#latencyMs = options.latencyMs
    this.#wallMs = options.wallMs
    for (const [topic, partitions] of Object.entries(topics)) {
      const logs = Array.from({ length: partitions }, (_, partition) => {
        return new SimulatedLog({ topic, partition, leader: partition % brokers })
      })
      this.#logs.set(topic, logs)
    }
  }

  /** How often it was killed. */
  get life(): number {
    return this.#life
  }

  get state(): ClusterState {
    return this.#state
  }

  // --- faults ---------------------------------------------------------------------------------------------------

  /** Stops its processes. */
  hang(): void {
    if (this.#state === 'up') this.#state = 'hung'
  }

  /** Lets stopped processes go on; also ends whatever else was made to go wrong, but death. */
  heal(): void {
    this.slow(0)
    this.#refusal = () => false
    this.answerLostPercent = 0
    this.#cutOff.clear()
    for (const log of this.logs()) if (log.leader === LEADERLESS) log.leader = log.partition % this.#brokers
    this.resume()
  }

  /** Lets stopped processes go on, and nothing else. */
  resume(): void {
    if (this.#state === 'hung') {
      this.#state = 'up'
      const sockets = this.#sockets
      this.#sockets = []
      for (const { execute, abandoned } of sockets) {
        // The threads of a broker that wakes up read their connections in any order, new ones among them.
        if (abandoned() && this.prng.chance(50))
          this.timeline.after(this.prng.below(this.prng.chance(25) ? LATE_MS_MOST : LATE_MS), execute)
        else execute()
      }
    }
    this.#handleReadable()
  }

  /** One process cannot reach it; the others can. */
  cutOff(process: SimulatedProcess): void {
    this.#cutOff.add(process)
  }

  reconnect(process: SimulatedProcess): void {
    this.#cutOff.delete(process)
    this.#handleReadable()
  }

  /** Kills its processes. */
  kill(): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.#life++
    const sockets = this.#sockets
    this.#sockets = []
    for (const { refuse } of sockets) refuse()
    for (const reader of this.#readers) reader.handleSilence()
  }

  /** Starts killed processes again, on their logs. */
  restart(): void {
    if (this.#state !== 'dead') return
    this.#state = 'up'
    this.#handleReadable()
  }

  /** A partition loses its leader, until `heal` or `lead`. */
  leaderless(topic: string, partition: number): void {
    this.log(topic, partition).leader = LEADERLESS
  }

  lead(topic: string, partition: number): void {
    this.log(topic, partition).leader = partition % this.#brokers
    for (const reader of this.#readers) reader.handleSilence()
    this.#handleReadable()
  }

  /** Every request, or those of one kind, take that much longer each way. */
  slow(ms: number, kind?: RequestKind): void {
    for (const one of kind === undefined ? KINDS : [kind]) this.#slowMs[one] = ms
    for (const reader of this.#readers) reader.handleSpeed()
  }

  /** Refuses such records for good. */
  refuse(refusal: Refusal): void {
    this.#refusal = refusal
  }

  // --- logs -----------------------------------------------------------------------------------------------------

  log(topic: string, partition = 0): SimulatedLog {
    const log = this.#logs.get(topic)?.[partition]
    if (log === undefined) throw new Error(`${this.name} has no partition ${partition} of ${topic}`)
    return log
  }

  *logs(): Generator<SimulatedLog> {
    for (const logs of this.#logs.values()) yield* logs
  }

  /** Puts a record into a log, as an answered write would; readers are told. */
  append(topic: string, partition: number, entry: LogEntry): FeedRecord {
    const record = this.log(topic, partition).append(entry, this.timeline.now + this.#wallMs)
    this.#handleReadable()
    return record
  }

  commit(groupId: string, positions: readonly FeedPosition[]): boolean {
    for (const position of positions) this.#commit({ ...position, groupId })
    return true
  }

  committed(groupId: string, { topic, partition }: FeedPartition): number {
    return this.#committed.get(`${groupId}/${topic}/${partition}`) ?? UNCOMMITTED
  }

  /** The last so many records of each log are gone, and so many commits, which are in a log as well. */
  loseTails(count: number): FeedRecord[] {
    const commits = this.#commits.slice(0, Math.max(0, this.#commits.length - count))
    this.#commits = []
    this.#committed = new Map()
    for (const commit of commits) this.#commit(commit)
    return [...this.logs()].flatMap((log) => log.truncate(log.end - count))
  }

  refuses(record: FeedRecordDraft): boolean {
    const refused = this.#refusal(record)
    if (refused) for (const { text } of messagesIn(record)) this.refused.add(text)
    return refused
  }

  describe(topics: readonly string[]): ClusterDescription {
    return {
      brokers: Array.from({ length: this.#brokers }, (_, id) => ({ id, host: `${this.name}-${id}.test`, port: 9092 })),
      topics: topics.filter((topic) => this.#logs.has(topic)).map((topic) => this.#describeTopic(topic)),
    }
  }

  #describeTopic(name: string): TopicDescription {
    const logs = this.#logs.get(name)!
    const known = this.#described.get(name)
    if (known !== undefined && logs.every(({ leader }, index) => leader === known.partitions[index]!.leader))
      return known
    const copies = Math.min(3, this.#brokers)
    const partitions = logs.map(({ partition, leader }) => ({ partition, leader, replicas: copies, inSync: copies }))
    this.#described.set(name, { name, partitions })
    return { name, partitions }
  }

  // --- clients --------------------------------------------------------------------------------------------------

  /**
   * Sends a request. `execute` happens in the cluster, if it gets there; `handle` is told what came of it, or that the
   * connection broke, or nothing ever. `abandoned` says whether the client that sent it has been discarded since.
   */
  request<T>(request: {
    readonly kind: RequestKind
    readonly from: SimulatedProcess
    readonly execute: () => T
    readonly handle: (answer: { readonly kind: 'answered'; readonly value: T } | { readonly kind: 'broken' }) => void
    readonly abandoned?: () => boolean
  }): void {
    const { kind, from, handle } = request
    const refuse = (): void => {
      this.timeline.after(this.#travelMs(kind), () => handle({ kind: 'broken' }))
    }
    const abandoned = (): boolean => request.abandoned?.() === true
    const execute = (): void => {
      if (abandoned()) {
        if (!this.prng.chance(this.lateAppendPercent)) return
        if (kind === 'write') this.counts.lateAppends++
      }
      const value = request.execute()
      const life = this.#life
      const lost = kind === 'write' && this.answerLostPercent > 0 && this.prng.chance(this.answerLostPercent)
      if (lost) this.counts.answersLost++
      this.timeline.after(this.#travelMs(kind), () => {
        const broken = lost || life !== this.#life || this.#cutOff.has(from)
        handle(broken ? { kind: 'broken' } : { kind: 'answered', value })
      })
    }
    this.timeline.after(this.#travelMs(kind), () => {
      if (this.#cutOff.has(from)) {
        refuse()
        return
      }
      switch (this.#state) {
        case 'up':
          execute()
          return
        case 'hung':
          this.#sockets.push({ execute, refuse, abandoned })
          return
        case 'dead':
          refuse()
          return
        default:
          this.#state satisfies never
      }
    })
  }

  addReader(reader: Reader): void {
    this.#readers.add(reader)
  }

  removeReader(reader: Reader): void {
    this.#readers.delete(reader)
  }

  #commit(commit: FeedPosition & { readonly groupId: string }): void {
    this.#commits.push(commit)
    this.#committed.set(`${commit.groupId}/${commit.topic}/${commit.partition}`, commit.offset)
  }

  #handleReadable(): void {
    if (this.#state !== 'up') return
    for (const reader of this.#readers) reader.handleReadable()
  }

  #travelMs(kind: RequestKind): number {
    return this.prng.between(...this.#latencyMs) + this.#slowMs[kind]
  }
}

/** What Kafka calls a partition's leader when there is none. */
export const LEADERLESS = -1
/** What a request that nobody waits for may take to be read, after its broker went on. */
const LATE_MS = 3_000
/** No request lies in a broker's socket for longer. */
export const LATE_MS_MOST = 60_000
const KINDS = ['read', 'write', 'query'] as const
