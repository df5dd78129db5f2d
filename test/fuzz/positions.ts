import { encode } from '@msgpack/msgpack'
import { Intervals, isTandemError } from '@tandem/common/internal'
import { decodePosition, encodeFeed, encodeStream, type StoredStream } from '@tandem/consumer/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import { anything, bytes, counter, inherited } from './hostile.js'
import { SMALL_BYTES, target, within } from './target.js'

/** What a store holds is read, or refused with a typed error; what was stored is read as it was. */
function readsOrRefuses(fields: ReadonlyMap<string, Uint8Array>): void {
  const length = [...fields.values()].reduce((sum, field) => sum + field.length, 0)
  try {
    within(SMALL_BYTES + 100 * length, () => decodePosition(fields))
  } catch (error) {
    if (!isTandemError(error, 'TANDEM_HIGH_WATER_STORE_UNUSABLE')) throw error
  }
}

const name = fc.oneof(
  fc.constantFrom('f:east', 's:0/ledger', 'f:', 's:', 'x', ''),
  inherited.map((inner) => `f:${inner}`),
)
const fields = (field: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Map<string, Uint8Array>> =>
  fc.array(fc.tuple(name, field), { maxLength: 3 }).map((entries) => new Map(entries))

const encodable = anything.map((value) => {
  try {
    return encode(value)
  } catch {
    return Buffer.of(0xc0)
  }
})

const intervals = fc.array(fc.tuple(counter, fc.nat({ max: 5 })), { maxLength: 4 }).map((pairs) => {
  return Intervals.of(
    ...pairs.map(([first, more]) => [first, Math.min(first + more, Number.MAX_SAFE_INTEGER)] as const),
  )
})
const feed = fc.record({
  lastOffset: fc.oneof(fc.constant(-1), fc.maxSafeInteger().map(Math.abs)),
  readFrom: fc.maxSafeInteger().map(Math.abs),
  voids: fc.array(
    fc.tuple(counter, fc.nat({ max: 5 }), fc.nat()).map(([first, more, offset]) => {
      return { first, last: Math.min(first + more, Number.MAX_SAFE_INTEGER), offset }
    }),
    { maxLength: 3 },
  ),
})
const stored: fc.Arbitrary<StoredStream> = fc.record({
  keyRange: fc.nat(),
  producerId: fc.constantFrom('p', '__proto__', 'x'.repeat(128)),
  sequences: fc.array(
    fc.record({
      epoch: counter,
      incarnation: fc.nat({ max: 0xffffffff }),
      frontier: counter,
      origin: counter,
      finished: intervals,
      rejected: intervals,
      lastSeenMs: fc.nat().map((minutes) => minutes * 60_000),
      feeds: fc.record({ east: feed, west: feed }),
    }),
    { maxLength: 3 },
  ),
})

const plain = (stream: StoredStream): unknown => ({
  ...stream,
  sequences: stream.sequences.map((sequence) => ({
    ...sequence,
    finished: sequence.finished.toArray(),
    rejected: sequence.rejected.toArray(),
  })),
})

export const POSITIONS = [
  target('position: random bytes', 6, fc.property(fields(bytes), readsOrRefuses)),
  target('position: any MessagePack', 6, fc.property(fields(encodable), readsOrRefuses)),
  target(
    'position: damaged',
    8,
    fc.property(stored, fc.nat(), fc.nat({ max: 255 }), (stream, place, byte) => {
      const encoded = encodeStream(stream)
      encoded[place % encoded.length] = byte
      readsOrRefuses(new Map([['s:0/p', encoded]]))
    }),
  ),
  target(
    'position: round trip',
    8,
    fc.property(stored, fc.nat(), (stream, offset) => {
      const position = decodePosition(
        new Map([
          ['f:east', encodeFeed({ resumeOffset: offset, marks: [] })],
          ['s:0/p', encodeStream(stream)],
        ]),
      )
      expect(position.feeds).to.deep.equal({ east: { resumeOffset: offset, marks: [] } })
      expect(position.streams.map(plain)).to.deep.equal([plain(stream)])
    }),
  ),
]
