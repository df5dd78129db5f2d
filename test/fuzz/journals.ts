import {
  Damage,
  decodeEntry,
  decodeLetter,
  encodeEntry,
  encodeLetter,
  entryKey,
  forgoingCluster,
  forgoneKey,
  idOf,
  letterKey,
  letterNumber,
  markedCluster,
  markKey,
  pack,
  partitionKey,
  placeOf,
  unpack,
  type DeadLetter,
  type JournalEntry,
} from '@tandem/producer/internal'
import { expect } from 'chai'
import fc from 'fast-check'
import { crc32 } from 'node:zlib'

import { bytes, counter, inherited } from './hostile.js'
import { SMALL_BYTES, target, within } from './target.js'

/** A disk brings back what it likes: other bytes, other keys, and whole values in the wrong place. */

const KEY = entryKey(1, 1)
const text = fc.oneof(fc.string({ maxLength: 20 }), inherited)
const payload = fc.option(bytes)
/** Names of headers; node-rdkafka would give `__proto__` away, and nobody may send it. */
const headers = fc.array(
  fc.tuple(text, text).map(([name, value]) => Object.fromEntries([[name, value]]) as Record<string, string>),
  { maxLength: 3 },
)
const at = {
  topic: text,
  partition: fc.nat(),
  keyRange: fc.nat(),
  key: payload,
  value: payload,
  headers,
  timestampMs: fc.maxSafeInteger(),
}
const epoch = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const entry: fc.Arbitrary<JournalEntry> = fc.record({
  ...at,
  place: counter,
  epoch,
  incarnation: fc.nat({ max: 0xffffffff }),
  first: counter,
  count: counter,
  ordinal: fc.nat(),
  sealedWallMs: fc.maxSafeInteger(),
  bytesBefore: epoch,
  bytes: fc.nat(),
})
const letter: fc.Arbitrary<DeadLetter> = fc.record({
  ...at,
  position: fc.record({ producerId: text, epoch, incarnation: fc.nat({ max: 0xffffffff }), counter }),
  outcome: fc.constantFrom('not-written', 'unknown'),
  reason: text,
  rejectedWallMs: fc.maxSafeInteger(),
  from: fc.dictionary(text, epoch, { maxKeys: 3, noNullPrototype: true }),
})

/** Reads it, or says why it is damaged, in few words and little memory. */
function readsOrIsDamaged(decode: (key: Uint8Array, bytes: Uint8Array) => unknown, stored: Uint8Array): void {
  const read = within(SMALL_BYTES, () => decode(KEY, stored))
  if (read instanceof Damage) expect(read.reason.length, 'length of its reason').to.be.within(1, 400)
  else expect(read).to.be.an('object')
}

/** With the checksum of what it is, however wrong that is: as if somebody had written it so. */
function sealed(body: Uint8Array): Buffer {
  const stored = Buffer.concat([Buffer.of(1, 0, 0, 0, 0), body])
  stored.writeUInt32BE(crc32(body, crc32(KEY)), 1)
  return stored
}

/** To be compared: the kind of byte array does not matter. */
function plain(one: JournalEntry | DeadLetter | Damage): unknown {
  if (one instanceof Damage) return one
  const listed = (bytes: Uint8Array | null): number[] | null => (bytes === null ? null : [...bytes])
  return { ...one, key: listed(one.key), value: listed(one.value) }
}

const anyField = fc.oneof(
  fc.anything({ maxDepth: 2, maxKeys: 3 }).filter((value) => isPackable(value)),
  fc.constantFrom(null, -1, 0.5, Number.MAX_VALUE, 'x'.repeat(1_000), [], {}, ['a'], ['a', 1]),
)

function isPackable(value: unknown): boolean {
  try {
    pack(KEY, [value])
    return true
  } catch {
    return false
  }
}

const DECODERS = [decodeEntry, decodeLetter] as const
const decoder = fc.constantFrom(...DECODERS)

/** Keys of the database, and names that follow them. */
const id = fc.nat({ max: 0xffffffff })
const place = fc.oneof(counter, fc.constant(0))

export const JOURNALS = [
  target('journal: random bytes', 4, fc.property(decoder, bytes, readsOrIsDamaged)),
  target(
    'journal: random bodies under their checksum',
    6,
    fc.property(decoder, bytes, (decode, body) => readsOrIsDamaged(decode, sealed(body))),
  ),
  target(
    'journal: any fields',
    6,
    fc.property(decoder, fc.array(anyField, { maxLength: 20 }), (decode, fields) =>
      readsOrIsDamaged(decode, pack(KEY, fields)),
    ),
  ),
  target(
    'journal: one bit, one byte or the end is wrong',
    6,
    fc.property(
      entry,
      letter,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      (one, other, where, by, cut) => {
        for (const stored of [encodeEntry(KEY, one), encodeLetter(KEY, other)]) {
          const place = where % stored.length
          const wrong = cut ? stored.subarray(0, place) : Buffer.from(stored)
          if (!cut) wrong[place]! ^= by
          for (const decode of DECODERS) expect(decode(KEY, wrong)).to.be.instanceOf(Damage)
        }
      },
    ),
  ),
  target(
    'journal: under another key',
    3,
    fc.property(entry, letter, id, place, (one, other, otherId, otherPlace) => {
      const key = entryKey(otherId, otherPlace)
      fc.pre(!key.equals(KEY))
      expect(decodeEntry(key, encodeEntry(KEY, one))).to.be.instanceOf(Damage)
      expect(decodeLetter(key, encodeLetter(KEY, other))).to.be.instanceOf(Damage)
    }),
  ),
  target(
    'journal: round trip of entries and letters',
    4,
    fc.property(entry, letter, (one, other) => {
      expect(plain(decodeEntry(KEY, encodeEntry(KEY, one)))).to.deep.equal(plain(one))
      expect(plain(decodeLetter(KEY, encodeLetter(KEY, other)))).to.deep.equal(plain(other))
    }),
  ),
  target(
    'journal: marks and extents of any bytes',
    3,
    fc.property(bytes, fc.boolean(), (stored, ours) => {
      const read = unpack(KEY, ours ? sealed(stored) : stored, (fields) => [
        fields.text('topic'),
        fields.integer('next', 1),
        fields.texts('clusters'),
      ])
      if (!(read instanceof Damage)) expect(read).to.have.length(3)
    }),
  ),
  target(
    'journal: keys of any bytes',
    3,
    fc.property(bytes, (key) => {
      const stored = Buffer.from(key)
      for (const read of [idOf(stored), placeOf(stored), letterNumber(stored)]) {
        if (read !== undefined) expect(read).to.be.at.least(0)
      }
      expect(markedCluster(stored)).to.be.a('string')
      expect(forgoingCluster(stored)).to.be.a('string')
    }),
  ),
  target(
    'journal: round trip and order of keys',
    3,
    fc.property(id, place, id, place, text, (one, first, other, second, cluster) => {
      expect([idOf(entryKey(one, first)), placeOf(entryKey(one, first))]).to.deep.equal([one, first])
      expect(idOf(partitionKey(one))).to.equal(one)
      expect(letterNumber(letterKey(first))).to.equal(first)
      const name = Buffer.from(cluster).toString()
      expect([idOf(markKey(one, cluster)), markedCluster(markKey(one, cluster))]).to.deep.equal([one, name])
      const forgone = forgoneKey(one, first, cluster)
      expect([idOf(forgone), placeOf(forgone), forgoingCluster(forgone)]).to.deep.equal([one, first, name])
      const order = Math.sign(one - other) || Math.sign(first - second)
      expect(Buffer.compare(entryKey(one, first), entryKey(other, second))).to.equal(order)
    }),
  ),
]
