import { availableParallelism } from 'node:os'

import { runJudged, WrongUsage, type Terminal } from '@tandem/cli/internal'

import { hunt, type Catch } from './hunt.js'
import type { Mutant } from './mutant.js'

/**
 * `npm run simulate:mutants`: puts each bug in and looks for the seed that finds it. Exit status 0 if all were caught,
 * 1 if one was not or no longer applies, 2 for usage.
 */
export function runCommand(
  args: readonly string[],
  mutants: readonly Mutant[],
  { out, err }: Terminal,
  seedsMax = SEEDS_MAX,
): Promise<number> {
  const command = { name: 'simulate:mutants', usage: USAGE, options: ['only'] }
  return runJudged(command, args, { out, err }, async ({ only }) => {
    const chosen = mutants.filter(({ name }) => only === undefined || name === only)
    if (chosen.length === 0)
      throw new WrongUsage(`--only ${only}: there are ${mutants.map(({ name }) => name).join(', ')}`)
    const caught = new Map<Mutant, Catch>()
    let applied = true
    const waiting = [...chosen]
    const work = async (): Promise<void> => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        try {
          const found = await hunt(mutant, seedsMax)
          if (found !== undefined) caught.set(mutant, found)
          out(line(mutant, found === undefined ? `SURVIVED ${seedsMax} seeds` : `seed ${found.seed}, ${found.checker}`))
        } catch (error) {
          applied = false
          out(line(mutant, `DOES NOT APPLY: ${error instanceof Error ? error.message : String(error)}`))
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(availableParallelism(), chosen.length) }, work))
    out(`${caught.size} of ${chosen.length} caught\n`)
    const list = chosen.map((mutant) => {
      const { name, scenario } = mutant
      return { name, scenario, seed: caught.get(mutant)?.seed ?? null, checker: caught.get(mutant)?.checker ?? null }
    })
    return {
      good: applied && caught.size === chosen.length,
      figures: { mutants: chosen.length, caught: caught.size, list },
    }
  })
}

function line({ name, scenario }: Mutant, what: string): string {
  return `${name.padEnd(30)} ${scenario.padEnd(20)} ${what}\n`
}

const SEEDS_MAX = 10_000
const USAGE = `Usage: npm run simulate:mutants -- [--only NAME] [--json]

  --only NAME   one mutant
  --json        the last line of standard output is one JSON object
  --help        this text

Exit status: 0 all were caught, 1 one was not or no longer applies, 2 usage.
`
