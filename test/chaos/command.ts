import { randomInt } from 'node:crypto'
import { inspect, parseArgs } from 'node:util'

import { runJudged, WrongUsage, type Given, type Terminal } from '@tandem/cli/internal'

import { Prng } from '../simulation/prng.js'
import type { Backlog } from './backlog-stage.js'
import type { Flood } from './flood-stage.js'
import { mix } from './mix.js'
import type { Scenario } from './stage.js'
import type { Figures, Verdict } from './verdict.js'

/** What can be asked for by name. */
export type Played = Scenario | Flood | Backlog

/** Plays one scenario and says what comes of it. */
export type Play = (scenario: Played, say: (text: string) => void) => Promise<Verdict>

/** What the JSON object says of a scenario that did not come to its verdict: a server or a program failed. */
interface Broken {
  readonly name: string
  readonly broken: string
}

/**
 * `npm run chaos`: plays scenarios on real clusters, a line for each thing that is done and one for each verdict; with
 * `--json` the last line is one JSON object. Returns the exit status: 0 if nothing is wrong, 1 if something is, 2 for
 * usage.
 */
export function runChaos(
  args: readonly string[],
  scenarios: readonly Played[],
  play: Play,
  terminal: Terminal,
): Promise<number> {
  const { names, rest } = namesIn(args)
  const { out } = terminal
  const options = ['minutes', 'seed']
  return runJudged({ name: 'chaos', usage: usage(scenarios), options }, rest, terminal, async (given, seconds) => {
    const chosen = choose(scenarios, names, given, out)
    const figures: (Figures | Broken)[] = []
    let bad = 0
    for (const scenario of chosen) {
      const { name } = scenario
      out(`${name}\n`)
      try {
        const verdict = await play(scenario, (text) => out(`  ${text}\n`))
        out(told(verdict))
        figures.push(verdict.figures)
        if (verdict.complaints.length > 0) bad++
      } catch (error) {
        out(`BAD  ${name}: ${inspect(error)}\n`)
        figures.push({ name, broken: String(error) })
        bad++
      }
    }
    out(`${figures.length - bad} good, ${bad} bad, ${seconds()} s\n`)
    return { good: bad === 0, figures: { scenarios: figures } }
  })
}

/** Names of scenarios are what stands there without a hyphen and is no option's text. */
function namesIn(args: readonly string[]): { names: string[]; rest: string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: { minutes: { type: 'string' }, seed: { type: 'string' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const places = new Set(tokens.filter(({ kind }) => kind === 'positional').map(({ index }) => index))
  return {
    names: args.filter((_, index) => places.has(index)),
    rest: args.filter((_, index) => !places.has(index)),
  }
}

function choose(
  scenarios: readonly Played[],
  names: readonly string[],
  given: Given,
  out: (text: string) => void,
): readonly Played[] {
  if (given['minutes'] === undefined) {
    if (given['seed'] !== undefined) throw new WrongUsage('--seed is for --minutes: a scenario has no chance in it')
    const isMeant = ({ name, group }: Played, by: string): boolean => name === by || group === by
    const isChosen = (one: Played): boolean =>
      one.byNameOnly === true
        ? names.includes(one.name)
        : names.length === 0 || names.some((name) => isMeant(one, name))
    const chosen = scenarios.filter(isChosen)
    const unknown = names.filter((name) => !scenarios.some((one) => isMeant(one, name)))
    if (unknown.length > 0) throw new WrongUsage(`there is no scenario ${unknown.join(', ')}`)
    return chosen
  }
  if (names.length > 0) throw new WrongUsage(`received --minutes and ${names.join(', ')}, allowed is one of them`)
  const minutes = Number(given['minutes'])
  if (!(minutes > 0 && minutes <= MINUTES_MAX)) {
    throw new WrongUsage(`--minutes: received ${given['minutes']}, allowed is more than 0, up to ${MINUTES_MAX}`)
  }
  const seed = given['seed'] === undefined ? randomInt(SEED_MAX + 1) : Number(given['seed'])
  if (!(Number.isInteger(seed) && seed >= 0 && seed <= SEED_MAX)) {
    throw new WrongUsage(`--seed: received ${given['seed']}, allowed is an integer from 0 to ${SEED_MAX}`)
  }
  out(`seed ${seed}\n`)
  return [mix(minutes, new Prng(seed))]
}

function told({ figures, complaints, effects }: Verdict): string {
  const { name, faults, missing, ...counts } = figures
  const happened = Object.entries(faults).filter(([, count]) => count > 0)
  const lines = [
    `${complaints.length === 0 ? 'good' : 'BAD '} ${name}: ${listed(Object.entries(counts))}`,
    `     faults: ${listed(happened)}; missing: ${listed(Object.entries(missing))}`,
    `     sends and logs: ${listed(Object.entries(effects))}`,
    ...complaints.slice(0, COMPLAINTS_SHOWN).map((complaint) => `     ${complaint}`),
  ]
  const more = complaints.length - COMPLAINTS_SHOWN
  if (more > 0) lines.push(`     … and ${more} more; ${complaints.at(-1)}`)
  return lines.map((line) => `${line}\n`).join('')
}

function listed(entries: readonly (readonly [string, number])[]): string {
  return entries.map(([name, count]) => `${name} ${count}`).join(', ')
}

function usage(scenarios: readonly Played[]): string {
  return `Usage: npm run chaos -- [scenario ... | --minutes M [--seed N]] [--json]

  scenario    one or more of: ${scenarios.map(({ name }) => name).join(' ')}; if left out, all that are
              not long (${scenarios
                .filter(({ byNameOnly }) => byNameOnly)
                .map(({ name }) => name)
                .join(' ')});
              producer stands for those of producers and what they write to, consumer for those of instances of a
              group and what they remember and work by
  --minutes   instead: everything at random for so long
  --seed      of the random mix; a random one, printed first, if left out
  --json      the last line of standard output is one JSON object
  --help      this text

Harms real Kafka clusters, a real Redis and real processes on this machine, and judges what was written down.
Exit status: 0 nothing is wrong, 1 something is, 2 usage.
`
}

const MINUTES_MAX = 24 * 60
const SEED_MAX = 2 ** 32 - 1
const COMPLAINTS_SHOWN = 10
