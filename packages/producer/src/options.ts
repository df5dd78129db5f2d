import type { Meter, Tracer } from '@opentelemetry/api'

import {
  CLUSTER_NAMES,
  clusterProperties,
  ClusterSharedError,
  isProducerId,
  OptionsInvalidError,
  PRODUCER_OWNED,
  readOptions,
  received,
  systemClock,
  type Codec,
  type Logger,
  type Options,
  type OptionsGiven,
} from '@tandem/common/internal'

import { REWRITE_AGE_MS_MAX } from './core/track.js'
import { ClockEpochs, type EpochStore } from './epoch/epoch-store.js'

const TOPIC_OPTIONS = {
  keyRanges: {
    kind: 'number',
    unit: 'key ranges',
    min: 1,
    max: 1_000_000,
    optional: true,
    meaning:
      'Equal slices of the key-hash space; each is ordered by itself. A multiple of the partition count, and equal to it if left out.',
  },
  framing: {
    kind: 'enum',
    values: ['record', 'frame'],
    default: 'record',
    meaning:
      'One Kafka record per message, which any Kafka tool can read; or one for a run of messages, which is many times as fast.',
  },
  lingerMs: {
    kind: 'number',
    unit: 'ms',
    min: 0,
    max: 1_000,
    default: 5,
    meaning: 'How long a frame is kept open for more messages while one before it is under way.',
  },
  codec: {
    kind: 'opaque',
    check: (value: unknown): value is Codec<unknown> => isObject(value) && has(value, 'encode') && has(value, 'decode'),
    allowed: 'a codec with encode() and decode(), such as json',
    optional: true,
    meaning: 'Values to bytes. Without one, values are bytes, text or null.',
  },
  messageBytesMax: {
    kind: 'number',
    unit: 'bytes',
    min: 1,
    max: 100_000_000,
    default: 1_000_000,
    meaning: "Value, key and headers together; both clusters' max.message.bytes must be larger.",
  },
} as const

const PRODUCER_OPTIONS = {
  producerId: {
    kind: 'opaque',
    check: isProducerId,
    allowed: 'text of 1 to 128 characters A-Z a-z 0-9 . _ -',
    meaning: 'Names what this producer writes, over restarts. One live process each.',
  },
  clusters: {
    kind: 'map',
    of: {
      kind: 'opaque',
      check: isObject,
      allowed: "an object of librdkafka properties, such as { 'bootstrap.servers': 'host:9092' }",
      meaning: 'librdkafka properties; those that the protocol owns are refused.',
    },
    names: CLUSTER_NAMES,
    countMin: 2,
    countMax: 2,
    meaning: 'Exactly two, under names of your choice.',
  },
  topics: {
    kind: 'map',
    of: { kind: 'object', options: TOPIC_OPTIONS, meaning: 'Options of one topic.' },
    meaning: 'Topics named here are checked by connect(), others by their first send().',
  },
  acknowledge: {
    kind: 'enum',
    values: ['one', 'available', 'both'],
    default: 'one',
    meaning: 'When send() resolves: the first cluster has it, every lane that is not away has it, both have it.',
  },
  whenBothAway: {
    kind: 'object',
    options: {
      policy: {
        kind: 'enum',
        values: ['block', 'reject', 'journal'],
        default: 'block',
        meaning:
          'What happens to a message that neither cluster can take, or that finds the window full. With journal it is accepted once it is on disk; what the disk does not take waits as with block.',
      },
      timeoutMs: {
        kind: 'number',
        unit: 'ms',
        min: 1,
        max: 3_600_000,
        default: 30_000,
        meaning: 'How long block, and a journal that takes nothing, wait before they shed.',
      },
    },
    meaning: 'Back-pressure, load shedding or the disk.',
  },
  journal: {
    kind: 'object',
    options: {
      path: {
        kind: 'opaque',
        check: (value: unknown): value is string => typeof value === 'string' && value.length > 0,
        allowed: 'the path of a folder',
        optional: true,
        meaning: 'A folder of its own on a local disk; made if it is not there. Needed unless mode is off.',
      },
      mode: {
        kind: 'enum',
        values: ['off', 'on-outage', 'always', 'dead-letter'],
        default: 'off',
        meaning:
          'Nothing is kept on disk; what memory has no room for and what neither cluster takes; everything, before it is sent; only messages that were stamped and whose send() was rejected.',
      },
      bytesMax: {
        kind: 'number',
        unit: 'bytes',
        min: 1_048_576,
        max: 2 ** 40,
        default: 2 ** 30,
        meaning: 'What the journal may hold. Beyond it is as if there were no journal, by event.',
      },
      copyAgeMaxMs: {
        kind: 'number',
        unit: 'ms',
        min: 1_000,
        max: REWRITE_AGE_MS_MAX,
        default: REWRITE_AGE_MS_MAX,
        meaning:
          'A copy that the other cluster has had for longer is voided instead of written late, from disk or memory. The only copy is written at any age. 24 h, the default, is the most that consumers allow.',
      },
    },
    meaning: 'What is kept on disk.',
  },
  backlogBytesMax: {
    kind: 'number',
    unit: 'bytes',
    min: 65_536,
    max: 64 * 2 ** 30,
    default: 64 * 2 ** 20,
    meaning: 'What one lane may hold in memory. Beyond it the oldest that the other cluster has is given up, by event.',
  },
  sendTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 100,
    max: 3_600_000,
    default: 30_000,
    meaning: 'After this send() rejects, saying whether the message may yet be delivered.',
  },
  connectTimeoutMs: {
    kind: 'number',
    unit: 'ms',
    min: 100,
    max: 600_000,
    default: 10_000,
    meaning: 'After this connect() rejects if neither cluster, or the epoch store, has answered.',
  },
  unacknowledgedMax: {
    kind: 'number',
    unit: 'messages',
    min: 1,
    max: 10_000_000,
    default: 100_000,
    meaning: 'The window: messages that are stamped and whose send() is neither resolved nor rejected.',
  },
  unacknowledgedBytesMax: {
    kind: 'number',
    unit: 'bytes',
    min: 1,
    max: 64 * 2 ** 30,
    default: 64 * 2 ** 20,
    meaning: 'The same window in bytes.',
  },
  epochs: {
    kind: 'opaque',
    check: (value: unknown): value is EpochStore => isObject(value) && has(value, 'take'),
    allowed: 'an epoch store with take(), such as new ClockEpochs()',
    optional: true,
    meaning: "Where the epoch comes from; the machine's clock if left out.",
  },
  logger: {
    kind: 'opaque',
    check: (value: unknown): value is Logger =>
      isObject(value) && ['debug', 'info', 'warn', 'error'].every((level) => has(value, level)),
    allowed: 'a logger with debug(), info(), warn() and error(), such as pino()',
    optional: true,
    meaning: 'Every event is a line, too.',
  },
  meter: {
    kind: 'opaque',
    check: (value: unknown): value is Meter => isObject(value) && has(value, 'createCounter'),
    allowed: 'a Meter of the OpenTelemetry API',
    optional: true,
    meaning:
      "Events, sends, status and the clients' statistics are measured, too; by the API's global meter if left out, if one is registered before.",
  },
  tracer: {
    kind: 'opaque',
    check: (value: unknown): value is Tracer => isObject(value) && has(value, 'startSpan'),
    allowed: 'a Tracer of the OpenTelemetry API',
    optional: true,
    meaning:
      "Each send() is a span, with one below it for each cluster, and its context goes with the message; by the API's global tracer if left out, if one is registered before.",
  },
} as const

/** What `new Producer()` takes. */
export type ProducerOptions = OptionsGiven<typeof PRODUCER_OPTIONS>

export interface ProducerSettings extends Omit<Options<typeof PRODUCER_OPTIONS>, 'clusters' | 'epochs'> {
  readonly clusters: readonly [ClusterSettings, ClusterSettings]
  readonly epochs: EpochStore
}

export interface ClusterSettings {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
}

export type TopicSettings = Options<typeof TOPIC_OPTIONS>

/** The one place that knows options, ranges and defaults; the manual is made from it. */
export const OPTIONS = PRODUCER_OPTIONS

/** @throws OptionsInvalidError, ClusterSharedError */
export function readProducerOptions(given: unknown): ProducerSettings {
  const options = readOptions(PRODUCER_OPTIONS, given, 'producer')
  const [first, second] = Object.entries(options.clusters).map(([name, properties]) => ({
    name,
    properties: clusterProperties(name, properties, PRODUCER_OWNED),
  }))
  const clusters = [first!, second!] as const
  checkShared(clusters)
  for (const topic of Object.keys(options.topics)) {
    if (!isTopicName(topic)) {
      throw new OptionsInvalidError(`option producer.topics: received the name ${topic}, allowed is ${TOPIC_ALLOWED}`, {
        path: 'producer.topics',
        received: topic,
        allowed: TOPIC_ALLOWED,
      })
    }
  }
  checkJournal(options)
  const epochs: EpochStore = options.epochs ?? new ClockEpochs(systemClock)
  const { connectTimeoutMs } = options
  const { waitMs = 0 } = epochs
  if (connectTimeoutMs <= waitMs) {
    const allowed = `more than the ${waitMs} ms that the epoch store may wait for a holder that is dead`
    throw new OptionsInvalidError(
      `option producer.connectTimeoutMs: received ${connectTimeoutMs}, allowed is ${allowed}`,
      { path: 'producer.connectTimeoutMs', received: String(connectTimeoutMs), allowed },
    )
  }
  return { ...options, clusters, epochs }
}

/** Which pairs of policy and mode there are, and that a journal has a path. @throws OptionsInvalidError */
function checkJournal({ journal: { mode, path }, whenBothAway: { policy } }: Options<typeof PRODUCER_OPTIONS>): void {
  const refuse = (path: string, received: string, allowed: string): never => {
    throw new OptionsInvalidError(`option producer.${path}: received ${received}, allowed is ${allowed}`, {
      path: `producer.${path}`,
      received,
      allowed,
    })
  }
  if (policy === 'journal' && mode !== 'on-outage' && mode !== 'always') {
    refuse('whenBothAway.policy', `journal with journal.mode ${mode}`, 'journal only with mode on-outage or always')
  }
  if (mode === 'off' && path !== undefined) refuse('journal.mode', 'off with a path', 'a mode that uses the path')
  if (mode !== 'off' && path === undefined) refuse('journal.path', 'nothing', `a folder, with mode ${mode}`)
}

export const TOPIC_DEFAULTS: TopicSettings = readOptions(TOPIC_OPTIONS, {}, 'producer.topics')

/** Kafka's own rule. */
export function isTopicName(topic: unknown): topic is string {
  return typeof topic === 'string' && /^[A-Za-z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..'
}

/**
 * The settings with other properties for one of the clusters.
 *
 * @throws OptionsInvalidError, ClusterSharedError
 */
export function withClusterProperties(settings: ProducerSettings, cluster: string, given: unknown): ProducerSettings {
  const index = settings.clusters.findIndex(({ name }) => name === cluster)
  if (index === -1) {
    const allowed = settings.clusters.map(({ name }) => name).join(' or ')
    throw new OptionsInvalidError(`cluster: received ${received(cluster)}, allowed is ${allowed}`, {
      path: 'cluster',
      received: received(cluster),
      allowed,
    })
  }
  const changed = { name: cluster, properties: clusterProperties(cluster, given, PRODUCER_OWNED) }
  const [first, second] = settings.clusters
  const clusters = index === 0 ? ([changed, second] as const) : ([first, changed] as const)
  checkShared(clusters)
  return { ...settings, clusters }
}

export const TOPIC_ALLOWED = '1 to 249 of A-Z a-z 0-9 . _ -'

/** @throws ClusterSharedError */
function checkShared(clusters: ProducerSettings['clusters']): void {
  const shared = brokers(clusters[0]).find((broker) => brokers(clusters[1]).includes(broker))
  if (shared === undefined) return
  throw new ClusterSharedError(
    `option producer.clusters: ${clusters[0].name} and ${clusters[1].name} both name the broker ${shared}: ` +
      'two lanes into one cluster are not two copies',
    { clusters: [clusters[0].name, clusters[1].name], broker: shared },
  )
}

function brokers(cluster: ClusterSettings): string[] {
  return cluster.properties['bootstrap.servers']!.split(',').map((broker) => {
    const address = broker
      .trim()
      .toLowerCase()
      .replace(/^[a-z_]+:\/\//, '')
    return /:\d+$/.test(address) ? address : `${address}:${KAFKA_PORT}`
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function has(value: Readonly<Record<string, unknown>>, method: string): boolean {
  return typeof value[method] === 'function'
}

/** What librdkafka takes when a broker is named without a port. */
const KAFKA_PORT = 9092
