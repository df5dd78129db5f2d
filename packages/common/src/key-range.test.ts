import { readFileSync } from 'node:fs'

import { expect } from 'chai'

import { keyRangeOf, partitionOf } from './key-range.js'

interface Vector {
  readonly key: string
  readonly keyRanges: number
  readonly partitions: number
  readonly keyRange: number
  readonly partition: number
}

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../test/vectors/key-range.json', import.meta.url), 'utf8'),
) as { vectors: Vector[] }

describe('key range', () => {
  it('has vectors with more key ranges than partitions', () => {
    expect(vectors.filter(({ keyRanges, partitions }) => keyRanges > partitions && partitions > 1)).to.not.be.empty
  })

  for (const { key, keyRanges, partitions, keyRange, partition } of vectors) {
    it(`is ${keyRange} of ${keyRanges} for ${key || 'the empty key'}, in partition ${partition} of ${partitions}`, () => {
      expect(keyRanges % partitions).to.equal(0)
      expect(keyRangeOf(Buffer.from(key, 'hex'), keyRanges)).to.equal(keyRange)
      expect(partitionOf(keyRange, partitions)).to.equal(partition)
    })
  }
})
