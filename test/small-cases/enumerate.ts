import type { FeedIndex } from '@tandem/consumer/internal'

/** Every row of at most `length` of these, the empty one first. */
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
export function interleavings(east: number, west: number): readonly (readonly FeedIndex[])[] {
  const known = KNOWN.get(east * 100 + west)
  if (known !== undefined) return known
  const found: (readonly FeedIndex[])[] = []
  if (east === 0 && west === 0) found.push([])
  if (east > 0) for (const rest of interleavings(east - 1, west)) found.push([0, ...rest])
  if (west > 0) for (const rest of interleavings(east, west - 1)) found.push([1, ...rest])
  KNOWN.set(east * 100 + west, found)
  return found
}

const KNOWN = new Map<number, readonly (readonly FeedIndex[])[]>()
