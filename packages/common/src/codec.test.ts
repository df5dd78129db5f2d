import { isDeepStrictEqual } from 'node:util'

import { ExtData } from '@msgpack/msgpack'
import { expect } from 'chai'

import { bytes, json, msgpack, type Codec } from './codec.js'
import type { TandemError } from './errors.js'
import { received } from './received.js'

function failure(run: () => unknown): TandemError {
  try {
    run()
  } catch (error) {
    expect(error).to.have.property('code', 'TANDEM_CODEC_FAILED')
    return error as TandemError
  }
  throw new Error('nothing failed')
}

function roundTrip<T>(codec: Codec<T>, value: T): unknown {
  const encoded = codec.encode(value)
  expect(encoded).to.be.instanceOf(Uint8Array)
  return codec.decode(encoded as Uint8Array)
}

const cycle: Record<string, unknown> = {}
cycle['self'] = cycle

describe('codec bytes', () => {
  it('takes a Uint8Array or a Buffer, and gives the bytes back', () => {
    expect(roundTrip(bytes, Uint8Array.of(0, 255, 128))).to.deep.equal(Buffer.from([0, 255, 128]))
    expect(roundTrip(bytes, Buffer.from('äx').subarray(1))).to.deep.equal(Buffer.from('äx').subarray(1))
    expect(roundTrip(bytes, new Uint8Array(0))).to.have.length(0)
  })

  it('copies: the buffer may be used again while a lane still waits', () => {
    const buffer = Buffer.from('first')
    const encoded = bytes.encode(buffer)
    buffer.write('other')
    expect(String(encoded)).to.equal('first')
  })

  for (const value of ['text', 5, true, null, undefined, {}, [1, 2], new ArrayBuffer(2), new Uint16Array(2), () => 1]) {
    it(`refuses ${typeof value} ${String(value)} and says what to use`, () => {
      const error = failure(() => bytes.encode(value as Uint8Array))
      expect(error.message).to.match(/takes a Uint8Array, received .+; use Buffer\.from\(\), or a codec such as json/)
    })
  }
})

describe('codec json', () => {
  for (const value of [null, true, 0, -1.5, '', 'ä€😀\u0000\n', [], [1, [2]], { a: { b: null } }, 2 ** 53 - 1]) {
    it(`brings back ${JSON.stringify(value)}`, () => {
      expect(roundTrip(json, value)).to.deep.equal(value)
    })
  }

  it('writes UTF-8 and drops a byte order mark', () => {
    expect(json.encode('ä')).to.deep.equal(Buffer.from('"ä"', 'utf8'))
    expect(json.decode(Buffer.from('\ufeff{"a":1}'))).to.deep.equal({ a: 1 })
  })

  it('makes no prototype of a field named __proto__', () => {
    const decoded = json.decode(Buffer.from('{"__proto__":{"admin":true}}')) as object
    expect(Object.getPrototypeOf(decoded)).to.equal(Object.prototype)
  })

  for (const [what, value] of [
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['an object whose toJSON says undefined', { toJSON: () => undefined }],
  ] as const) {
    it(`refuses ${what}, which has no JSON`, () => {
      expect(failure(() => json.encode(value)).message).to.include('codec json cannot encode')
    })
  }

  for (const [what, value] of [
    ['a BigInt', 1n],
    ['a BigInt inside', { a: [1n] }],
    ['a cycle', cycle],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error('no')
        },
      },
    ],
  ] as const) {
    it(`refuses ${what}, with the cause`, () => {
      const error = failure(() => json.encode(value))
      expect(error.cause).to.be.instanceOf(Error)
      expect(error.message).to.not.include('\n')
    })
  }

  for (const [what, encoded] of [
    ['nothing', Buffer.alloc(0)],
    ['half an object', Buffer.from('{"a":')],
    ['something behind a value', Buffer.from('1 2')],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['null', null],
  ] as const) {
    it(`refuses to decode ${what}, with the cause`, () => {
      const error = failure(() => json.decode(encoded as unknown as Uint8Array))
      expect(error.cause).to.be.instanceOf(Error)
    })
  }

  it('refuses to decode a million brackets, or does it, but never crashes', () => {
    failure(() => json.decode(Buffer.alloc(1_000_000, '[')))
  })
})

describe('codec msgpack', () => {
  for (const value of [
    null,
    true,
    0,
    -1.5,
    2 ** 53 - 1,
    -(2 ** 53 - 1),
    '',
    'ä€😀\u0000',
    [],
    [1, [2]],
    { a: { b: null } },
  ]) {
    it(`brings back ${JSON.stringify(value)}`, () => {
      expect(roundTrip(msgpack, value)).to.deep.equal(value)
    })
  }

  it('brings back bytes and dates', () => {
    const decoded = roundTrip(msgpack, { at: new Date(5), raw: Uint8Array.of(1, 2) }) as { at: Date; raw: Uint8Array }
    expect(decoded.at.getTime()).to.equal(5)
    expect([...decoded.raw]).to.deep.equal([1, 2])
  })

  it('encodes as the MessagePack specification says', () => {
    expect(msgpack.encode({ compact: true, schema: 0 })).to.deep.equal(
      Uint8Array.of(0x82, 0xa7, ...Buffer.from('compact'), 0xc3, 0xa6, ...Buffer.from('schema'), 0x00),
    )
  })

  it('gives bytes that a second encoding leaves alone', () => {
    const one = msgpack.encode('one') as Uint8Array
    void msgpack.encode('two')
    expect(msgpack.decode(one)).to.equal('one')
  })

  it('brings back what has every kind of head', () => {
    const sizes = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536]
    const numbers = [2 ** 7, 2 ** 8, 2 ** 16, 2 ** 32].flatMap((n) => [n - 1, n, -n, -n - 1, n + 0.5])
    const extensions = [0, 1, 2, 4, 8, 16, 17, 256, 65_536].map((size) => new ExtData(1, new Uint8Array(size).fill(7)))
    for (const value of [
      ...numbers,
      ...extensions,
      ...sizes.map((size) => 'x'.repeat(size)),
      ...sizes.map((size) => new Uint8Array(size)),
      ...sizes.map((size) => new Array<number>(size).fill(300)),
      ...sizes.map((size) => Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, 'v']))),
    ]) {
      expect(isDeepStrictEqual(roundTrip(msgpack, [value]), [value]), received(value)).to.equal(true)
    }
  })

  it('can be entered again from inside of a value', () => {
    const inner = {
      get nested() {
        return msgpack.encode([7])
      },
    }
    const decoded = roundTrip(msgpack, inner) as { nested: Uint8Array }
    expect(msgpack.decode(decoded.nested)).to.deep.equal([7])
  })

  for (const [what, value] of [
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
    ['a cycle', cycle],
  ] as const) {
    it(`refuses ${what}, and works afterwards`, () => {
      const error = failure(() => msgpack.encode(value))
      if (value !== undefined) expect(error.cause).to.be.instanceOf(Error)
      expect(roundTrip(msgpack, [1])).to.deep.equal([1])
    })
  }

  for (const [what, encoded] of [
    ['nothing', Buffer.alloc(0)],
    ['half a text', Uint8Array.of(0xa5, 0x61)],
    ['something behind a value', Uint8Array.of(1, 2)],
    ['the byte that is never used', Uint8Array.of(0xc1)],
    ['an array that claims 2^32 - 1 members', Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['arrays in arrays that claim 30 million members each', Buffer.from('dd01c9c380'.repeat(20), 'hex')],
    ['a map that has a byte less than members', Uint8Array.of(0x82, 1, 1, 1)],
    ['bytes that are fewer than they claim', Uint8Array.of(0xc5, 0, 2, 1)],
    ['a map with a field named __proto__', Uint8Array.of(0x81, 0xa9, ...Buffer.from('__proto__'), 0x01)],
    ['null', null],
  ] as const) {
    it(`refuses to decode ${what}, and works afterwards`, () => {
      const error = failure(() => msgpack.decode(encoded as unknown as Uint8Array))
      expect(error.cause).to.be.instanceOf(Error)
      expect(roundTrip(msgpack, { a: 1 })).to.deep.equal({ a: 1 })
    })
  }
})
