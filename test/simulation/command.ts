import { runJudged, whole, type Given, type Terminal } from '@tandem/cli/internal'

import { drawPlan } from './draw-plan.js'
import type { Plan } from './plan.js'
import { play } from './play.js'
import { simulateSeeds } from './seeds.js'
import { shrink } from './shrink.js'
import { judge, simulate } from './simulate.js'
import { story } from './story.js'

/**
 * `npm run simulate`: many schedules, each judged by the promises; the first that break one are told as short stories.
 * Exit status 0 if none did, 1 if one did, 2 for usage.
 */
export function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const { out } = terminal
  const command = { name: 'simulate', usage: USAGE, options: ['seed', 'seeds', 'minutes'] }
  return runJudged(command, args, terminal, async (given, seconds) => {
    const { from, count, minutes } = range(given)
    const untilMs = performance.now() + minutes * 60_000
    const sum = await simulateSeeds({ from, count }, () => performance.now() >= untilMs)
    const simulatedHours = Math.round((sum.simulatedMs / 3_600_000) * 10) / 10
    const schedulesPerSecond = Math.round((sum.seeds / seconds()) * 10) / 10
    for (const [kind, times] of Object.entries(sum.faults)) out(`${String(times).padStart(10)}  ${kind}\n`)
    for (const { seed, sentences } of sum.violated) out(`VIOLATED by seed ${seed}: ${sentences[0]}\n`)
    for (const { seed } of sum.violated.slice(0, STORIES_MAX)) out(`\n${await shortStory(seed)}\n\n`)
    out(
      `seeds ${from} to ${from + sum.seeds - 1}: ${sum.violated.length} violated; ${simulatedHours} simulated hours, ` +
        `${sum.deliveries} deliveries, ${schedulesPerSecond} schedules/s, digest ${sum.digest}\n`,
    )
    return {
      good: sum.violated.length === 0,
      figures: {
        seeds: sum.seeds,
        violations: sum.violated.length,
        simulatedHours,
        schedulesPerSecond,
        deliveries: sum.deliveries,
        faults: sum.faults,
        digest: sum.digest,
      },
    }
  })
}

/** The smallest schedule found in which the seed's violation still shows, played and told. */
async function shortStory(seed: number): Promise<string> {
  const promisesOf = async (plan: Plan): Promise<Set<string>> => {
    return new Set((await simulate(plan)).violations.map(({ promise }) => promise))
  }
  const plan = drawPlan(seed)
  const broken = await promisesOf(plan)
  if (broken.size === 0) return `seed ${seed} cannot be shrunk: it threw an exception`
  const shows = async (one: Plan): Promise<boolean> => {
    return [...(await promisesOf(one))].some((promise) => broken.has(promise))
  }
  const small = await shrink(plan, shows, SHRINK_RUNS_MAX)
  const played = await play(small)
  const sentences = judge(played.history).map(({ promise, sentence }) => `${promise}: ${sentence}`)
  return (
    [`seed ${seed}, shrunk from ${plan.steps.length} steps to ${small.steps.length}:`, ...sentences].join('\n') +
    `\n${story(small, played)}`
  )
}

function range({ seed, seeds, minutes }: Given): { from: number; count: number; minutes: number } {
  const from = whole('seed', seed, { min: 0, max: 2 ** 32 - 1 }) ?? 1
  const limit = whole('minutes', minutes, { min: 1, max: 10_080 })
  const count = whole('seeds', seeds, { min: 1, max: 100_000_000 })
  const otherwise = limit !== undefined ? Infinity : seed !== undefined ? 1 : SEEDS
  return { from, count: count ?? otherwise, minutes: limit ?? Infinity }
}

const SEEDS = 1_000
const STORIES_MAX = 3
const SHRINK_RUNS_MAX = 500
const USAGE = `Usage: npm run simulate -- [--seed S] [--seeds N] [--minutes M] [--json]

  --seed S      the first seed; default 1
  --seeds N     how many, from there on; default 1 with --seed, without a limit with --minutes, else ${SEEDS}
  --minutes M   begin no schedule after so many minutes
  --json        the last line of standard output is one JSON object
  --help        this text

Exit status: 0 no promise was broken, 1 one was, 2 usage.
`
