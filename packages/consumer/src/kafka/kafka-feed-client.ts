import { describeCluster, FailureReason, OptionsInvalidError, type ClientLogLine } from '@tandem/common/internal'
import rdkafka from 'node-rdkafka'

import { CommittedQuestions, type PutCommitted } from './committed-questions.js'
import {
  UNCOMMITTED,
  type FeedClient,
  type FeedClientHandler,
  type FeedClientOptions,
  type FeedPartition,
  type FeedPosition,
  type FeedRecord,
} from './feed-client.js'
import { LastingConsumer, type BrokerStatistics } from './lasting-consumer.js'
import { Questions, type Put } from './questions.js'

/**
 * node-rdkafka as a FeedClient: one consumer that reads in batches, and a second one for questions.
 *
 * Batches, since flowing mode has no back-pressure. Questions (ends of logs, times) would stand in the reader's way:
 * they go to a client of their own, few at a time (questions.ts).
 */
export class KafkaFeedClient implements FeedClient {
  readonly #handler: FeedClientHandler
  readonly #options: FeedClientOptions
  readonly #failure: FailureReason
  readonly #reader: LastingConsumer
  readonly #asker: LastingConsumer
  /** What is read, and what comes next of it. */
  readonly #assigned = new Map<string, FeedPosition>()
  readonly #paused = new Map<string, FeedPartition>()
  /** Where those are to begin that were moved, or taken away, during this poll: it may bring what they had before. */
  #moved = new Map<string, FeedPosition | undefined>()
  readonly #questions: Questions
  readonly #committed: CommittedQuestions
  /** Is told what becomes of the commit that is under way. */
  #handleCommitted: ((failure: string | undefined) => void) | undefined
  #ends: FeedPosition[] = []
  /** Of the last statistics: who leads, and how often connections were lost. */
  #connections: string | undefined
  /** Another client reads now, which is still to be said. */
  #replaced = false
  #closed = false

  /** @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: librdkafka does not know a property, or not its value. */
  constructor(options: FeedClientOptions, handler: FeedClientHandler) {
    this.#options = options
    this.#handler = handler
    this.#failure = new FailureReason(options.properties)
    this.#reader = new LastingConsumer((servers) => this.#createReader(servers), options.connectTimeoutMs)
    this.#asker = new LastingConsumer((servers) => this.#createAsker(servers), options.connectTimeoutMs)
    this.#questions = new Questions((...question) => this.#ask(...question))
    this.#committed = new CommittedQuestions((...question) => this.#askCommitted(...question))
  }

  connect(): void {
    this.#asker.connect((failure, metadata) => {
      if (failure !== undefined) return this.#handler.handleConnectFailed(this.#failure.of(failure))
      this.#reader.connect((error) => {
        if (error !== undefined) return this.#handler.handleConnectFailed(this.#failure.of(error))
        this.#failure.handleSuccess()
        const description = describeCluster(metadata, this.#options.topics)
        this.#questions.handleDescribed(description)
        this.#handler.handleConnected(description)
      })
    })
  }

  assign(positions: readonly FeedPosition[]): void {
    this.unassign(positions)
    for (const position of positions) {
      const name = nameOf(position)
      if (this.#moved.has(name)) this.#moved.set(name, position)
    }
    this.#assign(positions)
  }

  unassign(partitions: readonly FeedPartition[]): void {
    const read = partitions.filter((partition) => this.#assigned.delete(nameOf(partition)))
    if (read.length === 0) return
    this.#reader.current.incrementalUnassign(read.map(toppar))
    for (const partition of read) {
      this.#moved.set(nameOf(partition), undefined)
      this.#paused.delete(nameOf(partition))
    }
  }

  pause(partitions: readonly FeedPartition[]): void {
    for (const partition of partitions) this.#paused.set(nameOf(partition), partition)
    this.#reader.current.pause(partitions.map(toppar))
  }

  resume(partitions: readonly FeedPartition[]): void {
    for (const partition of partitions) this.#paused.delete(nameOf(partition))
    this.#reader.current.resume(partitions.map(toppar))
  }

  poll(): void {
    if (this.#reader.replace()) this.#beginAgain()
    this.#moved.clear()
    const reader = this.#reader.current
    reader.consume(READER.batchMax, (error: rdkafka.LibrdKafkaError | null, messages: rdkafka.Message[]) => {
      if (this.#closed) return
      if (this.#replaced) this.#handler.handleSilence()
      this.#replaced = false
      const ends = this.#ends
      this.#ends = []
      if (error) this.#handler.handlePollFailed(error.message)
      else {
        const moved = (one: FeedPartition): boolean => this.#moved.has(nameOf(one))
        const current = this.#current(messages)
        this.#advance(current)
        this.#handler.handleBatch(
          current.map(recordOf),
          ends.filter((end) => !moved(end)),
        )
      }
    })
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

  /** By the reader, since what it is told of it comes with a poll. */
  commit(positions: readonly FeedPosition[], done: (failure: string | undefined) => void): void {
    this.#handleCommitted = done
    try {
      this.#reader.current.commit(positions.map((position) => ({ ...toppar(position), offset: position.offset })))
    } catch (error) {
      setImmediate(() => this.#endCommit(error instanceof Error ? error.message : String(error)))
    }
  }

  close(done: () => void): void {
    this.#closed = true
    let open = 2
    const closed = (): void => {
      if (--open === 0) done()
    }
    for (const client of [this.#reader, this.#asker]) client.close(closed)
  }

  #createReader(bootstrapServers: string | undefined): rdkafka.KafkaConsumer {
    const reader = createClient(this.#options, this.#failure, bootstrapServers, { offset_commit_cb: true })
    reader.setDefaultConsumeTimeout(READER.pollTimeoutMs)
    reader.on('partition.eof', ({ topic, partition, offset }) => this.#ends.push({ topic, partition, offset }))
    reader.on('event.stats', ({ message }: StatisticsEvent) => {
      if (!this.#closed && reader === this.#reader.current) this.#handleStatistics(message)
    })
    reader.on('offset.commit', (error: rdkafka.LibrdKafkaError | undefined) => {
      if (reader === this.#reader.current) this.#endCommit(error?.message)
    })
    return reader
  }

  #createAsker(bootstrapServers: string | undefined): rdkafka.KafkaConsumer {
    const asker = createClient(this.#options, this.#failure, bootstrapServers)
    asker.setDefaultConsumeTimeout(0)
    asker.on('event.stats', ({ message }: StatisticsEvent) => {
      if (asker === this.#asker.current) this.#asker.handleStatistics(JSON.parse(message) as BrokerStatistics)
    })
    return asker
  }

  /** Another client goes on where the one before it was. */
  #beginAgain(): void {
    this.#ends = []
    this.#connections = undefined
    this.#replaced = true
    const handleCommitted = this.#handleCommitted
    this.#handleCommitted = undefined
    setImmediate(() => {
      if (!this.#closed) handleCommitted?.('another client has taken its place')
    })
    this.#assign([...this.#assigned.values()])
    if (this.#paused.size > 0) this.#reader.current.pause([...this.#paused.values()].map(toppar))
  }

  /** Notes what comes next after a batch, which has the records of a partition in runs. */
  #advance(messages: readonly rdkafka.Message[]): void {
    for (let index = 0; index < messages.length; index++) {
      const { topic, partition, offset } = messages[index]!
      const next = messages[index + 1]
      if (next?.partition === partition && next.topic === topic) continue
      const name = nameOf({ topic, partition })
      if (this.#assigned.has(name)) this.#assigned.set(name, { topic, partition, offset: offset + 1 })
    }
  }

  #assign(positions: readonly FeedPosition[]): void {
    const reader = this.#reader.current
    reader.incrementalAssign(positions.map((position) => ({ ...toppar(position), offset: position.offset })))
    for (const position of positions) this.#assigned.set(nameOf(position), position)
  }

  /**
   * Without what a poll may have found before a partition was moved: that one is assigned again, now that no poll is
   * under way, so that nothing of what it has now is left out.
   */
  #current(messages: readonly rdkafka.Message[]): readonly rdkafka.Message[] {
    if (this.#moved.size === 0) return messages
    const again = new Map<string, FeedPosition>()
    const current = messages.filter((message) => {
      const name = nameOf(message)
      if (!this.#moved.has(name)) return true
      const position = this.#moved.get(name)
      if (position !== undefined) again.set(name, position)
      return false
    })
    if (again.size > 0) {
      const positions = [...again.values()]
      this.#reader.current.incrementalUnassign(positions.map(toppar))
      this.#assign(positions)
    }
    return current
  }

  /** The first ones say nothing: there was no connection before that could have been lost. */
  #handleStatistics(json: string): void {
    const statistics = JSON.parse(json) as Statistics
    this.#reader.handleStatistics(statistics)
    // What the other one has to say comes when it is polled.
    this.#asker.current.consume(1, () => undefined)
    const seen = connectionsOf(statistics)
    const before = this.#connections
    this.#connections = seen
    if (before !== undefined && before !== seen) this.#handler.handleSilence()
  }

  #ask(...[asked, patienceMs, over]: Parameters<Put>): void {
    const positions = asked.map(({ timeMs, ...at }) => ({ ...toppar(at), offset: timeMs }))
    this.#asker.replace()
    this.#asker.current.offsetsForTimes(positions, patienceMs, (error, answers) => {
      if (this.#closed) return
      // In place of an answer about a partition there may be an error.
      const offsets = error ? [] : answers.map(({ offset }) => offset).filter((offset) => offset !== undefined)
      over(offsets.length === asked.length ? offsets : undefined)
    })
  }

  #askCommitted(...[asked, patienceMs, over]: Parameters<PutCommitted>): void {
    this.#asker.replace()
    this.#asker.current.committed(asked.map(toppar), patienceMs, (error, answers) => {
      if (this.#closed) return
      // In place of an answer about a partition there may be an error: that is no word of a group without a commit.
      const isWhole = !error && !answers.some((answer) => (answer as unknown) instanceof Error)
      if (isWhole) over(answers.map(({ offset }) => offset ?? UNCOMMITTED))
      else if (error && HIDDEN.includes(error.code)) over(asked.map(() => UNCOMMITTED))
      else over(undefined)
    })
  }

  #endCommit(failure: string | undefined): void {
    const handle = this.#handleCommitted
    this.#handleCommitted = undefined
    if (!this.#closed) handle?.(failure)
  }
}

/** What both clients of a feed are made with. */
export function readerProperties({
  groupId,
  properties,
}: Pick<FeedClientOptions, 'groupId' | 'properties'>): rdkafka.ConsumerGlobalConfig {
  return { ...DEFAULTS, ...properties, 'group.id': groupId, ...OWNED } as rdkafka.ConsumerGlobalConfig
}

function createClient(
  { cluster, groupId, properties }: FeedClientOptions,
  failure: FailureReason,
  bootstrapServers: string | undefined,
  more: Readonly<Record<string, boolean>> = {},
): rdkafka.KafkaConsumer {
  try {
    const conf: rdkafka.ConsumerGlobalConfig = { ...readerProperties({ groupId, properties }), ...more }
    if (bootstrapServers !== undefined) conf['bootstrap.servers'] = bootstrapServers
    conf['statistics.interval.ms'] = STATISTICS_MS
    const client = new rdkafka.KafkaConsumer(conf, { 'auto.offset.reset': 'error' })
    // Lines of the log come from a thread of librdkafka's, without a poll.
    client.on('event.log', (line: ClientLogLine) => failure.handleLog(line))
    // Without a listener an error event would throw. What they report (brokers down, and up again) is the client's own
    // affair; that a feed brings nothing is seen by the arbiter.
    client.on('event.error', () => undefined)
    return client
  } catch (cause) {
    const reason = failure.of(cause)
    throw new OptionsInvalidError(
      `option clusters.${cluster}: librdkafka says: ${reason}`,
      { path: `clusters.${cluster}`, reason },
      cause,
    )
  }
}

/** Of librdkafka's statistics, what tells of other leaders, and of lost connections to those, as one text. */
export function connectionsOf({ brokers, topics }: Statistics): string {
  const leaders = Object.values(topics).flatMap(({ partitions }) =>
    Object.values(partitions).map(({ leader }) => leader),
  )
  // Others close connections that nobody uses.
  const used = Object.values(brokers).filter(({ nodeid }) => nodeid >= 0 && leaders.includes(nodeid))
  return JSON.stringify([leaders, used.map(({ nodeid, disconnects }) => [nodeid, disconnects])])
}

/** STATISTICS.md of librdkafka; what is used of it. */
export interface Statistics extends BrokerStatistics {
  readonly brokers: Readonly<
    Record<string, { readonly source: string; readonly nodeid: number; readonly disconnects: number }>
  >
  readonly topics: Readonly<
    Record<string, { readonly partitions: Readonly<Record<string, { readonly leader: number }>> }>
  >
}

interface StatisticsEvent {
  readonly message: string
}

function toppar({ topic, partition }: FeedPartition): { topic: string; partition: number } {
  return { topic, partition }
}

function nameOf({ topic, partition }: FeedPartition): string {
  return `${topic}/${partition}`
}

function recordOf(message: rdkafka.Message): FeedRecord {
  const { topic, partition, offset, timestamp, value, headers } = message
  const key = message.key as Buffer | null | undefined
  return {
    topic,
    partition,
    offset,
    key: key ?? null,
    value,
    timestampMs: timestamp ?? -1,
    headers: ((headers as FeedRecord['headers'] | undefined) ?? []).map(ownHeader),
  }
}

/** node-rdkafka assigns a header to an object: one that is called `__proto__` becomes its prototype. */
function ownHeader(header: Readonly<Record<string, Buffer>>): Readonly<Record<string, Buffer>> {
  const prototype = Object.getPrototypeOf(header) as Buffer
  return (prototype as unknown) === Object.prototype ? header : Object.fromEntries([['__proto__', prototype]])
}

/** What users may change. librdkafka would keep 64 MB of each feed's future in memory. */
const DEFAULTS = {
  'queued.max.messages.kbytes': 16_384,
  'reconnect.backoff.max.ms': 2_000,
  'fetch.wait.max.ms': 200,
}

/** Commits of the group are not ours to see: TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED. */
const HIDDEN: readonly number[] = [29, 30]

/** What the protocol depends on (common's cluster-properties.ts says why). */
const OWNED = {
  'enable.auto.commit': false,
  'enable.auto.offset.store': false,
  'enable.partition.eof': true,
  'isolation.level': 'read_uncommitted',
  'metadata.recovery.strategy': 'none',
  'allow.auto.create.topics': false,
  'socket.timeout.ms': 10_000,
  'statistics.interval.ms': 0,
}
/** A broker that lost its log has not started again by then. */
const STATISTICS_MS = 1_000

/** How it reads. */
export const READER = {
  /** Records of one batch: measured at 158,000 records/s from two clusters (node-rdkafka 3.6.1). */
  batchMax: 1_000,
  /** What one poll waits if there is nothing, holding a libuv thread. */
  pollTimeoutMs: 50,
} as const
