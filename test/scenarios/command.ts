import { parseArgs } from 'node:util'

import { commit } from './commit.js'
import { runScenarios, unaccounted } from './run-scenarios.js'
import type { Pending, Scenario } from './scenario.js'

export interface Table {
  readonly rows: readonly string[]
  readonly scenarios: readonly Scenario[]
  readonly pending: readonly Pending[]
}

export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/**
 * `npm run scenarios`: plays every row of a table that can be played, a line per row; with `--json` the last line is one
 * JSON object. Returns the exit status: 0 if none failed, 1 if one did or a row is not accounted for, 2 for usage.
 */
export async function runCommand(args: readonly string[], table: Table, { out, err }: Terminal): Promise<number> {
  let options
  try {
    options = parseArgs({ args: [...args], options: { json: { type: 'boolean' }, help: { type: 'boolean' } } }).values
  } catch (error) {
    err(`scenarios: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    return 2
  }
  if (options.help === true) {
    out(USAGE)
    return 0
  }
  const { rows, scenarios, pending } = table
  const width = Math.max(...rows.map(({ length }) => length))
  const begun = performance.now()
  const played = await runScenarios(scenarios, ({ name, passed, error, ms }) => {
    out(`${passed ? 'passed ' : 'FAILED '} ${name.padEnd(width)} ${String(ms).padStart(5)} ms\n`)
    if (!passed) out(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  })
  for (const { name, part, reason } of pending) out(`pending ${name.padEnd(width)} part ${part}: ${reason}\n`)
  const wrong = unaccounted(rows, scenarios, pending)
  for (const line of wrong) out(`WRONG   ${line}\n`)
  const failed = played.filter(({ passed }) => !passed).length
  const seconds = Math.round((performance.now() - begun) / 100) / 10
  out(`${played.length - failed} passed, ${failed} failed, ${pending.length} pending, ${seconds} s\n`)
  if (options.json === true) {
    const verdict = {
      scenarios: played.map(({ name, passed }) => ({ name, passed })),
      pending: pending.map(({ name }) => name),
      commit: await commit(),
      seconds,
    }
    out(`${JSON.stringify(verdict)}\n`)
  }
  return failed === 0 && wrong.length === 0 ? 0 : 1
}

const USAGE = `Usage: npm run scenarios -- [--json]

  --json   the last line of standard output is one JSON object
  --help   this text

Plays every row of the tables of scenarios in docs/protocol.md and docs/position.md.
Exit status: 0 none failed, 1 one failed, 2 usage.
`
