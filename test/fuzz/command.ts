import { runJudged, whole, type Terminal } from '@tandem/cli/internal'

import { runTargets } from './run-targets.js'
import type { Target } from './target.js'
import { TARGETS } from './targets.js'

/**
 * `npm run fuzz`: hostile input for everything that takes any. A target that fails is told with the shortest input that
 * was found; the seed repeats it.
 */
export function runCommand(
  args: readonly string[],
  terminal: Terminal,
  targets: readonly Target[] = TARGETS,
): Promise<number> {
  const { out } = terminal
  return runJudged(
    { name: 'fuzz', usage: USAGE, options: ['runs', 'seed'] },
    args,
    terminal,
    async (given, seconds) => {
      const runs = whole('runs', given['runs'], { min: 1, max: 1_000_000_000 }) ?? RUNS
      const seed = whole('seed', given['seed'], { min: 0, max: SEED_MAX }) ?? Math.floor(Math.random() * SEED_MAX)
      out(`seed ${seed}\n`)
      const width = Math.max(...targets.map(({ name }) => name.length))
      const all = await runTargets(targets, { runs, seed }, ({ name, runs: own, ms, failure }) => {
        const told = `${name.padEnd(width)} ${String(own).padStart(9)} inputs ${String(ms).padStart(7)} ms\n`
        out(
          failure === undefined
            ? `passed ${told}`
            : `FAILED ${told}${failure}\nagain with --runs ${runs} --seed ${seed}\n`,
        )
      })
      const cases = all.reduce((sum, run) => sum + run.runs, 0)
      const failed = all.filter(({ failure }) => failure !== undefined).length
      out(`${cases} inputs for ${all.length} targets, ${failed} of which failed, ${seconds()} s\n`)
      return { good: failed === 0 && cases > 0, figures: { cases, failed } }
    },
  )
}

const RUNS = 1_000_000
const SEED_MAX = 0x7fffffff

const USAGE = `Usage: npm run fuzz -- [--runs N] [--seed S] [--json]

  --runs N   inputs in all, divided among the targets by their weights; default ${RUNS}
  --seed S   0 to ${SEED_MAX}; drawn and told if left out
  --json     the last line of standard output is one JSON object
  --help     this text

Exit status: 0 nothing was found, 1 something was, 2 usage.
`
