/**
 * Kafka's key hash: murmur2 with the seed of `org.apache.kafka.common.utils.Utils.murmur2`.
 *
 * The partition of a key must be the one that every other Kafka client picks, so this is held to vectors made with
 * Kafka's own jar (`test/vectors/murmur2.json`).
 *
 * @returns a signed 32-bit integer, as Java's.
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const whole = length - (length % 4)
  let hash = SEED ^ length
  for (let i = 0; i < whole; i += 4) {
    let word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    word = Math.imul(word, M)
    word = Math.imul(word ^ (word >>> R), M)
    hash = Math.imul(hash, M) ^ word
  }
  const rest = length - whole
  if (rest > 0) {
    if (rest > 2) hash ^= bytes[whole + 2]! << 16
    if (rest > 1) hash ^= bytes[whole + 1]! << 8
    hash = Math.imul(hash ^ bytes[whole]!, M)
  }
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/** Kafka's `Utils.toPositive`: clears the sign bit. Not the absolute value: -1 becomes 2147483647. */
export function toPositive(n: number): number {
  return n & 0x7fffffff
}

/** The three constants of murmur2 as Kafka fixes them; another seed would move every key. */
const SEED = 0x9747b28c | 0
const M = 0x5bd1e995
const R = 24
