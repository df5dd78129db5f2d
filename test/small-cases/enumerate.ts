import type { FeedIndex } from '@tandem/consumer/internal'

/** Every log of at most `length` entries of this alphabet, the empty one first. */
export function logsUpTo<E>(length: number, alphabet: readonly E[]): E[][] {
  const logs: E[][] = [[]]
  let longest: E[][] = [[]]
  for (let i = 0; i < length; i++) {
    longest = longest.flatMap((log) => alphabet.map((entry) => [...log, entry]))
    logs.push(...longest)
  }
  return logs
}

/** Every order in which the records of two feeds can come: 0 for east, 1 for west. */
export function interleavings(east: number, west: number): FeedIndex[][] {
  if (east === 0) return [new Array<FeedIndex>(west).fill(1)]
  if (west === 0) return [new Array<FeedIndex>(east).fill(0)]
  return [
    ...interleavings(east - 1, west).map((rest): FeedIndex[] => [0, ...rest]),
    ...interleavings(east, west - 1).map((rest): FeedIndex[] => [1, ...rest]),
  ]
}

/** Short clocks: what matters is which comes first. */
export const ARBITER_OPTIONS = {
  topic: 't',
  partition: 0,
  clusters: ['east', 'west'],
  gapTimeoutMs: 500,
  holeTimeoutMs: 6_000,
  feedAwayAfterMs: 10_000,
  heldMessagesMax: 1_000,
  heldBytesMax: 1_000_000,
  from: 'earliest',
} as const

/** Longer than everything that is ever waited for. */
export const SILENCE_MS = 7_000
