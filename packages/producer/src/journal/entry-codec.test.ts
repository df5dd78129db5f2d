import { msgpack } from '@tandem/common/internal'
import { expect } from 'chai'
import { crc32 } from 'node:zlib'

import { Damage, decodeEntry, decodeLetter, encodeEntry, encodeLetter } from './entry-codec.js'
import type { DeadLetter, JournalEntry } from './journal.js'

describe('journal codec', () => {
  const KEY = Buffer.from('key of it')
  const ENTRY: JournalEntry = {
    topic: 'entries',
    partition: 3,
    place: 17,
    epoch: 1_700_000_000_000,
    incarnation: 4_294_967_295,
    keyRange: 3,
    first: 5,
    count: 2,
    key: Buffer.from([0, 255]),
    value: Buffer.from('value'),
    headers: [{ trace: 'a' }, { tandem: 'x' }, { trace: 'b' }],
    timestampMs: 1_700_000_000_001,
    ordinal: 40,
    sealedWallMs: 1_700_000_000_002.5,
    bytesBefore: 9_000_000_000,
    bytes: 100,
  }
  const LETTER: DeadLetter = {
    position: { producerId: 'ledger-7', epoch: 1_700_000_000_000, incarnation: 7, counter: 5 },
    keyRange: 3,
    topic: 'entries',
    partition: 3,
    key: null,
    value: Buffer.from('value'),
    headers: [{ trace: 'a' }],
    timestampMs: 1_700_000_000_001,
    outcome: 'unknown',
    reason: 'no answer',
    rejectedWallMs: 1_700_000_000_002,
    from: { east: 17 },
  }

  /** Bytes with any body and the right checksum. */
  function sealed(body: Uint8Array): Buffer {
    const bytes = Buffer.concat([Buffer.of(1, 0, 0, 0, 0), body])
    bytes.writeUInt32BE(crc32(body, crc32(KEY)), 1)
    return bytes
  }

  const fieldsOf = (bytes: Buffer) => msgpack.decode(bytes.subarray(5)) as unknown[]
  const reasonOf = (decoded: unknown) => {
    expect(decoded).to.be.instanceOf(Damage)
    return (decoded as Damage).reason
  }

  it('gives back what was put in', () => {
    expect(decodeEntry(KEY, encodeEntry(KEY, ENTRY))).to.deep.equal(ENTRY)
    expect(decodeLetter(KEY, encodeLetter(KEY, LETTER))).to.deep.equal(LETTER)
  })

  it('sees each bit that is wrong, each length that is, and a key that is another', () => {
    for (const [bytes, decode] of [
      [encodeEntry(KEY, ENTRY), decodeEntry],
      [encodeLetter(KEY, LETTER), decodeLetter],
    ] as const) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const wrong = Buffer.from(bytes)
        wrong[bit >> 3]! ^= 1 << (bit & 7)
        expect(decode(KEY, wrong), `bit ${bit}`).to.be.instanceOf(Damage)
      }
      for (let length = 0; length < bytes.length; length++) {
        expect(decode(KEY, bytes.subarray(0, length)), `${length} bytes`).to.be.instanceOf(Damage)
      }
      expect(reasonOf(decode(Buffer.from('key of is'), bytes))).to.contain('checksum')
    }
  })

  it('tells a version that it does not know', () => {
    const bytes = encodeEntry(KEY, ENTRY)
    bytes[0] = 2
    expect(reasonOf(decodeEntry(KEY, bytes))).to.equal('its version is 2, known is 1')
  })

  it('leaves alone what a later version adds at the end', () => {
    const more = sealed(msgpack.encode([...fieldsOf(encodeEntry(KEY, ENTRY)), 'more', [1]]) as Uint8Array)
    expect(decodeEntry(KEY, more)).to.deep.equal(ENTRY)
  })

  it('refuses each field that is not what it has to be, by its name', () => {
    const wrong: unknown[] = [null, -1, 1.5, 'x', new Uint8Array(1), [1], { a: 1 }, true, Number.MAX_VALUE]
    for (const [bytes, decode] of [
      [encodeEntry(KEY, ENTRY), decodeEntry],
      [encodeLetter(KEY, LETTER), decodeLetter],
    ] as const) {
      const fields = fieldsOf(bytes)
      for (let at = 0; at < fields.length; at++) {
        const reasons = wrong
          .map((value) => decode(KEY, sealed(msgpack.encode(fields.with(at, value)) as Uint8Array)))
          .filter((decoded) => decoded instanceof Damage)
        expect(reasons.length, `field ${at}`).to.be.greaterThan(3)
        for (const { reason } of reasons) expect(reason).to.match(/^[a-zI ]+: received .+, allowed is /)
        const cut = decode(KEY, sealed(msgpack.encode(fields.slice(0, at)) as Uint8Array))
        if (decode === decodeLetter && at === fields.length - 1)
          expect(cut, 'without offsets').to.deep.include({ from: {} })
        else expect(cut, `up to ${at}`).to.be.instanceOf(Damage)
      }
    }
  })

  it('takes no memory for what hostile bytes only announce', () => {
    const nested = Buffer.concat(Array.from({ length: 200 }, () => Buffer.of(0xdd, 0x7f, 0xff, 0xff, 0xff)))
    const before = process.memoryUsage()
    for (const body of [Buffer.of(0xdd, 0xff, 0xff, 0xff, 0xff), nested, Buffer.of(0xc6, 0xff, 0xff, 0xff, 0xff, 0)]) {
      expect(reasonOf(decodeEntry(KEY, sealed(body)))).to.contain('ends before')
    }
    const after = process.memoryUsage()
    expect(after.heapTotal + after.arrayBuffers - before.heapTotal - before.arrayBuffers).to.be.below(100 << 20)
  })
})
