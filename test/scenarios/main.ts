import { runCommand } from './command.js'
import { ROWS } from './rows.js'
import { PENDING, SCENARIOS } from './scenarios.js'

process.exitCode = await runCommand(
  process.argv.slice(2),
  { rows: ROWS, scenarios: SCENARIOS, pending: PENDING },
  { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
)
