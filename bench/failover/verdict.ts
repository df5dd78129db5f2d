/** What a kill did to a consumer, judged by the numbers in payloads alone. */
import { NumberSet } from '@tandem/cli/internal'

import type { Sighting } from './sightings.js'

export interface Evidence {
  readonly acknowledged: readonly Sighting[]
  /** In the order in which the consumer took them. */
  readonly taken: readonly Sighting[]
  /** What the log of the cluster that is left holds. */
  readonly left: NumberSet
  readonly killedAtMs: number
}

export interface Verdict {
  /** Acknowledged and never taken. */
  readonly lost: number
  /** Of these, how many the cluster that is left holds: the consumer began behind them. */
  readonly skipped: number
  /** Taken beyond the first time. */
  readonly duplicated: number
  /** The longest time without a message that was new, from the kill on. */
  readonly pauseMs: number
}

export function judge({ acknowledged, taken, left, killedAtMs }: Evidence): Verdict {
  const { fresh, repeated } = sortOut(taken)
  const numbers = new NumberSet()
  for (const { number } of fresh) numbers.add(number)
  const lost = acknowledged.filter(({ number }) => !numbers.has(number))
  return {
    lost: lost.length,
    skipped: lost.filter(({ number }) => left.has(number)).length,
    duplicated: repeated.length,
    pauseMs: longestPause(fresh, killedAtMs),
  }
}

/** What was taken for the first time, and what again. */
export function sortOut(taken: readonly Sighting[]): { readonly fresh: Sighting[]; readonly repeated: Sighting[] } {
  const numbers = new NumberSet()
  const fresh: Sighting[] = []
  const repeated: Sighting[] = []
  for (const sighting of taken) (numbers.add(sighting.number) ? fresh : repeated).push(sighting)
  return { fresh, repeated }
}

/** @throws if nothing new came after the kill: then there was no end of the pause. */
function longestPause(fresh: readonly Sighting[], killedAtMs: number): number {
  const first = fresh.findIndex(({ atMs }) => atMs > killedAtMs)
  if (first < 1) throw new Error('nothing new was taken before the kill, or nothing after it')
  let longest = 0
  for (let index = first; index < fresh.length; index++) {
    longest = Math.max(longest, fresh[index]!.atMs - fresh[index - 1]!.atMs)
  }
  return longest
}
