import { Decoder, Encoder } from '@msgpack/msgpack'

import { CodecFailedError } from './errors.js'
import { printable, received } from './received.js'

/**
 * Values to bytes and back. May answer later, so that a schema-registry client fits.
 *
 * `encode` gives bytes that nobody changes afterwards: they may wait in a queue long after `send()` has resolved.
 */
export interface Codec<T> {
  readonly name: string
  encode(value: T): Uint8Array | Promise<Uint8Array>
  decode(bytes: Uint8Array): T | Promise<T>
}

/** Bytes as they are. Copied when encoded: the caller may use its buffer again while a lane still waits to write it. */
export const bytes: Codec<Uint8Array> = {
  name: 'bytes',
  encode(value) {
    if (value instanceof Uint8Array) return Buffer.from(value)
    throw new CodecFailedError(
      `codec bytes takes a Uint8Array, received ${received(value)}; use Buffer.from(), or a codec such as json`,
      { codec: 'bytes', received: received(value), allowed: 'Uint8Array' },
    )
  },
  decode: (encoded) => encoded,
}

/**
 * JSON in UTF-8. What `JSON.stringify` quietly leaves out or turns into null inside of a value is left out here too;
 * a value that has no JSON at all is refused.
 */
export const json: Codec<unknown> = {
  name: 'json',
  encode(value) {
    let text: string | undefined
    try {
      text = JSON.stringify(value)
    } catch (cause) {
      throw notEncoded('json', value, cause)
    }
    if (text === undefined) throw notEncoded('json', value)
    return Buffer.from(text)
  },
  decode(encoded) {
    try {
      return JSON.parse(utf8.decode(encoded)) as unknown
    } catch (cause) {
      throw notDecoded('json', encoded, cause)
    }
  },
}

/** MessagePack. 64-bit integers beyond 2^53 from elsewhere lose digits: a JavaScript number cannot hold them. */
export const msgpack: Codec<unknown> = {
  name: 'msgpack',
  encode(value) {
    if (value === undefined) throw notEncoded('msgpack', value)
    try {
      return encoder.encode(value)
    } catch (cause) {
      throw notEncoded('msgpack', value, cause)
    }
  },
  decode(encoded) {
    try {
      return decoder.decode(encoded)
    } catch (cause) {
      throw notDecoded('msgpack', encoded, cause)
    }
  },
}

function notEncoded(codec: string, value: unknown, cause?: unknown): CodecFailedError {
  return new CodecFailedError(
    `codec ${codec} cannot encode ${received(value)}${reason(cause)}`,
    { codec, received: received(value) },
    cause,
  )
}

function notDecoded(codec: string, encoded: Uint8Array, cause: unknown): CodecFailedError {
  return new CodecFailedError(
    `codec ${codec} cannot decode ${received(encoded)}${reason(cause)}`,
    { codec, received: received(encoded) },
    cause,
  )
}

function reason(cause: unknown): string {
  return cause instanceof Error ? `: ${printable(cause.message, 160)}` : ''
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const encoder = new Encoder()
const decoder = new Decoder()
