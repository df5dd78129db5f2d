import {
  CLUSTER_NAMES,
  clusterProperties,
  CONSUMER_OWNED,
  OptionsInvalidError,
  readOptions,
  received,
  type Codec,
  type Logger,
  type OptionsSpec,
} from '@tandem/common/internal'
import type { Meter, Tracer } from '@opentelemetry/api'

import type { HighWaterStore } from './high-water/high-water-store.js'
import type { DeadLetter } from './operators/dead-letter.js'

/** What `new Consumer()` takes; units, ranges, defaults and meanings stand in `CONSUMER_OPTIONS`. */
export interface ConsumerOptions {
  readonly groupId: string
  /** Exactly two, by name; any librdkafka property that tandem does not own passes through. */
  readonly clusters: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Names, or names with the codec that reads their values. */
  readonly topics: readonly string[] | Readonly<Record<string, { readonly codec?: Codec<unknown> }>>
  readonly highWater: HighWaterStore
  readonly unacknowledgedMax?: number
  readonly unacknowledgedBytesMax?: number
  readonly order?: 'late' | 'strict'
  readonly gapTimeoutMs?: number
  readonly holeTimeoutMs?: number
  readonly feedAwayAfterMs?: number
  readonly leaseMs?: number
  readonly whenStoreAway?: 'pause' | 'continue'
  readonly fallbackRewindMs?: number
  readonly flushIntervalMs?: number
  readonly ackTimeoutMs?: number
  readonly heldMessagesMax?: number
  readonly heldBytesMax?: number
  readonly unstamped?: Unstamped
  readonly from?: 'earliest' | 'latest'
  readonly connectTimeoutMs?: number
  readonly closeTimeoutMs?: number
  readonly logger?: Logger
  readonly meter?: Meter
  readonly tracer?: Tracer
}

/** What becomes of records without a stamp. */
export type Unstamped =
  | 'event'
  /** Those of this cluster are delivered, in the order of its log; those of the other one are told of. */
  | { readonly deliver: string }
  /** All of them, and those whose stamp cannot be read. */
  | { readonly deadLetter: DeadLetter }

const CODEC: OptionsSpec = {
  codec: {
    kind: 'opaque',
    meaning: 'Reads the values of this topic; without one they stay bytes.',
    allowed: 'a codec',
    check: (value) => hasMethods(value, 'encode', 'decode'),
    optional: true,
  },
}

export const CONSUMER_OPTIONS = {
  groupId: {
    kind: 'string',
    meaning: 'The group: each one gets every message once.',
    allowed: '1 to 249 letters, digits, dots, underscores and hyphens',
    pattern: /^[A-Za-z0-9._-]{1,249}$/,
  },
  clusters: {
    kind: 'map',
    meaning: 'The two clusters by name, each with librdkafka properties.',
    names: CLUSTER_NAMES,
    countMin: 2,
    countMax: 2,
    of: { kind: 'opaque', meaning: 'librdkafka properties', allowed: 'librdkafka properties', check: () => true },
  },
  topics: {
    kind: 'map',
    meaning: 'Topics to read, each with its codec.',
    countMin: 1,
    of: { kind: 'object', meaning: 'How to read a topic.', options: CODEC },
  },
  highWater: {
    kind: 'opaque',
    meaning: 'Where the position is kept.',
    allowed: 'a HighWaterStore',
    check: (value) => hasMethods(value, 'look', 'acquire', 'flush', 'renew', 'want', 'release', 'meet'),
  },
  unacknowledgedMax: {
    kind: 'number',
    unit: 'messages',
    min: 1,
    max: 10_000_000,
    default: 10_000,
    meaning: 'Deliveries that may be unacknowledged; beyond it nothing is read.',
  },
  unacknowledgedBytesMax: {
    kind: 'number',
    unit: 'bytes',
    min: 1,
    max: 2 ** 40,
    default: 64 << 20,
    meaning: 'The same, in bytes of keys and values.',
  },
  order: {
    kind: 'enum',
    values: ['late', 'strict'],
    default: 'late',
    meaning:
      'What cannot come in order comes late, flagged, instead of holding up what can; or its stream stands until it comes, or is skipped by an operator.',
  },
  gapTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 1,
    max: 3_600_000,
    default: 5_000,
    meaning: 'How long a hole that every live feed has read beyond may still be filled before delivery goes past it.',
  },
  holeTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 1,
    max: 86_400_000,
    default: 60_000,
    meaning: 'The longest that anything is waited for before delivery goes past a hole.',
  },
  feedAwayAfterMs: {
    kind: 'number',
    unit: 'ms',
    // It is asked for a sign of life three times within this: less than a third of a second is no time to answer.
    min: 1_000,
    max: 3_600_000,
    default: 10_000,
    meaning:
      'A feed that brings neither records nor word of its end for this long is not waited for. Below 2,000 one answer that is lost is enough for that.',
  },
  leaseMs: {
    kind: 'number',
    unit: 'ms',
    // It is renewed five times within this, and trusted for 0.98 of it less 200 ms.
    min: 1_000,
    max: 600_000,
    default: 10_000,
    meaning:
      'For how long a partition is held without a word from its holder; after that another instance takes it. The store is to answer several times within this.',
  },
  whenStoreAway: {
    kind: 'enum',
    values: ['pause', 'continue'],
    default: 'pause',
    meaning:
      'What happens to the partitions of a lease that cannot be renewed: delivery pauses, or goes on, so that two instances may deliver the same at the same time.',
  },
  fallbackRewindMs: {
    kind: 'number',
    unit: 'ms',
    min: 0,
    max: 604_800_000,
    default: 600_000,
    meaning:
      "How far a group whose store has lost its position begins before the clusters' commits; by 1,000 records at least.",
  },
  flushIntervalMs: {
    kind: 'number',
    unit: 'ms',
    min: 1,
    max: 60_000,
    default: 100,
    meaning: 'How often what changed is stored; after a crash at most this much comes again.',
  },
  ackTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 100,
    max: 86_400_000,
    default: 60_000,
    meaning:
      'After how long a delivery that is not acknowledged, or a full window of which nothing is, is told of. Neither is taken away: it stays with its handler.',
  },
  heldMessagesMax: {
    kind: 'number',
    unit: 'messages',
    min: 1,
    max: 10_000_000,
    default: 50_000,
    meaning:
      'What one feed of one partition may hold, out of order, before it is paused or reads on without the payloads.',
  },
  heldBytesMax: {
    kind: 'number',
    unit: 'bytes',
    min: 1,
    max: 2 ** 40,
    default: 64 << 20,
    meaning: 'The same, in bytes.',
  },
  unstamped: {
    kind: 'opaque',
    default: 'event',
    meaning:
      'Records without a stamp are counted and skipped, with an event; or those of one cluster are delivered, in the order of its log (for a migration from a single cluster); or all of them, and those with a stamp that cannot be read, go to the dead letters.',
    allowed: "'event', { deliver: <one of the clusters> } or { deadLetter: <function> }",
    check: isUnstamped,
  },
  from: {
    kind: 'enum',
    values: ['earliest', 'latest'],
    default: 'earliest',
    meaning: 'Where a group without a position begins: at the start of the logs, or at the time of its birth.',
  },
  connectTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 100,
    max: 600_000,
    default: 10_000,
    meaning: 'How long a start may take until one cluster and the store have answered.',
  },
  closeTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 0,
    max: 600_000,
    default: 10_000,
    meaning: 'How long closing waits for what is unacknowledged.',
  },
  logger: {
    kind: 'opaque',
    meaning: 'Gets a line for every event; a pino logger fits.',
    allowed: 'a logger with debug, info, warn and error',
    check: (value) => hasMethods(value, 'debug', 'info', 'warn', 'error'),
    optional: true,
  },
  meter: {
    kind: 'opaque',
    meaning: 'OpenTelemetry meter; the global one if left out.',
    allowed: 'an OpenTelemetry Meter',
    check: (value) => hasMethods(value, 'createCounter'),
    optional: true,
  },
  tracer: {
    kind: 'opaque',
    meaning:
      'OpenTelemetry tracer: each delivery is a span, linked to the one that sent the message; the global one if left out.',
    allowed: 'an OpenTelemetry Tracer',
    check: (value) => hasMethods(value, 'startSpan'),
    optional: true,
  },
} as const satisfies OptionsSpec

export interface ConsumerSettings {
  readonly groupId: string
  readonly clusters: readonly [string, string]
  readonly properties: readonly [Record<string, string>, Record<string, string>]
  readonly topics: readonly string[]
  readonly codecs: ReadonlyMap<string, Codec<unknown>>
  readonly highWater: HighWaterStore
  readonly unacknowledgedMax: number
  readonly unacknowledgedBytesMax: number
  readonly order: 'late' | 'strict'
  readonly gapTimeoutMs: number
  readonly holeTimeoutMs: number
  readonly feedAwayAfterMs: number
  readonly leaseMs: number
  readonly whenStoreAway: 'pause' | 'continue'
  readonly fallbackRewindMs: number
  readonly flushIntervalMs: number
  readonly ackTimeoutMs: number
  readonly heldMessagesMax: number
  readonly heldBytesMax: number
  readonly from: 'earliest' | 'latest'
  readonly unstamped: Unstamped
  readonly connectTimeoutMs: number
  readonly closeTimeoutMs: number
  readonly logger: Logger | undefined
  readonly meter: Meter | undefined
  readonly tracer: Tracer | undefined
}

/** @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`, with what was received and what is allowed. */
export function readConsumerOptions(given: ConsumerOptions): ConsumerSettings {
  const topics = Array.isArray(given?.topics) ? namesToMap(given.topics as readonly unknown[]) : given?.topics
  const read = readOptions(CONSUMER_OPTIONS, { ...given, topics }, 'consumer')
  const [east, west] = Object.keys(read.clusters) as [string, string]
  const properties = [east, west].map((name) => clusterProperties(name, read.clusters[name], CONSUMER_OWNED))
  const codecs = new Map<string, Codec<unknown>>()
  for (const [topic, { codec }] of Object.entries(read.topics)) {
    if (codec !== undefined) codecs.set(topic, codec as Codec<unknown>)
  }
  const { unstamped } = read
  if (typeof unstamped === 'object' && 'deliver' in unstamped && ![east, west].includes(unstamped.deliver)) {
    throw optionInvalid('consumer.unstamped.deliver', received(unstamped.deliver), `${east} or ${west}`)
  }
  return {
    ...read,
    clusters: [east, west],
    properties: properties as [Record<string, string>, Record<string, string>],
    topics: Object.keys(read.topics),
    codecs,
    highWater: read.highWater as HighWaterStore,
    order: read.order,
    whenStoreAway: read.whenStoreAway,
    from: read.from,
    logger: read.logger as Logger | undefined,
    meter: read.meter as Meter | undefined,
    tracer: read.tracer as Tracer | undefined,
  }
}

function isUnstamped(value: unknown): value is Unstamped {
  if (value === 'event') return true
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false
  const { deliver, deadLetter } = value as Record<string, unknown>
  return typeof deliver === 'string' || typeof deadLetter === 'function'
}

function namesToMap(names: readonly unknown[]): Record<string, object> {
  // Inherits nothing: `constructor` is a good name for a topic, and so is `__proto__`.
  const map = Object.create(null) as Record<string, object>
  for (const name of names) {
    if (typeof name !== 'string') throw topicsInvalid(received(name))
    if (name in map) throw topicsInvalid(`${received(name)} twice`)
    map[name] = {}
  }
  return map
}

function topicsInvalid(got: string): OptionsInvalidError {
  return optionInvalid('consumer.topics', got, 'names of topics, each once')
}

function optionInvalid(path: string, got: string, allowed: string): OptionsInvalidError {
  return new OptionsInvalidError(`option ${path}: received ${got}, allowed is ${allowed}`, {
    path,
    received: got,
    allowed,
  })
}

function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  )
}
