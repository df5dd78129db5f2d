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

/**
 * MessagePack. 64-bit integers beyond 2^53 from elsewhere lose digits: a JavaScript number cannot hold them.
 *
 * What announces more than it has bytes for is refused before it is decoded: the library makes room for an array as
 * soon as its length is read, and a hundred bytes of nested heads would take all the memory there is.
 */
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
      if (!isWhole(encoded)) throw new RangeError('it ends before what it announces')
      return decoder.decode(encoded)
    } catch (cause) {
      throw notDecoded('msgpack', encoded, cause)
    }
  },
}

/** Whether MessagePack has at least a byte for every value that it announces, wherever one looks. */
function isWhole(encoded: Uint8Array): boolean {
  let announced = 1
  let at = 0
  while (announced > 0) {
    if (announced > encoded.length - at) return false
    const head = encoded[at++]!
    announced--
    if (head < 0x80 || head >= 0xe0) continue
    if (head < 0x90) announced += 2 * (head & 0x0f)
    else if (head < 0xa0) announced += head & 0x0f
    else if (head < 0xc0) at += head & 0x1f
    else {
      const [lengthBytes, fixedBytes, valuesEach] = HEADS[head - 0xc0]!
      let length = 0
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + (encoded[at++] ?? 0)
      announced += length * valuesEach
      at += fixedBytes + (valuesEach === 0 ? length : 0)
    }
  }
  return at <= encoded.length
}

/** For the heads from 0xc0 on: bytes of the length, bytes of a fixed size, values for each one of the length. */
const HEADS: readonly (readonly [lengthBytes: number, fixedBytes: number, valuesEach: number])[] = [
  ...([0, 0, 0, 0] as const).map((fixed) => [0, fixed, 0] as const), // nil, unused, false, true
  ...([1, 2, 4] as const).map((length) => [length, 0, 0] as const), // bin
  ...([1, 2, 4] as const).map((length) => [length, 1, 0] as const), // ext, with its type
  ...([4, 8, 1, 2, 4, 8, 1, 2, 4, 8] as const).map((fixed) => [0, fixed, 0] as const), // float, uint, int
  ...([2, 3, 5, 9, 17] as const).map((fixed) => [0, fixed, 0] as const), // fixext, with its type
  ...([1, 2, 4] as const).map((length) => [length, 0, 0] as const), // str
  ...([2, 4] as const).map((length) => [length, 0, 1] as const), // array
  ...([2, 4] as const).map((length) => [length, 0, 2] as const), // map
]

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
