import { fileURLToPath } from 'node:url'

import { runReport } from './command.js'

process.exitCode = await runReport(process.argv.slice(2), fileURLToPath(new URL('../../results', import.meta.url)), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
})
