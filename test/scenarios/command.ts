import { runJudged, type Terminal } from '@tandem/cli/internal'

import { runScenarios, unaccounted } from './run-scenarios.js'
import type { Pending, Scenario } from './scenario.js'

export interface Table {
  readonly rows: readonly string[]
  readonly scenarios: readonly Scenario[]
  readonly pending: readonly Pending[]
}

/**
 * `npm run scenarios`: plays every row of a table that can be played, a line per row; with `--json` the last line is one
 * JSON object. Returns the exit status: 0 if none failed, 1 if one did or a row is not accounted for, 2 for usage.
 */
export function runCommand(args: readonly string[], table: Table, terminal: Terminal): Promise<number> {
  const { rows, scenarios, pending } = table
  const { out } = terminal
  return runJudged({ name: 'scenarios', usage: USAGE, options: [] }, args, terminal, async (_given, seconds) => {
    const width = Math.max(...rows.map(({ length }) => length))
    const played = await runScenarios(scenarios, ({ name, passed, error, ms }) => {
      out(`${passed ? 'passed ' : 'FAILED '} ${name.padEnd(width)} ${String(ms).padStart(5)} ms\n`)
      if (!passed) out(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    })
    for (const { name, part, reason } of pending) out(`pending ${name.padEnd(width)} part ${part}: ${reason}\n`)
    const wrong = unaccounted(rows, scenarios, pending)
    for (const line of wrong) out(`WRONG   ${line}\n`)
    const failed = played.filter(({ passed }) => !passed).length
    out(`${played.length - failed} passed, ${failed} failed, ${pending.length} pending, ${seconds()} s\n`)
    return {
      good: failed === 0 && wrong.length === 0,
      figures: {
        scenarios: played.map(({ name, passed }) => ({ name, passed })),
        pending: pending.map(({ name }) => name),
      },
    }
  })
}

const USAGE = `Usage: npm run scenarios -- [--json]

  --json   the last line of standard output is one JSON object
  --help   this text

Plays every row of the tables of scenarios in docs/protocol.md and docs/position.md.
Exit status: 0 none failed, 1 one failed, 2 usage.
`
