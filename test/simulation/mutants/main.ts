import { runCommand } from './command.js'
import { MUTANTS } from './mutants.js'

process.exitCode = await runCommand(process.argv.slice(2), MUTANTS, {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
})
