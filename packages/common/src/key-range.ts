import { murmur2, toPositive } from './murmur2.js'

/**
 * The key range of a key: one of `keyRanges` equal slices of the key-hash space.
 *
 * @param keyRanges a multiple of the topic's partition count, 1 … 2^31 - 1; checked where options are read.
 * @see protocol.md, Numbering
 */
export function keyRangeOf(key: Uint8Array, keyRanges: number): number {
  return toPositive(murmur2(key)) % keyRanges
}

/** The partition of a key range. Since `keyRanges` is a multiple of `partitions`, it is the one Kafka picks for the key. */
export function partitionOf(keyRange: number, partitions: number): number {
  return keyRange % partitions
}
