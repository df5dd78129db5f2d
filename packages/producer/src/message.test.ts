import { isTandemError, json, type Codec } from '@tandem/common/internal'
import { expect } from 'chai'

import { encodeValue, readMessage, type Message } from './message.js'

const GOOD: Message = { topic: 'entries', key: 'acct-1', value: 'v' }

function refused(change: Record<string, unknown>): string {
  try {
    readMessage({ ...GOOD, ...change }, 1)
  } catch (error) {
    if (isTandemError(error, 'TANDEM_MESSAGE_INVALID')) return error.message
    throw error
  }
  return 'taken'
}

describe('message', () => {
  it('takes keys as text, bytes, or not at all', () => {
    expect(readMessage(GOOD, 1).key).to.deep.equal(Buffer.from('acct-1'))
    expect(readMessage({ ...GOOD, key: new Uint8Array([0, 255]) }, 1).key).to.deep.equal(Buffer.from([0, 255]))
    expect(readMessage({ ...GOOD, key: '' }, 1).key).to.have.length(0)
    expect(readMessage({ ...GOOD, key: null }, 1).key).to.equal(null)
    expect(readMessage({ topic: 'entries', value: 'v' }, 1).key).to.equal(null)
  })

  it('refuses keys of another type, naming what was received and what is allowed', () => {
    expect(refused({ key: 17 })).to.equal('key: received 17, allowed is text, bytes, null or nothing')
    expect(refused({ key: { a: 1 } })).to.contain('received an object')
    expect(refused({ key: '\ud800' })).to.contain('lone surrogates') // two such keys would become one
    expect(refused({ key: 'grün 🎉' })).to.equal('taken')
  })

  it('refuses topics that Kafka does not have', () => {
    for (const topic of ['', '.', 'a b', 17, undefined, 'x'.repeat(250)])
      expect(refused({ topic })).to.contain('topic:')
    expect(() => readMessage(null as unknown as Message, 1)).to.throw('message: received null')
  })

  it('takes its bytes as they are at the call: the caller may use its buffers again', () => {
    const key = Buffer.from('key')
    const value = Buffer.from('value')
    const read = readMessage({ topic: 'entries', key, value }, 1)
    const encoded = encodeValue(value, undefined)
    key.fill(0)
    value.fill(0)
    expect([read.key?.toString(), encoded?.toString()]).to.deep.equal(['key', 'value'])
  })

  it('takes headers as text or UTF-8 bytes, several of one name, in order', () => {
    const { headers, headersBytes } = readMessage(
      { ...GOOD, headers: { b: ['1', Buffer.from('ü')], a: '', 1: 'x' } },
      1,
    )
    expect(headers).to.deep.equal([{ 1: 'x' }, { b: '1' }, { b: 'ü' }, { a: '' }])
    expect(headersBytes).to.equal(2 + 2 + 3 + 1)
    expect(readMessage({ ...GOOD, headers: { bom: Buffer.from('\ufeffx') } }, 1).headers).to.deep.equal([
      { bom: '\ufeffx' },
    ])
  })

  it('refuses headers that the client would change on the way', () => {
    for (const value of [Buffer.from([0xff]), 'a\0b', Buffer.from([0]), '\udc00', null, 17, {}, [null]]) {
      expect(refused({ headers: { h: value } })).to.contain('headers["h"]')
    }
    for (const name of ['', 'a\0b', '\ud800']) expect(refused({ headers: { [name]: 'v' } })).to.contain('headers')
    for (const headers of [[], 'x', null]) expect(refused({ headers })).to.contain('headers')
  })

  it('refuses a header that its readers would take for a prototype', () => {
    expect(refused({ headers: JSON.parse('{"__proto__":"x"}') })).to.contain('headers: received "__proto__"')
    expect(refused({ headers: { constructor: 'x', toString: 'y' } })).to.equal('taken')
  })

  it('drops the stamp of a message that is forwarded: it gets its own', () => {
    expect(readMessage({ ...GOOD, headers: { tandem: '1:d:x:1:1:1:1:1', a: 'b' } }, 1).headers).to.deep.equal([
      { a: 'b' },
    ])
    expect(refused({ headers: { tandem: Buffer.from([0xff]) } })).to.equal('taken')
  })

  it('takes timestamps from 1, and the time of the call without one', () => {
    expect(readMessage(GOOD, 1_234.5).timestampMs).to.equal(1_234)
    expect(readMessage({ ...GOOD, timestampMs: 7 }, 1).timestampMs).to.equal(7)
    for (const timestampMs of [0, -1, 1.5, '7', Number.NaN, 2 ** 53]) {
      expect(refused({ timestampMs })).to.contain('timestampMs')
    }
  })

  it('takes bytes, text and null for a value without a codec, and nothing else', () => {
    expect(encodeValue('é', undefined)).to.deep.equal(Buffer.from('é'))
    expect(encodeValue(null, undefined)).to.equal(null)
    expect(encodeValue(new Uint8Array(0), undefined)).to.have.length(0)
    for (const value of [undefined, 17, {}, '\ud800']) {
      expect(() => encodeValue(value, undefined)).to.throw('value: received')
    }
  })

  it('gives values to the codec, and names the codec that failed', async () => {
    expect(String(encodeValue({ a: 1 }, json))).to.equal('{"a":1}')
    const codec = (encode: Codec<unknown>['encode']): Codec<unknown> => ({ name: 'mine', encode, decode: () => 0 })
    const thrown = codec(() => {
      throw new Error('no schema')
    })
    expect(() => encodeValue(1, thrown)).to.throw('codec mine failed: no schema')
    expect(() =>
      encodeValue(
        1,
        codec(() => 'text' as unknown as Uint8Array),
      ),
    ).to.throw('codec mine gave "text"')
    for (const late of [
      codec(() => Promise.reject(new Error('no schema'))),
      codec(() => Promise.resolve(1 as unknown as Uint8Array)),
    ]) {
      const error: unknown = await Promise.resolve(encodeValue(1, late)).catch((reason: unknown) => reason)
      expect(isTandemError(error, 'TANDEM_CODEC_FAILED')).to.equal(true)
    }
  })
})
