import { SeedsProcess, type PortionResult } from '../seeds.js'
import { BuildCopy } from './build-copy.js'
import type { Mutant } from './mutant.js'

/** How a mutant was caught. */
export interface Catch {
  readonly seed: number
  /** The promise whose checker complained. */
  readonly checker: string
}

/**
 * Looks for a seed that breaks a promise with the mutant and none without it: the one that found it last, then from 1 on
 * up to `seedsMax`. An exception or a process that does not answer is no catch.
 *
 * @throws Error if an edit does not apply.
 */
export async function hunt({ edits, seed: likely }: Mutant, seedsMax: number): Promise<Catch | undefined> {
  const copy = await BuildCopy.make()
  try {
    await copy.apply(edits)
    for await (const { seed, checker } of broken(copy.seedsProcess, likely, seedsMax)) {
      if (await isClean(seed)) return { seed, checker }
    }
    return undefined
  } finally {
    await copy.remove()
  }
}

async function* broken(module: string, likely: number | undefined, seedsMax: number): AsyncGenerator<Catch> {
  let seeds = new SeedsProcess(module)
  try {
    for (const seed of toTry(likely, seedsMax)) {
      // One by one: the first that is caught ends it, and one that hangs costs itself alone.
      const result = await within(seeds.simulate({ from: seed, count: 1 }), SEED_MS_MAX)
      if (result === undefined) {
        seeds.end()
        seeds = new SeedsProcess(module)
        continue
      }
      const checker = promiseOf(result[0]!)
      if (checker !== undefined) yield { seed, checker }
    }
  } finally {
    seeds.end()
  }
}

function* toTry(likely: number | undefined, seedsMax: number): Generator<number> {
  if (likely !== undefined) yield likely
  for (let seed = 1; seed <= seedsMax; seed++) yield seed
}

/** Whether nothing is complained of the seed on the build as it is. */
async function isClean(seed: number): Promise<boolean> {
  const seeds = new SeedsProcess()
  try {
    const [result] = await seeds.simulate({ from: seed, count: 1 })
    return !('thrown' in result!) && result!.violations.length === 0
  } finally {
    seeds.end()
  }
}

function promiseOf(result: PortionResult[number]): string | undefined {
  return 'thrown' in result ? undefined : result.violations[0]?.promise
}

/** Undefined if it failed or took longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, ms, undefined)))
  try {
    return await Promise.race([promise.catch(() => undefined), timeout])
  } finally {
    clearTimeout(timer)
  }
}

const SEED_MS_MAX = 60_000
