import { readFileSync } from 'node:fs'

import { expect } from 'chai'

import { murmur2, toPositive } from './murmur2.js'

interface Vector {
  readonly key: string
  readonly hash: number
  readonly positive: number
  readonly note: string
}

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../test/vectors/murmur2.json', import.meta.url), 'utf8'),
) as { vectors: Vector[] }

describe('murmur2', () => {
  it('has vectors of every length modulo 4, with and without the sign bit, in the bytes and in the hash', () => {
    const lengths = vectors.map(({ key }) => key.length / 2)
    for (let length = 0; length <= 9; length++) expect(lengths).to.include(length)
    expect(vectors.some(({ key }) => key.includes('ff'))).to.equal(true)
    expect(vectors.map(({ hash }) => hash)).to.include.members([0, -1, -(2 ** 31), 2 ** 31 - 1])
  })

  for (const { key, hash, positive, note } of vectors) {
    it(`agrees with Kafka: ${note}`, () => {
      const bytes = Buffer.from(key, 'hex')
      expect(murmur2(bytes)).to.equal(hash)
      expect(murmur2(Uint8Array.from(bytes))).to.equal(hash)
      expect(toPositive(hash)).to.equal(positive)
    })
  }

  it('holds the cases that Kafka publishes in UtilsTest.testMurmur2', () => {
    const published: readonly [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
    ]
    for (const [text, hash] of published) expect(murmur2(Buffer.from(text)), text).to.equal(hash)
  })

  it('reads a view at its own offset', () => {
    const around = Buffer.from('xxfoobarxx')
    expect(murmur2(around.subarray(2, 8))).to.equal(-790332482)
  })
})
