import { encode } from '@msgpack/msgpack'
import { decodeFrame, encodeFrame, isTandemError, type FramedMessage } from '@tandem/common/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import { anything, bytes, counter } from './hostile.js'
import { SMALL_BYTES, target, within } from './target.js'

/** As many messages as the stamp says, or a typed error. */
function unpacks(encoded: Uint8Array, count: number): void {
  try {
    const messages = within(SMALL_BYTES + 100 * encoded.length, () => decodeFrame(encoded, count))
    expect(messages).to.have.length(count)
  } catch (error) {
    if (!isTandemError(error, 'TANDEM_FRAME_MALFORMED')) throw error
    expect(error.message.length, 'length of its message').to.be.below(600)
  }
}

const payload = fc.option(bytes.map((one) => Buffer.from(one)))
const text = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'ä€😀', ''))

const message: fc.Arbitrary<FramedMessage> = fc.record({
  key: payload,
  value: payload,
  timestampMs: fc.maxSafeNat(),
  headers: fc.array(
    fc.tuple(text, text).map((header) => Object.fromEntries([header])),
    { maxLength: 3 },
  ),
})

const frame = fc.array(message, { minLength: 1, maxLength: 20 })

/** Nearly a frame. */
const alike = fc.array(fc.oneof(fc.array(anything, { maxLength: 5 }), fc.constant([null, null, 1]), anything), {
  maxLength: 5,
})

export const FRAMES = [
  target('frame: random bytes', 6, fc.property(bytes, counter, unpacks)),
  target(
    'frame: any MessagePack',
    10,
    fc.property(alike, fc.nat({ max: 5 }), (messages, count) => {
      let encoded: Uint8Array
      try {
        encoded = encode(messages)
      } catch {
        return // not everything has an encoding
      }
      unpacks(encoded, count)
    }),
  ),
  target(
    'frame: damaged',
    10,
    fc.property(frame, fc.nat(), fc.nat({ max: 255 }), (messages, place, byte) => {
      const encoded = Buffer.from(encodeFrame(messages))
      encoded[place % encoded.length] = byte
      unpacks(encoded, messages.length)
    }),
  ),
  target(
    'frame: round trip',
    10,
    fc.property(frame, (messages) => {
      expect(decodeFrame(Buffer.from(encodeFrame(messages)), messages.length)).to.deep.equal(messages)
    }),
  ),
]
