import { readFileSync } from 'node:fs'

import { expect } from 'chai'

import { isTandemError, type TandemError } from './errors.js'
import { decodeFrame, encodeFrame, FRAME_MESSAGES_MAX, type FramedMessage } from './frame.js'

interface Written {
  readonly key: string | null
  readonly value: string | null
  readonly timestampMs: number
  readonly headers: readonly (readonly [name: string, text: string])[]
}

interface Vectors {
  readonly messagesMax: number
  readonly valid: readonly { note: string; hex: string; messages: readonly Written[]; later?: true }[]
  readonly malformed: readonly { note: string; field: string; count: number; hex: string }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/frame.json', import.meta.url), 'utf8'),
) as Vectors

function read({ key, value, timestampMs, headers }: Written): FramedMessage {
  const bytes = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, 'hex'))
  return {
    key: bytes(key),
    value: bytes(value),
    timestampMs,
    headers: headers.map(([name, text]) => ({ [name]: text })),
  }
}

function refusal(bytes: Uint8Array | null, count: number): TandemError {
  try {
    decodeFrame(bytes, count)
  } catch (error) {
    if (isTandemError(error, 'TANDEM_FRAME_MALFORMED')) return error
    throw error
  }
  throw new Error('decoded, although it is malformed')
}

describe('frame', () => {
  it('holds as many messages as the vectors say', () => {
    expect(FRAME_MESSAGES_MAX).to.equal(vectors.messagesMax)
    const messages = Array.from({ length: FRAME_MESSAGES_MAX }, () => read({ ...SMALL, headers: [] }))
    expect(decodeFrame(encodeFrame(messages), FRAME_MESSAGES_MAX)).to.have.length(FRAME_MESSAGES_MAX)
    const more = encodeFrame([...messages, messages[0]!])
    expect(refusal(more, FRAME_MESSAGES_MAX + 1).details).to.include({ field: 'count' })
  })

  for (const { note, hex, messages, later } of vectors.valid) {
    it(`decodes ${note}`, () => {
      const bytes = Buffer.from(hex, 'hex')
      expect(decodeFrame(bytes, messages.length)).to.deep.equal(messages.map(read))
      if (later !== true) expect(Buffer.from(encodeFrame(messages.map(read))).toString('hex')).to.equal(hex)
    })
  }

  for (const { note, field, count, hex } of vectors.malformed) {
    it(`refuses ${field}: ${note}`, () => {
      const error = refusal(Buffer.from(hex, 'hex'), count)
      expect(error.details['field']).to.equal(field)
      expect(error.message).to.include(`its ${field} must be ${String(error.details['expected'])}`)
    })
  }

  it('refuses a record without a value', () => {
    expect(refusal(null, 1).details).to.include({ field: 'value', received: 'null' })
  })

  it('gives messages that share its bytes', () => {
    const bytes = Buffer.from(encodeFrame([read(SMALL)]))
    const [message] = decodeFrame(bytes, 1)
    expect(message!.value!.buffer).to.equal(bytes.buffer)
  })

  it('keeps a header whatever its name', () => {
    const headers = [Object.fromEntries([['__proto__', 'x']]), { constructor: 'y' }] as FramedMessage['headers']
    const [message] = decodeFrame(encodeFrame([{ ...read(SMALL), headers }]), 1)
    expect(message!.headers.map((header) => Object.entries(header))).to.deep.equal([
      [['__proto__', 'x']],
      [['constructor', 'y']],
    ])
  })

  it('survives any single byte in any place', () => {
    const bytes = Buffer.from(encodeFrame([read(SMALL), read({ ...SMALL, headers: [] })]))
    for (let at = 0; at < bytes.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const damaged = Buffer.from(bytes)
        damaged[at] = byte
        try {
          expect(decodeFrame(damaged, 2)).to.have.length(2)
        } catch (error) {
          if (!isTandemError(error, 'TANDEM_FRAME_MALFORMED')) throw error
        }
      }
    }
  })
})

const SMALL: Written = { key: '6b', value: '76', timestampMs: 1_732_290_000_000, headers: [['h', 'x']] }
