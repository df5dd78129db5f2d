import { spawn } from 'node:child_process'
import { constants } from 'node:os'

import { INTERRUPTS } from './interrupts.js'

/**
 * Runs this very command line in a child with more environment, and ends as the child ends.
 *
 * Signals are handed on. Should this process die without handing anything on, the child sees its channel close, and
 * cleans up on its own.
 */
export function runAgain(environment: Readonly<Record<string, string>>): void {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...environment },
  })
  for (const name of INTERRUPTS) process.on(name, () => child.kill(name))
  child.on('error', (error) => {
    process.stderr.write(`tandem: cannot start ${process.execPath}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (status, name) => process.exit(status ?? 128 + (name === null ? 0 : constants.signals[name])))
}
