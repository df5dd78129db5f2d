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
  readonly #reader: rdkafka.KafkaConsumer
  readonly #asker: rdkafka.KafkaConsumer
  readonly #assigned = new Set<string>()
  /** Where those are to begin that were moved, or taken away, during this poll: it may bring what they had before. */
  #moved = new Map<string, FeedPosition | undefined>()
  readonly #questions: Questions
  readonly #committed: CommittedQuestions
  /** Is told what becomes of the commit that is under way. */
  #handleCommitted: ((failure: string | undefined) => void) | undefined
  #ends: FeedPosition[] = []
  /** Of the last statistics: who leads, and how often connections were lost. */
  #connections: string | undefined
  #connecting: rdkafka.KafkaConsumer | undefined
  #closed = false

  /** @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: librdkafka does not know a property, or not its value. */
  constructor(options: FeedClientOptions, handler: FeedClientHandler) {
    this.#options = options
    this.#handler = handler
    this.#failure = new FailureReason(options.properties)
    this.#reader = createClient(options, this.#failure, {
      'statistics.interval.ms': STATISTICS_MS,
      offset_commit_cb: true,
    })
    this.#asker = createClient(options, this.#failure)
    this.#questions = new Questions((...question) => this.#ask(...question))
    this.#committed = new CommittedQuestions((...question) => this.#askCommitted(...question))
    this.#reader.setDefaultConsumeTimeout(READER.pollTimeoutMs)
    this.#reader.on('partition.eof', ({ topic, partition, offset }) => this.#ends.push({ topic, partition, offset }))
    // Without a listener an error event would throw. What they report (brokers down, and up again) is the client's own
    // affair; that a feed brings nothing is seen by the arbiter.
    this.#reader.on('event.error', () => undefined)
    this.#reader.on('event.stats', ({ message }: { readonly message: string }) => this.#handleStatistics(message))
    this.#reader.on('offset.commit', (error: rdkafka.LibrdKafkaError | undefined) => this.#endCommit(error?.message))
    this.#asker.on('event.error', () => undefined)
  }

  connect(): void {
    this.#connectOne(this.#asker, (metadata) => {
      this.#connectOne(this.#reader, () => {
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
    this.#reader.incrementalUnassign(read.map(toppar))
    for (const partition of read) this.#moved.set(nameOf(partition), undefined)
  }

  pause(partitions: readonly FeedPartition[]): void {
    this.#reader.pause(partitions.map(toppar))
  }

  resume(partitions: readonly FeedPartition[]): void {
    this.#reader.resume(partitions.map(toppar))
  }

  poll(): void {
    this.#moved.clear()
    this.#reader.consume(READER.batchMax, (error: rdkafka.LibrdKafkaError | null, messages: rdkafka.Message[]) => {
      if (this.#closed) return
      const ends = this.#ends
      this.#ends = []
      if (error) this.#handler.handlePollFailed(error.message)
      else {
        const moved = (one: FeedPartition): boolean => this.#moved.has(nameOf(one))
        this.#handler.handleBatch(
          this.#current(messages).map(recordOf),
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
      this.#reader.commit(positions.map((position) => ({ ...toppar(position), offset: position.offset })))
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
    for (const client of [this.#reader, this.#asker]) {
      // One that is connecting is let go of when that is over; it would keep the process alive otherwise.
      if (client === this.#connecting) setImmediate(closed)
      else disconnect(client, closed)
    }
  }

  #assign(positions: readonly FeedPosition[]): void {
    this.#reader.incrementalAssign(positions.map((position) => ({ ...toppar(position), offset: position.offset })))
    for (const position of positions) this.#assigned.add(nameOf(position))
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
      this.#reader.incrementalUnassign(positions.map(toppar))
      this.#assign(positions)
    }
    return current
  }

  /** The first ones say nothing: there was no connection before that could have been lost. */
  #handleStatistics(json: string): void {
    if (this.#closed) return
    const seen = connectionsOf(json)
    const before = this.#connections
    this.#connections = seen
    if (before !== undefined && before !== seen) this.#handler.handleSilence()
  }

  #ask(...[asked, patienceMs, over]: Parameters<Put>): void {
    const positions = asked.map(({ timeMs, ...at }) => ({ ...toppar(at), offset: timeMs }))
    this.#asker.offsetsForTimes(positions, patienceMs, (error, answers) => {
      if (this.#closed) return
      // In place of an answer about a partition there may be an error.
      const offsets = error ? [] : answers.map(({ offset }) => offset).filter((offset) => offset !== undefined)
      over(offsets.length === asked.length ? offsets : undefined)
    })
  }

  #askCommitted(...[asked, patienceMs, over]: Parameters<PutCommitted>): void {
    this.#asker.committed(asked.map(toppar), patienceMs, (error, answers) => {
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

  #connectOne(client: rdkafka.KafkaConsumer, connected: (metadata: rdkafka.Metadata) => void): void {
    this.#connecting = client
    client.connect({ timeout: this.#options.connectTimeoutMs, allTopics: true }, (error, metadata) => {
      this.#connecting = undefined
      if (this.#closed) {
        disconnect(client, () => undefined)
      } else if (error) {
        this.#handler.handleConnectFailed(this.#failure.of(error))
      } else {
        this.#failure.handleSuccess()
        connected(metadata)
      }
    })
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
  more: Readonly<Record<string, number | boolean>> = {},
): rdkafka.KafkaConsumer {
  try {
    const conf = { ...readerProperties({ groupId, properties }), ...more }
    const client = new rdkafka.KafkaConsumer(conf, { 'auto.offset.reset': 'error' })
    // Lines of the log come from a thread of librdkafka's, without a poll.
    client.on('event.log', (line: ClientLogLine) => failure.handleLog(line))
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

/**
 * Lets go of a client. The native part of one that is not connected holds on to our callbacks, and by them to itself,
 * until they are taken back: every attempt of a long outage would stay in memory.
 */
function disconnect(client: rdkafka.KafkaConsumer, done: () => void): void {
  if (client.isConnected()) {
    client.disconnect(done)
    return
  }
  const native = client as unknown as NativeClient
  native.getClient().configureCallbacks(false, native._cb_configs)
  setImmediate(done)
}

/** What is used of node-rdkafka and not in its types. */
interface NativeClient {
  getClient(): { configureCallbacks(add: boolean, callbacks: unknown): void }
  readonly _cb_configs: unknown
}

/** Of librdkafka's statistics, what tells of other leaders, and of lost connections to those, as one text. */
export function connectionsOf(json: string): string {
  const { brokers, topics } = JSON.parse(json) as Statistics
  const leaders = Object.values(topics).flatMap(({ partitions }) =>
    Object.values(partitions).map(({ leader }) => leader),
  )
  // Others close connections that nobody uses.
  const used = Object.values(brokers).filter(({ nodeid }) => nodeid >= 0 && leaders.includes(nodeid))
  return JSON.stringify([leaders, used.map(({ nodeid, disconnects }) => [nodeid, disconnects])])
}

/** STATISTICS.md of librdkafka; what is used of it. */
interface Statistics {
  readonly brokers: Readonly<Record<string, { readonly nodeid: number; readonly disconnects: number }>>
  readonly topics: Readonly<
    Record<string, { readonly partitions: Readonly<Record<string, { readonly leader: number }>> }>
  >
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
