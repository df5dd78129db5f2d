import { encode } from '@msgpack/msgpack'
import { bytes as bytesCodec, isTandemError, json, msgpack, type Codec } from '@tandem/common/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import { anything, bytes } from './hostile.js'
import { SMALL_BYTES, target, within } from './target.js'

/** A value, or a typed error. */
function decodes(codec: Codec<unknown>, encoded: Uint8Array): void {
  try {
    within(SMALL_BYTES + 100 * encoded.length, () => codec.decode(encoded))
  } catch (error) {
    if (!isTandemError(error, 'TANDEM_CODEC_FAILED')) throw error
    expect(error.message.length, 'length of its message').to.be.below(400)
  }
}

function encodes(codec: Codec<unknown>, value: unknown): Uint8Array | undefined {
  try {
    return codec.encode(value) as Uint8Array
  } catch (error) {
    if (!isTandemError(error, 'TANDEM_CODEC_FAILED')) throw error
    return undefined
  }
}

/** MessagePack that says it is long, or deep. */
const boastful = fc
  .tuple(
    fc.constantFrom(0xdc, 0xdd, 0xde, 0xdf, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xd9, 0xda, 0xdb, 0x91, 0x81, 0xd6),
    fc.integer({ min: 0, max: 0xffffffff }),
    bytes,
    fc.nat({ max: 3_000 }),
  )
  .map(([head, size, tail, depth]) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(size)
    return Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.from([head]), length, tail])
  })

const damaged = fc.tuple(fc.jsonValue({ maxDepth: 3 }), fc.nat(), fc.nat({ max: 255 }))

export const CODECS = [
  target(
    'codec json: random bytes',
    4,
    fc.property(bytes, (encoded) => decodes(json, encoded)),
  ),
  target(
    'codec json: damaged, and deep',
    6,
    fc.property(damaged, fc.nat({ max: 20_000 }), ([value, place, byte], depth) => {
      const encoded = Buffer.from('['.repeat(depth % 7 === 0 ? depth : 0) + JSON.stringify(value))
      encoded[place % encoded.length] = byte
      decodes(json, encoded)
    }),
  ),
  target(
    'codec msgpack: random bytes',
    6,
    fc.property(bytes, (encoded) => decodes(msgpack, encoded)),
  ),
  target(
    'codec msgpack: long and deep',
    6,
    fc.property(boastful, (encoded) => decodes(msgpack, encoded)),
  ),
  target(
    'codec msgpack: damaged',
    6,
    fc.property(damaged, ([value, place, byte]) => {
      const encoded = encode(value)
      encoded[place % encoded.length] = byte
      decodes(msgpack, encoded)
    }),
  ),
  target(
    'codec: whatever is encoded is bytes, and can be decoded',
    6,
    fc.property(anything, (value) => {
      for (const codec of [json, msgpack, bytesCodec] as Codec<unknown>[]) {
        const encoded = encodes(codec, value)
        if (encoded === undefined) continue
        expect(encoded).to.be.instanceOf(Uint8Array)
        codec.decode(encoded)
      }
    }),
  ),
]
