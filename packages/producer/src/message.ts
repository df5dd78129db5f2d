import {
  CodecFailedError,
  isTandemError,
  MessageInvalidError,
  received,
  STAMP_HEADER,
  type Codec,
} from '@tandem/common/internal'

import type { WireHeaders } from './core/record.js'
import { isTopicName, TOPIC_ALLOWED } from './options.js'

/** What `send()` takes. */
export interface Message {
  readonly topic: string
  /** Messages of one key keep their order. Without a key (or null) the key ranges are taken in turn. */
  readonly key?: string | Uint8Array | null | undefined
  /** What the topic's codec takes. Without a codec: bytes, text (written as UTF-8), or null for a tombstone. */
  readonly value: unknown
  /** Text, or bytes that are UTF-8 without NUL, under any names but `__proto__`. An array gives one header per element. */
  readonly headers?: MessageHeaders | undefined
  /** Kafka's timestamp, milliseconds since 1970, from 1; the time of the call if left out. */
  readonly timestampMs?: number | undefined
}

export interface MessageHeaders {
  readonly [name: string]: HeaderValue | readonly HeaderValue[]
}

export type HeaderValue = string | Uint8Array

/** A message as far as it can be read without its topic and codec; its bytes are copies, the caller keeps its own. */
export interface ReadMessage {
  readonly topic: string
  readonly key: Uint8Array | null
  readonly headers: WireHeaders
  readonly headersBytes: number
  readonly timestampMs: number
}

/** @throws MessageInvalidError: names the part, what was received and what is allowed. */
export function readMessage(message: Message, wallMs: number): ReadMessage {
  if (typeof message !== 'object' || message === null) throw invalid('message', message, 'an object with a topic')
  const { topic, key, headers, timestampMs } = message
  if (!isTopicName(topic)) throw invalid('topic', topic, TOPIC_ALLOWED)
  const wire = headers === undefined ? NO_HEADERS : readHeaders(headers)
  return {
    topic,
    key: readKey(key),
    headers: wire,
    headersBytes: wire === NO_HEADERS ? 0 : headersBytes(wire),
    timestampMs: timestampMs === undefined ? Math.floor(wallMs) : readTimestamp(timestampMs),
  }
}

/** A message as it was read once, with all its headers but the stamp. */
export function readAgain({ topic, key, headers, timestampMs }: Omit<ReadMessage, 'headersBytes'>): ReadMessage {
  const own = headers.filter((header) => !Object.hasOwn(header, STAMP_HEADER))
  return { topic, key, headers: own, headersBytes: headersBytes(own), timestampMs }
}

/** With more headers, as far as they can be carried; those that the message has stand. */
export function withHeaders(message: ReadMessage, more: Readonly<Record<string, string>>): ReadMessage {
  const has = (name: string): boolean =>
    name === STAMP_HEADER || message.headers.some((header) => Object.hasOwn(header, name))
  const added = Object.entries(more)
    .filter(([name, value]) => isCarried(name, value) && !has(name))
    .map(([name, value]) => ({ [name]: value }))
  if (added.length === 0) return message
  const headers = [...message.headers, ...added]
  return { ...message, headers, headersBytes: message.headersBytes + headersBytes(added) }
}

/** As far as it can be told of what a caller gave, whatever it is. */
export function topicOf(message: unknown): string {
  try {
    return String((message as { topic: unknown }).topic)
  } catch {
    return ''
  }
}

/**
 * The bytes of a value.
 *
 * @throws MessageInvalidError without a codec, CodecFailedError with one.
 */
export function encodeValue(
  value: unknown,
  codec: Codec<unknown> | undefined,
): Uint8Array | null | Promise<Uint8Array> {
  if (codec === undefined) return readValue(value)
  let encoded: Uint8Array | Promise<Uint8Array>
  try {
    encoded = codec.encode(value)
  } catch (cause) {
    throw codecFailed(codec, cause)
  }
  return encoded instanceof Promise ? encoded.then(checked, failed) : checked(encoded)

  function checked(bytes: unknown): Uint8Array {
    if (bytes instanceof Uint8Array) return bytes
    throw new CodecFailedError(`codec ${codec!.name} gave ${received(bytes)}, allowed is a Uint8Array`, {
      codec: codec!.name,
      received: received(bytes),
    })
  }
  function failed(cause: unknown): never {
    throw codecFailed(codec!, cause)
  }
}

function readKey(key: unknown): Uint8Array | null {
  if (key === undefined || key === null) return null
  if (typeof key === 'string') return textBytes('key', key)
  if (key instanceof Uint8Array) return Buffer.from(key)
  throw invalid('key', key, 'text, bytes, null or nothing')
}

function readValue(value: unknown): Uint8Array | null {
  if (value === null) return null
  if (typeof value === 'string') return textBytes('value', value)
  if (value instanceof Uint8Array) return Buffer.from(value)
  throw invalid('value', value, 'bytes, text or null; anything else needs a codec, such as json')
}

/** 0 is left out: the client takes it for its own time, and the two clusters would differ. */
function readTimestamp(timestampMs: unknown): number {
  if (Number.isSafeInteger(timestampMs) && (timestampMs as number) >= 1) return timestampMs as number
  throw invalid('timestampMs', timestampMs, 'an integer from 1, milliseconds since 1970')
}

function readHeaders(headers: unknown): WireHeaders {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw invalid('headers', headers, 'an object of text or bytes by name')
  }
  const wire: Record<string, string>[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (name === STAMP_HEADER) continue // a forwarded message brings the stamp of where it came from; it gets ours
    if (!isHeaderName(name)) throw invalid('headers', name, 'text without NUL, not empty, but for __proto__')
    for (const single of Array.isArray(value) ? (value as unknown[]) : [value]) {
      wire.push({ [name]: headerText(name, single) })
    }
  }
  return wire
}

/** Whether the client carries a header as it is. */
export function isCarried(name: string, value: HeaderValue): boolean {
  return isHeaderName(name) && carriedText(value) !== undefined
}

/** node-rdkafka would give `__proto__` to whoever reads it as the prototype of an object. */
function isHeaderName(name: string): boolean {
  return name !== '' && name !== '__proto__' && isClean(name)
}

function headerText(name: string, value: unknown): string {
  const text = carriedText(value)
  if (text !== undefined) return text
  throw invalid(`headers["${name}"]`, value, 'text, or bytes that are UTF-8, without NUL')
}

/** The client passes a header's value through a C string: other bytes would be replaced, and cut off at a NUL. */
function carriedText(value: unknown): string | undefined {
  let text: unknown = value
  if (value instanceof Uint8Array) {
    try {
      text = UTF8.decode(value)
    } catch {
      text = undefined
    }
  }
  return typeof text === 'string' && isClean(text) ? text : undefined
}

function headersBytes(headers: WireHeaders): number {
  let bytes = 0
  for (const header of headers) {
    for (const name in header) bytes += Buffer.byteLength(name) + Buffer.byteLength(header[name]!)
  }
  return bytes
}

function textBytes(part: string, text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length !== text.length && LONE_SURROGATE.test(text))
    throw invalid(part, text, 'text without lone surrogates')
  return bytes
}

function isClean(text: string): boolean {
  return !text.includes('\0') && !LONE_SURROGATE.test(text)
}

function invalid(part: string, value: unknown, allowed: string): MessageInvalidError {
  return new MessageInvalidError(`${part}: received ${received(value)}, allowed is ${allowed}`, {
    part,
    received: received(value),
    allowed,
  })
}

function codecFailed(codec: Codec<unknown>, cause: unknown): Error {
  if (isTandemError(cause, 'TANDEM_CODEC_FAILED')) return cause
  const reason = cause instanceof Error ? cause.message : received(cause)
  return new CodecFailedError(`codec ${codec.name} failed: ${reason}`, { codec: codec.name }, cause)
}

const NO_HEADERS: WireHeaders = []
const LONE_SURROGATE = /\p{Surrogate}/u
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
