import { keyRangeOf, murmur2, partitionOf, toPositive } from '@tandem/common/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import { target } from './target.js'

const key = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.nat({ max: 100_000 }).map((length) => new Uint8Array(length).fill(0xff)),
)

export const KEYS = [
  target(
    'key: key range and partition are in range',
    8,
    fc.property(
      key,
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 1, max: 2_000 }),
      (one, partitions, times) => {
        const keyRanges = partitions * times
        const hash = murmur2(one)
        expect(hash).to.equal(hash | 0)
        const keyRange = keyRangeOf(one, keyRanges)
        expect(keyRange).to.be.within(0, keyRanges - 1)
        // The partition that every other client of Kafka picks, however many key ranges there are.
        expect(partitionOf(keyRange, partitions)).to.equal(toPositive(hash) % partitions)
      },
    ),
  ),
]
