#!/usr/bin/env node
/**
 * The `tandem` command: one process that only looks after another one, which does the work.
 *
 * libuv reads UV_THREADPOOL_SIZE when its pool is first used, so it must be in the environment before the process
 * starts: connect, metadata and each `consume(n)` of two clusters occupy threads of that pool, and a hung cluster
 * must not take the last one. Whoever sets it gets what he set, and no second process.
 */
import { runCommandLine } from './command-line.js'
import { runAgain } from './run-again.js'
import { watchInterrupts } from './interrupts.js'

if (process.env['UV_THREADPOOL_SIZE'] === undefined) {
  runAgain({ UV_THREADPOOL_SIZE: '16' })
} else {
  const signal = watchInterrupts()
  const status = await runCommandLine(process.argv.slice(2), process, signal.aborted)
  // Clients that were given up on may hold the process for ever; all that was to be said has been said.
  process.exit(signal.status() ?? status)
}
