import { inspect } from 'node:util'

import { commit, runJudged, whole, WrongUsage, type Terminal } from '@tandem/cli/internal'

import { changesOf } from './against.js'
import { thisMachine } from './machine.js'
import { reportOf, textOf } from './report.js'
import { keepResult, readResult } from './result-files.js'
import { playRounds } from './rounds.js'
import type { Figures, Suite } from './suite.js'

/**
 * `npm run bench`: measures a suite, a line per subject and round; with `--json` the last line is one JSON object. What
 * is whole goes to a file of its own, too, there with timelines, which are long. Returns the exit status: 0 if the run is whole, 1 if a subject failed, 2 for
 * usage.
 */
export function runBench(
  args: readonly string[],
  suites: readonly Suite[],
  resultsFolder: string,
  terminal: Terminal,
): Promise<number> {
  const [named, ...behind] = args
  const isNamed = named !== undefined && !named.startsWith('-')
  const command = { name: 'bench', usage: usage(suites), options: ['against', 'rounds', 'only'], flags: ['quick'] }
  const { out } = terminal
  return runJudged(command, isNamed ? behind : args, terminal, async (given, seconds, flags) => {
    const { against } = given
    const earlier = against === undefined ? undefined : readResult(against)
    const wanted = isNamed ? named : earlier?.suite
    const suite = suites.find(({ name }) => name === wanted)
    if (suite === undefined)
      throw new WrongUsage(wanted === undefined ? 'no suite is named' : `there is no suite ${wanted}`)
    if (earlier !== undefined && earlier.suite !== suite.name) {
      throw new WrongUsage(
        `--against ${against}: received a result of the suite ${earlier.suite}, allowed is one of ${suite.name}`,
      )
    }
    const quick = flags.has('quick')
    const rounds = whole('rounds', given['rounds'], { min: 1, max: ROUNDS_MAX }) ?? suite.rounds(quick)
    const subjects = choose(suite.subjects(quick), given['only'])
    const figures = { suite: suite.name, quick, machine: thisMachine(), rounds }
    try {
      await using stage = await suite.open(quick)
      const width = Math.max(...subjects.map(({ length }) => length))
      const measured = await playRounds(
        { subjects, rounds },
        (subject) => stage.measure(subject),
        (round, subject, given) => out(`${round + 1}/${rounds} ${subject.padEnd(width)} ${told(given)}\n`),
      )
      const report = reportOf(measured, suite.comparisons)
      out(textOf(report))
      const changes = earlier === undefined ? undefined : changesOf(earlier.ratios, report.ratios)
      for (const { name, before, now, verdict } of changes ?? []) {
        out(`${name}: ${before} before, ${now} now, ${verdict}\n`)
      }
      if (changes?.length === 0) out(`nothing to compare: ${against} has none of these ratios\n`)
      const whole = { ...figures, versions: stage.versions, ...report, ...(changes && { against, changes }) }
      const timelines = stage.timelines?.()
      const kept = { ...whole, ...(timelines && { timelines }), commit: await commit(), seconds: seconds() }
      out(`${keepResult(resultsFolder, kept)}\n`)
      return { good: true, figures: whole }
    } catch (error) {
      out(`BROKEN ${inspect(error)}\n`)
      return { good: false, figures: { ...figures, broken: String(error) } }
    }
  })
}

/** All subjects, or those that were asked for. */
function choose(all: readonly string[], only: string | undefined): readonly string[] {
  if (only === undefined) return all
  const names = only.split(',').map((name) => name.trim())
  const unknown = names.filter((name) => !all.includes(name))
  if (unknown.length === 0) return all.filter((name) => names.includes(name))
  throw new WrongUsage(`--only: there is no subject ${unknown.join(', ')}; there are ${all.join(', ')}`)
}

function told(figures: Figures): string {
  return Object.entries(figures)
    .map(([unit, value]) => `${Math.round(value * 10) / 10} ${unit}`)
    .join(', ')
}

function usage(suites: readonly Suite[]): string {
  return `Usage: npm run bench -- <suite> [--quick] [--against FILE] [--rounds N] [--only NAMES] [--json]
       npm run bench -- --against FILE          the suite is that of the file

${suites.map(({ name, about }) => `  ${name.padEnd(10)} ${about}\n`).join('')}
  --quick    fewer subjects and rounds, at most 20 minutes
  --against  what an earlier run wrote to bench/results: ratios are compared with its ratios
  --rounds   1 to ${ROUNDS_MAX}; how often each subject is measured
  --only     names of subjects, with commas between them
  --json     the last line of standard output is one JSON object
  --help     this text

Exit status: 0 everything was measured, whatever came of it, 1 something was not, 2 usage.
`
}

const ROUNDS_MAX = 1_000
