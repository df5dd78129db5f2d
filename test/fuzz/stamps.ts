import {
  decodeStamp,
  encodeStamp,
  isTandemError,
  STAMP_BYTES_MAX,
  StampEncoder,
  type Stamp,
} from '@tandem/common/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import { bytes, stamp } from './hostile.js'
import { SMALL_BYTES, target, within } from './target.js'

/** A stamp within its limits, or a typed error. What is read is written the same way, but for later fields. */
function readsOrRefuses(encoded: Uint8Array): void {
  const before = Buffer.from(encoded.subarray(0, STAMP_BYTES_MAX))
  let read: Stamp
  try {
    read = within(SMALL_BYTES, () => decodeStamp(encoded))
  } catch (error) {
    if (!isTandemError(error, 'TANDEM_STAMP_MALFORMED')) throw error
    expect(error.message.length, 'length of its message').to.be.below(400)
    return
  }
  const again = encodeStamp(read)
  const text = before.toString('latin1')
  expect(text === again || text.startsWith(`${again}:`), `${again} is what was read of ${text}`).to.equal(true)
}

/** Well-formed, then damaged in a few places. */
const damaged = fc
  .tuple(
    stamp,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('replace', 'insert', 'remove', 'repeat'), fc.nat({ max: 255 })), {
      maxLength: 4,
    }),
  )
  .map(([one, damages]) => {
    let text = Buffer.from(encodeStamp(one))
    for (const [place, what, byte] of damages) {
      const at = place % text.length
      const [head, tail] = [text.subarray(0, at), text.subarray(at)]
      if (what === 'replace') text = Buffer.concat([head, Buffer.from([byte]), tail.subarray(1)])
      else if (what === 'insert') text = Buffer.concat([head, Buffer.from([byte]), tail])
      else if (what === 'remove') text = Buffer.concat([head, tail.subarray(1), Buffer.from('1')])
      else text = Buffer.concat([head, tail, tail])
    }
    return text
  })

/** The alphabet of stamps, in any order. */
const alike = fc.string({ unit: fc.constantFrom(...'0123456789:dfv.-_ap\0 '), maxLength: 80 })

export const STAMPS = [
  target('stamp: random bytes', 6, fc.property(bytes, readsOrRefuses)),
  target(
    'stamp: random fields',
    10,
    fc.property(alike, fc.boolean(), (text, begun) =>
      readsOrRefuses(Buffer.from(begun ? `1:v:p:1:1:0:${text}` : text)),
    ),
  ),
  target('stamp: damaged', 20, fc.property(damaged, readsOrRefuses)),
  target(
    'stamp: very long',
    1,
    fc.property(stamp, fc.nat({ max: 200_000 }), fc.boolean(), (one, length, ours) => {
      readsOrRefuses(Buffer.concat([Buffer.from(ours ? `${encodeStamp(one)}:` : ''), Buffer.alloc(length, '9')]))
    }),
  ),
  target(
    'stamp: round trip',
    10,
    fc.property(stamp, (one) => {
      const text = encodeStamp(one)
      expect(text.length).to.be.at.most(STAMP_BYTES_MAX)
      expect(new StampEncoder(one).encode(one.kind, one.first, one.count)).to.equal(text)
      expect(decodeStamp(Buffer.from(text))).to.deep.equal(one)
      expect(decodeStamp(Buffer.from(`${text}:later:fields`))).to.deep.equal(one)
    }),
  ),
]
