/**
 * A delivery that a consumer cannot handle, as a message to a topic of dead letters.
 *
 * Key, value and headers are those of the delivery, byte for byte; the stamp is the new message's own. Behind them
 * stand headers that say where it came from and why it is there, under the names that Kafka Connect
 * (DeadLetterQueueReporter) and Spring (KafkaHeaders) give them, so that tools for either find their way. All are text:
 * Spring writes numbers as binary, which the client would damage. What stands there under one of these names already
 * (a dead letter of a dead letter) is kept; the last one is the newest. The timestamp is new, too: by the old one a
 * dead letter could be older than its topic keeps anything.
 */
import { printable, received, type OptionsGiven, type OptionsSpec, type Position } from '@tandem/common/internal'

import { isCarried, type HeaderValue, type Message } from './message.js'

/** What a dead letter is made of; a delivery of `@tandem/consumer` is one. */
export interface DeadDelivery {
  readonly topic: string
  readonly partition: number
  /** The cluster that it was read from, and its offset there. */
  readonly from: string
  readonly offset: number
  readonly keyRange: number
  readonly position: Position
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly bytes: Uint8Array | null
  readonly headers: { readonly [name: string]: Uint8Array | readonly Uint8Array[] }
}

/** Why it is one. */
export interface DeadDeliveryFailure {
  readonly error: unknown
  readonly attempts: number
  readonly groupId: string
}

export type DeadLetterOptions = OptionsGiven<typeof DEAD_LETTER_OPTIONS>

export function deadLetterMessage(
  topic: string,
  delivery: DeadDelivery,
  failure: DeadDeliveryFailure,
  { stack }: { readonly stack: boolean },
): Message {
  const headers: Record<string, HeaderValue[]> = Object.create(null) as Record<string, HeaderValue[]>
  const add = (name: string, value: HeaderValue): void => void (headers[name] ??= []).push(value)
  for (const [name, values] of Object.entries(delivery.headers)) {
    for (const value of values instanceof Uint8Array ? [values] : values) {
      if (isCarried(name, value)) add(name, value)
      else add(UNCARRIED_HEADER, `${base64(Buffer.from(name))}:${base64(value)}`)
    }
  }
  for (const [name, value] of origin(delivery, failure)) add(name, value)
  for (const [name, value] of reasons(failure.error, stack)) add(name, value)
  return { topic, key: delivery.key, value: delivery.bytes, headers }
}

function* origin(delivery: DeadDelivery, { attempts, groupId }: DeadDeliveryFailure): Generator<[string, string]> {
  const { topic, partition, from, offset, keyRange, timestampMs } = delivery
  const { producerId, epoch, incarnation, counter } = delivery.position
  yield [`${CONNECT}topic`, topic]
  yield [`${CONNECT}partition`, String(partition)]
  yield [`${CONNECT}offset`, String(offset)]
  yield [`${SPRING}original-topic`, topic]
  yield [`${SPRING}original-partition`, String(partition)]
  yield [`${SPRING}original-offset`, String(offset)]
  yield [`${SPRING}original-timestamp`, String(timestampMs)]
  if (groupId !== '') yield [`${SPRING}original-consumer-group`, groupId]
  // An offset means nothing without its cluster; a position means the same in both.
  yield ['tandem-origin-cluster', from]
  yield ['tandem-origin-position', [producerId, epoch, incarnation, keyRange, counter].join(' ')]
  yield ['tandem-attempts', String(attempts)]
}

function* reasons(error: unknown, stack: boolean): Generator<[string, string]> {
  const { name, message, cause, trace } = described(error)
  yield [`${CONNECT}exception.class.name`, name]
  yield [`${CONNECT}exception.message`, message]
  yield [`${SPRING}exception-fqcn`, name]
  yield [`${SPRING}exception-message`, message]
  if (cause !== undefined) yield [`${SPRING}exception-cause-fqcn`, described(cause).name]
  if (!stack || trace === undefined) return
  yield [`${CONNECT}exception.stacktrace`, trace]
  yield [`${SPRING}exception-stacktrace`, trace]
}

function described(error: unknown): { name: string; message: string; cause?: unknown; trace?: string } {
  if (!(error instanceof Error)) {
    const message = typeof error === 'string' ? error : received(error)
    return { name: typeof error, message: text(message, MESSAGE_CHARACTERS_MAX) }
  }
  const { name, message, cause, stack } = error
  return {
    name: printable(String(name)),
    message: text(String(message), MESSAGE_CHARACTERS_MAX),
    cause,
    ...(stack === undefined ? {} : { trace: text(String(stack), STACK_CHARACTERS_MAX) }),
  }
}

/** Without what no header may have: NUL, halves of characters. */
function text(of: string, charactersMax: number): string {
  return Buffer.from(of.slice(0, charactersMax)).toString().replaceAll('\0', ' ')
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export const DEAD_LETTER_OPTIONS = {
  stack: {
    kind: 'boolean',
    default: false,
    meaning: "Whether the error's stack goes into the headers, too: it names files of yours.",
  },
} as const satisfies OptionsSpec

const CONNECT = '__connect.errors.'
const SPRING = 'kafka_dlt-'
/** A header that the client would damage, whose value is not UTF-8: its name and its value in base64. */
const UNCARRIED_HEADER = 'tandem-header-base64'
const MESSAGE_CHARACTERS_MAX = 1_000
const STACK_CHARACTERS_MAX = 8_000
