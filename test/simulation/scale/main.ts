import { runScale } from './command.js'

process.exitCode = await runScale(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
})
