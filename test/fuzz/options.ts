import {
  clusterProperties,
  CONSUMER_OWNED,
  isTandemError,
  readOptions,
  type OptionsSpec,
  type OptionSpec,
} from '@tandem/common/internal'
import { Consumer, KafkaFeedClient, MemoryHighWaterStore } from '@tandem/consumer/internal'
import { ClockEpochs, Producer, RdkafkaClient } from '@tandem/producer/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import { anything, inherited } from './hostile.js'
import { SMALL_BYTES, target, within } from './target.js'

/** Whatever is given as options is taken, or refused with a typed error that says what is wrong. */
function takenOrRefused<T>(act: () => T): T | undefined {
  try {
    return within(SMALL_BYTES, act)
  } catch (error) {
    if (!isTandemError(error) || error.code === 'TANDEM_INVARIANT') throw error
    expect(error.message.length, 'length of its message').to.be.below(2_000)
    return undefined
  }
}

const CLUSTERS = { east: { 'bootstrap.servers': 'east:9092' }, west: { 'bootstrap.servers': 'west:9092' } }
const PRODUCER = {
  producerId: 'ledger',
  clusters: CLUSTERS,
  topics: { entries: { keyRanges: 4, framing: 'record', messageBytesMax: 1_000 } },
  acknowledge: 'one',
  whenBothAway: { policy: 'block', timeoutMs: 1_000 },
  backlogBytesMax: 65_536,
  sendTimeoutMs: 1_000,
  unacknowledgedMax: 10,
  epochs: new ClockEpochs(),
}
const CONSUMER = {
  groupId: 'balances',
  clusters: CLUSTERS,
  topics: ['entries'],
  highWater: new MemoryHighWaterStore(),
  order: 'late',
  gapTimeoutMs: 1_000,
  from: 'earliest',
  closeTimeoutMs: 0,
}

/** Where to put something into an object: along names that it has, or that no object should be given. */
const path = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 20 }) },
    { weight: 1, arbitrary: inherited },
    { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
  ),
  { minLength: 1, maxLength: 3 },
)
const changes = fc.array(fc.tuple(path, anything, fc.boolean()), { minLength: 1, maxLength: 3 })

/** A copy of good options in which a few things are otherwise, or missing. */
function changed(good: object, all: readonly (readonly [readonly (number | string)[], unknown, boolean])[]): object {
  let copy: Record<string, unknown> = { ...good }
  for (const [[head, ...rest], value, remove] of all) {
    const names = Object.keys(copy)
    const name = typeof head === 'number' ? (names[head % Math.max(1, names.length)] ?? 'x') : head!
    const inner = Object.hasOwn(copy, name) ? copy[name] : undefined
    const plain = typeof inner === 'object' && inner !== null && Object.getPrototypeOf(inner) === Object.prototype
    const next = rest.length > 0 && plain ? changed(inner, [[rest, value, remove]]) : value
    const entries = Object.entries(copy).filter(([other]) => other !== name)
    // Not by assignment, which `__proto__` would swallow.
    copy = Object.fromEntries(remove && rest.length === 0 ? entries : [...entries, [name, next]])
  }
  return copy
}

const described = { meaning: '' }
const scalar: fc.Arbitrary<OptionSpec> = fc.oneof(
  fc
    .record({ kind: fc.constant('number'), min: fc.constant(0), max: fc.nat(), fractional: fc.boolean() })
    .map((one) => {
      return { ...described, ...one, kind: 'number' as const, unit: 'ms' }
    }),
  fc.constantFrom<OptionSpec>(
    { ...described, kind: 'enum', values: ['x', 'toString'] },
    { ...described, kind: 'string', default: 'd' },
    { ...described, kind: 'string', pattern: /^[a-z]{1,8}$/ },
    { ...described, kind: 'boolean', optional: true },
    { ...described, kind: 'opaque', check: (value) => value instanceof Uint8Array, allowed: 'bytes', optional: true },
  ),
)
const names = fc.constantFrom('a', 'b', 'constructor')
const spec: fc.Arbitrary<OptionsSpec> = fc.dictionary(
  names,
  fc.oneof(
    scalar,
    scalar.map((of) => ({ ...described, kind: 'list' as const, of, countMax: 3 })),
    scalar.map((of) => ({ ...described, kind: 'map' as const, of, names: /^[a-z]/ })),
    fc.dictionary(names, scalar, { maxKeys: 2 }).map((options) => ({ ...described, kind: 'object' as const, options })),
  ),
  { maxKeys: 3 },
)

/** Names that librdkafka knows, that are ours, and that nobody knows; none that loads a library. */
const property = fc.oneof(
  fc.constantFrom('client.id', 'batch.size', 'compression.codec', 'compression.level', 'fetch.min.bytes', 'debug'),
  fc.constantFrom('security.protocol', 'sasl.mechanisms', 'sasl.password', 'ssl.ca.pem', 'ssl.key.pem', 'log_level'),
  fc.constantFrom(
    'retries',
    'retry.backoff.ms',
    'metadata.broker.list',
    'bootstrap.servers',
    'broker.version.fallback',
  ),
  fc.constantFrom('acks', 'queue.buffering.max.ms', 'group.id', 'linger.ms', 'event_cb', 'test.mock.num.brokers'),
  inherited,
  fc.string({ maxLength: 12 }),
)
const value = fc.oneof(
  anything,
  fc.string({ maxLength: 20 }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(
    'lz4',
    'plaintext',
    'true',
    '100',
    'a:1,b:2',
    'a:1,,b',
    ',',
    '[::1]:9092',
    'x://y:70000',
    'e'.repeat(5_000),
  ),
)
const properties = fc.dictionary(property, value, { maxKeys: 3 })

function withBrokers(given: object): object {
  return { 'bootstrap.servers': 'east:9092', ...given }
}

/** Rather what the tables above allow. */
const fitting = fc.oneof(
  { weight: 1, arbitrary: anything },
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>('x', 'toString', 'abc', 0, 1, 0.5, true, undefined, Buffer.of(1), []),
  },
)
const given = fc.dictionary(
  names,
  fc.oneof(fitting, fc.array(fitting, { maxLength: 4 }), fc.dictionary(names, fitting)),
  {
    maxKeys: 3,
  },
)

const HANDLER = new Proxy({}, { get: () => () => undefined }) as never

export const OPTIONS = [
  target(
    'options: a table and whatever is given',
    10,
    fc.property(spec, anything, given, fc.nat({ max: 5 }), (table, any, some, dice) => {
      const read = takenOrRefused(() => readOptions(table, dice === 0 ? any : some, 'test'))
      if (read === undefined) return
      expect(Object.keys(read)).to.deep.equal(Object.keys(table))
      // What was taken is good: taken again, it comes out the same.
      expect(readOptions(table, read, 'test')).to.deep.equal(read)
    }),
  ),
  target(
    'options: new Producer()',
    10,
    fc.property(anything, changes, fc.nat({ max: 9 }), (any, all, dice) => {
      takenOrRefused(() => new Producer((dice === 0 ? any : changed(PRODUCER, all)) as never))
    }),
  ),
  target(
    'options: new Consumer()',
    10,
    fc.property(anything, changes, fc.nat({ max: 9 }), (any, all, dice) => {
      takenOrRefused(() => new Consumer((dice === 0 ? any : changed(CONSUMER, all)) as never))
    }),
  ),
  target(
    'options: properties of a cluster',
    10,
    fc.property(fc.oneof(properties, properties.map(withBrokers), anything), (given) => {
      const read = takenOrRefused(() => clusterProperties('east', given, CONSUMER_OWNED))
      if (read === undefined) return
      for (const each of Object.values(read)) expect(['string', 'number', 'boolean']).to.include(typeof each)
      expect(read).to.have.property('bootstrap.servers').that.is.a('string').that.is.not.equal('')
    }),
  ),
  target(
    'options: properties as librdkafka gets them',
    2,
    fc.property(properties, (given) => {
      const checked = takenOrRefused(() => clusterProperties('east', withBrokers(given), CONSUMER_OWNED))
      if (checked === undefined) return
      const common = { cluster: 'east', properties: checked, connectTimeoutMs: 1_000 }
      takenOrRefused(() => new RdkafkaClient({ ...common, messageBytesMax: 1_000 }, HANDLER))
      takenOrRefused(() => new KafkaFeedClient({ ...common, groupId: 'g', topics: ['t'] }, HANDLER))
    }),
  ),
]
