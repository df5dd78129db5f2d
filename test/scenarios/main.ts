/**
 * `npm run scenarios`: plays every row of the two tables that can be played.
 *
 * A line per row; with `--json` the last line of standard output is one JSON object. Exit status 0 if none failed, 1 if
 * one did, 2 for usage.
 */
import { parseArgs } from 'node:util'

import { commit } from './commit.js'
import { ROWS } from './rows.js'
import { runScenarios, unaccounted } from './run-scenarios.js'
import { PENDING, SCENARIOS } from './scenarios.js'

const USAGE = `Usage: npm run scenarios -- [--json]

  --json   the last line of standard output is one JSON object
  --help   this text

Plays every row of the tables of scenarios in docs/protocol.md and docs/position.md.
Exit status: 0 none failed, 1 one failed, 2 usage.
`

async function main(): Promise<number> {
  let options
  try {
    options = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean' } } }).values
  } catch (error) {
    process.stderr.write(`scenarios: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    return 2
  }
  if (options.help === true) {
    process.stdout.write(USAGE)
    return 0
  }
  const begun = performance.now()
  const wrong = unaccounted(ROWS, SCENARIOS, PENDING)
  const played = await runScenarios(SCENARIOS, ({ name, passed, error, ms }) => {
    process.stdout.write(`${passed ? 'passed ' : 'FAILED '} ${name.padEnd(NAME_WIDTH)} ${String(ms).padStart(5)} ms\n`)
    if (!passed) process.stdout.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  })
  for (const { name, part, reason } of PENDING) {
    process.stdout.write(`pending ${name.padEnd(NAME_WIDTH)} part ${part}: ${reason}\n`)
  }
  for (const line of wrong) process.stdout.write(`WRONG   ${line}\n`)
  const failed = played.filter(({ passed }) => !passed).length
  const seconds = Math.round((performance.now() - begun) / 100) / 10
  process.stdout.write(`${played.length - failed} passed, ${failed} failed, ${PENDING.length} pending, ${seconds} s\n`)
  if (options.json === true) {
    const scenarios = played.map(({ name, passed }) => ({ name, passed }))
    const pending = PENDING.map(({ name }) => name)
    process.stdout.write(`${JSON.stringify({ scenarios, pending, commit: await commit(), seconds })}\n`)
  }
  return failed === 0 && wrong.length === 0 ? 0 : 1
}

const NAME_WIDTH = Math.max(...ROWS.map(({ length }) => length))

process.exitCode = await main()
