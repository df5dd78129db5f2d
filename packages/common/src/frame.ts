/**
 * A frame: consecutive messages of one sequence as the value of one record.
 *
 * MessagePack, an array with one array for each message:
 *
 *     [[key, value, timestampMs], [key, value, timestampMs, [name, text, name, text, …]], …]
 *
 * `key` and `value` are bytes or nil, `timestampMs` is an integer, headers are text and left out if there are none. What
 * a later version adds at the end of a message is ignored. How many there are is what the stamp says, and their counters
 * are those from its first on. `test/vectors/frame.json` shows all limits.
 */
import { msgpack } from './codec.js'
import { FrameMalformedError, isTandemError } from './errors.js'
import { FrameWriter, HEAD_BYTES_MAX, INTEGER_BYTES_MAX } from './frame-writer.js'
import { received } from './received.js'

export interface FramedMessage {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** Ms since 1970, from 0. */
  readonly timestampMs: number
  /** One object with a single property per header, in order. */
  readonly headers: readonly Readonly<Record<string, string>>[]
}

/** More is not written, and what announces more is not read. */
export const FRAME_MESSAGES_MAX = 10_000

/** @param bytesMax what they take at most, where that is known. */
export function encodeFrame(messages: readonly FramedMessage[], bytesMax = bytesMaxOf(messages)): Uint8Array {
  const writer = new FrameWriter(HEAD_BYTES_MAX + bytesMax)
  writer.array(messages.length)
  for (const { key, value, timestampMs, headers } of messages) {
    writer.array(headers.length === 0 ? 3 : 4)
    writer.bytes(key)
    writer.bytes(value)
    writer.integer(timestampMs)
    if (headers.length > 0) writeHeaders(writer, headers)
  }
  return writer.written
}

/**
 * What a message takes of a frame, at most.
 *
 * @param payloadBytes of key, value, and names and texts of its headers.
 * @param headers how many there are.
 */
export function framedBytesMax(payloadBytes: number, headers: number): number {
  const heads = 3 + (headers === 0 ? 0 : 1 + 2 * headers)
  return payloadBytes + heads * HEAD_BYTES_MAX + INTEGER_BYTES_MAX
}

function bytesMaxOf(messages: readonly FramedMessage[]): number {
  let bytesMax = 0
  for (const { key, value, headers } of messages) {
    let bytes = (key?.length ?? 0) + (value?.length ?? 0)
    for (const header of headers) {
      for (const [name, text] of Object.entries(header)) bytes += Buffer.byteLength(name) + Buffer.byteLength(text)
    }
    bytesMax += framedBytesMax(bytes, headers.length)
  }
  return bytesMax
}

function writeHeaders(writer: FrameWriter, headers: FramedMessage['headers']): void {
  const pairs = headers.flatMap((header) => Object.entries(header))
  writer.array(2 * pairs.length)
  for (const [name, text] of pairs) {
    writer.text(name)
    writer.text(text)
  }
}

/**
 * The messages of a frame; their bytes are views of the frame's.
 *
 * @param count how many there are, by the stamp.
 * @throws FrameMalformedError `TANDEM_FRAME_MALFORMED`
 */
export function decodeFrame(bytes: Uint8Array | null, count: number): FramedMessage[] {
  if (bytes === null) throw malformed('value', bytes, 'bytes')
  if (count > FRAME_MESSAGES_MAX) throw malformed('count', count, `at most ${FRAME_MESSAGES_MAX}`)
  const messages = list(decoded(bytes), 'value')
  if (messages.length !== count) throw malformed('count', messages.length, `${count}, as the stamp says`)
  return messages.map((message) => {
    const [key, value, timestampMs, headers] = list(message, 'message')
    if (!isBytes(key)) throw malformed('key', key, 'bytes or nil')
    if (!isBytes(value)) throw malformed('value of a message', value, 'bytes or nil')
    if (!Number.isSafeInteger(timestampMs) || (timestampMs as number) < 0) {
      throw malformed('timestamp', timestampMs, 'an integer from 0')
    }
    return { key, value, timestampMs: timestampMs as number, headers: headers === undefined ? [] : headersOf(headers) }
  })
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return msgpack.decode(bytes)
  } catch (error) {
    if (!isTandemError(error, 'TANDEM_CODEC_FAILED')) throw error
    throw malformed('value', bytes, 'MessagePack', error)
  }
}

function headersOf(flat: unknown): FramedMessage['headers'] {
  const texts = list(flat, 'headers')
  if (texts.length % 2 !== 0) throw malformed('headers', texts.length, 'pairs of a name and a text')
  const headers: Record<string, string>[] = []
  for (let i = 0; i < texts.length; i += 2) {
    const [name, text] = [texts[i], texts[i + 1]]
    if (typeof name !== 'string' || typeof text !== 'string') throw malformed('headers', [name, text], 'text')
    // An own property, whatever its name.
    headers.push(Object.fromEntries([[name, text]]))
  }
  return headers
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(what, value, 'an array')
}

function isBytes(value: unknown): value is Uint8Array | null {
  return value === null || value instanceof Uint8Array
}

function malformed(field: string, got: unknown, expected: string, cause?: unknown): FrameMalformedError {
  const text = received(got)
  return new FrameMalformedError(
    `frame: its ${field} must be ${expected}, received ${text}`,
    { field, expected, received: text },
    cause,
  )
}
