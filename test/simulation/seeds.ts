import { createHash } from 'node:crypto'
import { fork, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

import { FAULTS, type FaultKind } from './plan.js'
import type { Simulated } from './simulate.js'

/** What many seeds came to. */
export interface Sum {
  readonly seeds: number
  /** Those of which something was complained, in order. */
  readonly violated: readonly { readonly seed: number; readonly sentences: readonly string[] }[]
  readonly simulatedMs: number
  readonly deliveries: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Hash of the digests of all seeds in their order. */
  readonly digest: string
}

/** What a process is asked, and what it answers (seeds-process.ts). */
export interface Portion {
  readonly from: number
  readonly count: number
}
export type PortionResult = readonly (Simulated | { readonly thrown: string })[]

/**
 * Simulates the seeds from `from` on, in as many processes as the machine has cores: `count` of them, or until `isOver`
 * says so. The sum does not depend on how many processes there are.
 */
export async function simulateSeeds(
  { from, count }: { readonly from: number; readonly count: number },
  isOver: () => boolean = () => false,
): Promise<Sum> {
  const results: PortionResult[] = []
  let next = from
  let portions = 0
  const work = async (): Promise<void> => {
    const seeds = new SeedsProcess()
    try {
      while (next < from + count && !isOver()) {
        const portion = { from: next, count: Math.min(PORTION, from + count - next) }
        next += portion.count
        const index = portions++
        results[index] = await seeds.simulate(portion)
      }
    } finally {
      seeds.end()
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), Math.ceil(count / PORTION)) }, work))
  return sumOf(from, results.flat())
}

/** Simulates in a process of its own. */
export class SeedsProcess {
  readonly #child: ChildProcess

  /** @param module of another build than this one. */
  constructor(module = fileURLToPath(new URL('./seeds-process.js', import.meta.url))) {
    this.#child = fork(module, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: V8_OPTIONS })
  }

  /** One portion at a time. Rejects if the process ends meanwhile. */
  simulate(portion: Portion): Promise<PortionResult> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error(`the process of the seeds from ${portion.from} on ended`))
      this.#child.once('exit', gone)
      this.#child.once('message', (result: PortionResult) => {
        this.#child.off('exit', gone)
        resolve(result)
      })
      this.#child.send(portion)
    })
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }
}

function sumOf(from: number, results: PortionResult): Sum {
  const faults = Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  const violated: { seed: number; sentences: string[] }[] = []
  const hash = createHash('sha256')
  let simulatedMs = 0
  let deliveries = 0
  for (const [index, result] of results.entries()) {
    const seed = from + index
    if ('thrown' in result) {
      violated.push({ seed, sentences: [`exception: ${result.thrown}`] })
      hash.update(`${seed} ${result.thrown}\n`)
      continue
    }
    for (const kind of FAULTS) faults[kind] += result.faults[kind]
    simulatedMs += result.simulatedMs
    deliveries += result.deliveries
    hash.update(`${seed} ${result.digest}\n`)
    if (result.violations.length > 0) {
      violated.push({ seed, sentences: result.violations.map(({ promise, sentence }) => `${promise}: ${sentence}`) })
    }
  }
  const digest = hash.digest('hex').slice(0, 16)
  return { seeds: results.length, violated, simulatedMs, deliveries, faults, digest }
}

/**
 * What one event leaves behind is garbage by the next: with room for it a schedule takes a tenth less. There are as many
 * processes as processors: what V8 would do in threads aside, it does sooner itself, which takes another tenth less.
 */
const V8_OPTIONS = ['--max-semi-space-size=32', '--single-threaded']
/** Seeds that a process is given at once. */
const PORTION = 10
