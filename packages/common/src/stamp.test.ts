import { readFileSync } from 'node:fs'

import { expect } from 'chai'

import { isTandemError, type TandemError } from './errors.js'
import {
  decodeStamp,
  encodeStamp,
  isProducerId,
  STAMP_BYTES_MAX,
  STAMP_HEADER,
  StampEncoder,
  type Stamp,
  type StampKind,
} from './stamp.js'

interface Vectors {
  readonly header: string
  readonly bytesMax: number
  readonly valid: readonly { note: string; text: string; later?: true; stamp: Stamp }[]
  readonly malformed: readonly { note: string; field: string; text?: string; hex?: string }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/stamp.json', import.meta.url), 'utf8'),
) as Vectors

const good: Stamp = {
  kind: 'data',
  producerId: 'ledger-7',
  epoch: 1732290000000,
  incarnation: 2893412345,
  keyRange: 17,
  first: 4711,
  count: 1,
}

function refusal(bytes: unknown): TandemError {
  try {
    decodeStamp(bytes as Uint8Array)
  } catch (error) {
    if (isTandemError(error, 'TANDEM_STAMP_MALFORMED')) return error
    throw error
  }
  throw new Error('decoded, although it is malformed')
}

describe('stamp', () => {
  it('is named and bounded as the vectors say', () => {
    expect(STAMP_HEADER).to.equal(vectors.header)
    expect(STAMP_BYTES_MAX).to.equal(vectors.bytesMax)
  })

  for (const { note, text, later, stamp } of vectors.valid) {
    it(`decodes ${note}`, () => {
      expect(decodeStamp(Buffer.from(text))).to.deep.equal(stamp)
      const encoded = encodeStamp(stamp)
      if (later === true) expect(text.startsWith(`${encoded}:`)).to.equal(true)
      else expect(encoded).to.equal(text)
    })
  }

  for (const { note, field, text, hex } of vectors.malformed) {
    it(`refuses ${field}: ${note}`, () => {
      const bytes = hex === undefined ? Buffer.from(text!) : Buffer.from(hex, 'hex')
      const error = refusal(bytes)
      expect(error.details['field']).to.equal(field)
      expect(error.details['receivedBytes']).to.equal(bytes.length)
      expect(error.message).to.include(`its ${field} must be ${String(error.details['expected'])}`)
    })
  }

  it('refuses every proper beginning of a good one that lacks a field', () => {
    const text = encodeStamp(good)
    const fieldsFrom = text.lastIndexOf(':') + 1
    for (let length = 0; length <= fieldsFrom; length++) refusal(Buffer.from(text.slice(0, length)))
    expect(decodeStamp(Buffer.from(text.slice(0, fieldsFrom + 1))).first).to.equal(good.first)
  })

  it('survives any single byte in any place: decodes to something that encodes, or refuses', () => {
    const text = Buffer.from('1:v:led-7:12:34:5:67:8:x')
    let refused = 0
    for (let at = 0; at < text.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const bytes = Buffer.from(text)
        bytes[at] = byte
        try {
          const encoded = encodeStamp(decodeStamp(bytes))
          expect(`${bytes.toString('latin1')}:`.startsWith(`${encoded}:`), bytes.toString('latin1')).to.equal(true)
        } catch (error) {
          if (!isTandemError(error, 'TANDEM_STAMP_MALFORMED')) throw error
          refused++
        }
      }
    }
    expect(refused).to.be.greaterThan(text.length * 128)
  })

  it('shows at most 64 printable characters of what was received', () => {
    const control = refusal(Buffer.from('9:\u0000\u001b[31m\n\u007f')).details['received'] as string
    expect(control).to.equal('9:..[31m..')
    for (const length of [64, 65, 66, 512, 513, 10_000_000]) {
      const error = refusal(Buffer.alloc(length, 'x'))
      const shown = error.details['received'] as string
      expect(shown).to.equal(length <= 64 ? 'x'.repeat(length) : 'x'.repeat(63) + '…')
      expect(error.message.length).to.be.lessThan(250)
    }
  })

  for (const [what, value] of [
    ['nothing', undefined],
    ['null', null],
    ['text', encodeStamp(good)],
    ['an array', [...Buffer.from(encodeStamp(good))]],
  ] as const) {
    it(`refuses ${what} in place of bytes`, () => {
      expect(refusal(value).details['field']).to.equal('type')
    })
  }

  it('reads a view at its own offset', () => {
    const text = encodeStamp(good)
    expect(decodeStamp(Buffer.from(`xx${text}`).subarray(2))).to.deep.equal(good)
  })

  it('keeps producers apart whose ids look alike', () => {
    // The first two share a slot, and the second is how the first begins.
    const ids = ['xaj', 'xa', 'ab', 'ba', 'aab', 'abb', 'a', 'b']
    for (const one of 'abcdefgh-._019XYZ') for (const other of 'abcdefgh-._019XYZ') ids.push(`l${one}${other}7`)
    for (let round = 0; round < 2; round++) {
      for (const producerId of ids) {
        expect(decodeStamp(Buffer.from(encodeStamp({ ...good, producerId }))).producerId).to.equal(producerId)
      }
    }
  })

  it('encodes what a sequence has in common once, for each kind', () => {
    const encoder = new StampEncoder(good)
    const runs: readonly [StampKind, number, number][] = [
      ['data', 1, 1],
      ['frame', 2, 3],
      ['void', 5, 1],
      ['void', 1, 0],
      ['data', Number.MAX_SAFE_INTEGER, 1],
    ]
    for (const [kind, first, count] of runs) {
      const text = encoder.encode(kind, first, count)
      expect(text).to.equal(encodeStamp({ ...good, kind, first, count }))
      expect(decodeStamp(Buffer.from(text))).to.deep.equal({ ...good, kind, first, count })
    }
  })

  const unencodable: readonly [string, Partial<Record<keyof Stamp, unknown>>][] = [
    ['no producerId', { producerId: undefined }],
    ['an empty producerId', { producerId: '' }],
    ['a producerId with a colon', { producerId: 'a:b' }],
    ['a producerId of 129 characters', { producerId: 'a'.repeat(129) }],
    ['a negative epoch', { epoch: -1 }],
    ['an epoch of 2^53', { epoch: 2 ** 53 }],
    ['an epoch of NaN', { epoch: NaN }],
    ['an epoch that is text', { epoch: '1' }],
    ['an incarnation of 2^32', { incarnation: 2 ** 32 }],
    ['a key range of 2^31', { keyRange: 2 ** 31 }],
    ['a key range of 0.5', { keyRange: 0.5 }],
    ['first 0', { first: 0 }],
    ['first 2^53', { first: 2 ** 53 }],
    ['a frame of nothing', { kind: 'frame', count: 0 }],
    ['count -1', { kind: 'void', count: -1 }],
    ['two in a data record', { count: 2 }],
    ['a run that ends at 2^53', { kind: 'void', first: 2, count: 2 ** 53 - 1 }],
    ['an unknown kind', { kind: 'gone' }],
  ]
  for (const [what, change] of unencodable) {
    it(`never encodes ${what}`, () => {
      expect(() => encodeStamp({ ...good, ...change } as Stamp))
        .to.throw()
        .with.property('code', 'TANDEM_INVARIANT')
    })
  }

  it('knows a producerId', () => {
    for (const id of ['a', 'ledger-7', 'A.b_c-9', 'x'.repeat(128)]) expect(isProducerId(id), id).to.equal(true)
    for (const id of ['', 'a b', 'a:b', 'a\n', 'ä', 'x'.repeat(129), 7, undefined, null, ['a']]) {
      expect(isProducerId(id), String(id)).to.equal(false)
    }
  })
})
