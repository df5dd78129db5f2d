/**
 * The librdkafka properties of one cluster, as a user gives them: everything passes through, except what the protocol
 * depends on. Those are refused with the reason, whichever of its names is used, on either side: the same `clusters`
 * object usually serves both, and a property that is quietly ignored is worse than one that is refused.
 */
import { OptionsInvalidError } from './errors.js'
import { printable, received } from './received.js'

/** Properties that tandem sets itself, and why. A name that ends in `*` stands for all that begin so. */
export interface OwnedProperty {
  /** librdkafka's names for it, aliases included. */
  readonly names: readonly string[]
  readonly reason: string
}

/** Refused on both sides. */
const OWNED: readonly OwnedProperty[] = [
  {
    names: ['enable.idempotence', 'enable.gapless.guarantee'],
    reason: 'each lane writes its records once and in order; tandem sets it to true',
  },
  {
    names: ['acks', 'request.required.acks'],
    reason:
      'an acknowledgement must mean all in-sync replicas; tandem sets all, and `acknowledge` says how many clusters',
  },
  {
    names: ['max.in.flight', 'max.in.flight.requests.per.connection'],
    reason: 'idempotent producing bounds it',
  },
  {
    names: ['message.timeout.ms', 'delivery.timeout.ms', 'request.timeout.ms', 'socket.timeout.ms'],
    reason: 'the circuits bound waiting by `sendTimeoutMs` and their own clocks',
  },
  {
    names: ['queue.buffering.*', 'linger.ms'],
    reason: 'records wait in the tracks of a lane, where they can be taken back; use `backlogBytesMax` and `lingerMs`',
  },
  {
    names: ['message.max.bytes'],
    reason: 'both clusters must take the same sizes; use `messageBytesMax` of the topic',
  },
  {
    names: ['partitioner', 'partitioner_cb'],
    reason: 'the key range decides the partition, so that it is the same one in both clusters',
  },
  {
    names: ['transactional.id'],
    reason: 'a transaction of one cluster cannot cover the other',
  },
  {
    names: ['delivery.report.only.error', 'dr_cb', 'dr_msg_cb'],
    reason: 'every delivery report is needed; await `send()` or `receipt.settled()`',
  },
  {
    names: ['enable.auto.commit', 'auto.commit.enable', 'auto.commit.interval.ms'],
    reason: 'offsets are committed after a confirmed flush only, never ahead of it',
  },
  {
    names: ['enable.auto.offset.store', 'offset.store.method', 'offset.store.path', 'offset.store.sync.interval.ms'],
    reason: 'the position is kept in the high-water store',
  },
  {
    names: ['auto.offset.reset'],
    reason: 'a jump of the offset would hide a truncated log; use `from`',
  },
  {
    names: ['enable.partition.eof'],
    reason: 'the end of a log is evidence for the arbiter; tandem sets it to true',
  },
  {
    names: ['isolation.level'],
    reason: 'an open transaction of others would hide the tail of a log; tandem sets read_uncommitted',
  },
  {
    names: [
      'group.id',
      'group.instance.id',
      'group.protocol',
      'group.remote.assignor',
      'partition.assignment.strategy',
    ],
    reason: 'partitions of both clusters are assigned by hand, together; use `groupId`',
  },
  {
    names: ['rebalance_cb', 'offset_commit_cb', 'consume_cb'],
    reason: 'partitions of both clusters are assigned by hand, together; subscribe to `events$`',
  },
  {
    names: ['metadata.recovery.strategy'],
    reason: 'a client that bootstraps again could end up in the other cluster; tandem sets none',
  },
  {
    names: ['allow.auto.create.topics'],
    reason: 'a topic made by accident has other partitions than its twin in the other cluster; create it in both',
  },
  {
    names: ['statistics.interval.ms', 'stats_cb', 'event_cb'],
    reason: 'health of brokers and damaged logs are read from the statistics; use `status()` and `events$`',
  },
]

/** The same list for both sides, so that one `clusters` object is either right for both or refused by both. */
export const PRODUCER_OWNED: readonly OwnedProperty[] = OWNED
export const CONSUMER_OWNED: readonly OwnedProperty[] = OWNED

/**
 * Checks the properties that a user gave for the cluster `name`.
 *
 * @returns a copy, all as text, since node-rdkafka misreads other numbers than integers; the brokers are always under
 *   `bootstrap.servers`.
 * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: names the property and the reason, and never shows a secret.
 */
export function clusterProperties(
  name: string,
  given: unknown,
  owned: readonly OwnedProperty[],
): Record<string, string> {
  const path = `clusters.${name}`
  if (Object.prototype.toString.call(given) !== '[object Object]') {
    throw invalid(
      path,
      received(given),
      "an object of librdkafka properties, such as { 'bootstrap.servers': 'host:9092' }",
    )
  }
  const entries = Object.entries(given as Record<string, unknown>)
  for (const [property, value] of entries) {
    const owner = owned.find(({ names }) => names.some((candidate) => matches(candidate, property)))
    if (owner !== undefined) {
      throw invalid(
        `${path}["${property}"]`,
        shown(property, value),
        `nothing: tandem owns this property, because ${owner.reason}`,
      )
    }
    if (!isValue(value)) {
      throw invalid(`${path}["${property}"]`, shown(property, value), 'a string, a finite number, true or false')
    }
  }
  const brokers = bootstrapServers(path, given as Record<string, unknown>)
  const properties = Object.fromEntries(entries.map(([property, value]) => [property, String(value)]))
  delete properties[BOOTSTRAP_ALIAS]
  properties[BOOTSTRAP] = brokers
  return properties
}

function bootstrapServers(path: string, properties: Readonly<Record<string, unknown>>): string {
  const both = BOOTSTRAP in properties && BOOTSTRAP_ALIAS in properties
  const property = BOOTSTRAP_ALIAS in properties ? BOOTSTRAP_ALIAS : BOOTSTRAP
  const at = `${path}["${property}"]`
  if (both)
    throw invalid(at, `both ${BOOTSTRAP} and ${BOOTSTRAP_ALIAS}`, 'one of them: they are two names of one property')
  const value = properties[property]
  const allowed = 'a list of brokers, such as "host1:9092,host2:9092"'
  if (typeof value !== 'string') throw invalid(at, value === undefined ? 'nothing' : received(value), allowed)
  for (const broker of value.split(',')) {
    if (!isBroker(broker.trim())) throw invalid(at, received(value), `${allowed}; ${received(broker)} is no broker`)
  }
  return value
}

/** `host`, `host:port` or `SSL://host:port`, the host being a name or an address. */
function isBroker(text: string): boolean {
  const match = /^(?:[A-Za-z_]+:\/\/)?(?:\[[0-9A-Fa-f:.%]+\]|[^\s:/,[\]]+)(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return false
  const port = match[1]
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)
}

function matches(candidate: string, property: string): boolean {
  return candidate.endsWith('*') ? property.startsWith(candidate.slice(0, -1)) : candidate === property
}

function isValue(value: unknown): boolean {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  )
}

/** A text without the values of secret properties, should somebody have put one into it; case is not looked at. */
export function withoutSecrets(text: string, properties: Readonly<Record<string, string>>): string {
  const secrets = Object.entries(properties)
    .filter(
      ([property, value]) => SECRET.test(property) && !PATH.test(property) && value.length >= SECRET_CHARACTERS_MIN,
    )
    .map(([, value]) => value)
    .sort((a, b) => b.length - a.length) // one may be a part of another
  return secrets.reduce((left, secret) => left.replaceAll(new RegExp(literal(secret), 'gi'), '(not shown)'), text)
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function shown(property: string, value: unknown): string {
  if (value === undefined || !SECRET.test(property)) return received(value)
  return `a ${typeof value} that is not shown`
}

function invalid(path: string, got: string, allowed: string): OptionsInvalidError {
  return new OptionsInvalidError(`option ${printable(path, 160)}: received ${got}, allowed is ${allowed}`, {
    path,
    received: got,
    allowed,
  })
}

/** What users may call a cluster: it stands in stored fields, in events and as a label of metrics. */
export const CLUSTER_NAMES = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/

const BOOTSTRAP = 'bootstrap.servers'
/** librdkafka's own name; `bootstrap.servers` is its alias for Java's. */
const BOOTSTRAP_ALIAS = 'metadata.broker.list'
/** `sasl.password`, `ssl.key.pem`, `sasl.oauthbearer.client.secret`, `sasl.jaas.config` … rather too many than one too few. */
const SECRET = /password|secret|key|token|jaas|credential|oauthbearer/i
/** A path is what one needs to see. */
const PATH = /\.location$/
/** What is shorter stands in any text by chance, and is no secret. */
const SECRET_CHARACTERS_MIN = 4
