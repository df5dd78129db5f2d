import { getHeapStatistics } from 'node:v8'

import fc from 'fast-check'

/** Something that is fed with hostile input, and what must hold whatever the input. */
export interface Target {
  readonly name: string
  /** Which part of all runs it gets, in relation to the others: what is quick and open to anybody gets many. */
  readonly weight: number
  check(parameters: { readonly numRuns: number; readonly seed: number }): Promise<Checked>
}

export interface Checked {
  readonly runs: number
  /** Why it failed, with the shortest input found; undefined if it did not. */
  readonly failure: string | undefined
}

export function target<T>(name: string, weight: number, property: fc.IRawProperty<T>): Target {
  return {
    name,
    weight,
    check: async (parameters) => {
      const { failed, numRuns, counterexample, errorInstance } = await fc.check(property, parameters)
      if (!failed) return { runs: numRuns, failure: undefined }
      const reason = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance)
      const input = fc.stringify(counterexample)
      return { runs: numRuns, failure: `shortest input: ${input.slice(0, INPUT_CHARACTERS_MAX)}\n${reason}` }
    },
  }
}

/**
 * Does it, and fails if the memory that is in use has grown by more than `bytesMax` meanwhile: coarse, since garbage
 * counts, but what allocates for each counter of 2^53 is found, and what allocates for each of a million too.
 */
export function within<T>(bytesMax: number, act: () => T): T {
  const before = used()
  const result = act()
  const grown = used() - before
  if (grown > bytesMax) throw new Error(`it took ${grown} bytes of memory; allowed are ${bytesMax}`)
  return result
}

/** For a handful of small objects and what the machine around them leaves lying. */
export const SMALL_BYTES = 4 << 20

function used(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

const INPUT_CHARACTERS_MAX = 4_000
