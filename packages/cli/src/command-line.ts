import { isTandemError, OptionsInvalidError } from '@tandem/common'

import type { Command, Terminal } from './commands/command.js'

/** Every command, loaded when it is asked for: `--help` need not wait for a Kafka client. */
const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  demo: {
    summary: 'two clusters, a load of transfers, one cluster taken away and brought back, and the verdict',
    load: async () => (await import('./commands/demo.js')).demo,
  },
}

/**
 * Runs one command line and returns its exit status: 0, 1 (something is wrong), 2 (usage).
 *
 * @param signal aborts when the user interrupts; the command then cleans up, and the status is 1.
 */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const [name, ...rest] = args
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.stdout.write(USAGE)
    return 0
  }
  const entry = name === undefined || !Object.hasOwn(COMMANDS, name) ? undefined : COMMANDS[name]
  if (entry === undefined) {
    terminal.stderr.write(`tandem: ${name === undefined ? 'no command' : `unknown command ${JSON.stringify(name)}`}\n`)
    terminal.stderr.write(`\n${USAGE}`)
    return 2
  }
  const command = await entry.load()
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.stdout.write(command.usage)
    return 0
  }
  let run
  try {
    run = command.prepare(rest)
  } catch (error) {
    if (!isTandemError(error, OptionsInvalidError.code)) throw error
    terminal.stderr.write(`tandem ${name}: ${error.message}\n\n${command.usage}`)
    return 2
  }
  try {
    return await run(terminal, signal)
  } catch (error) {
    if (!signal.aborted) terminal.stderr.write(`tandem ${name}: ${describe(error)}\n`)
    return 1
  }
}

/** Tandem's own errors say all in their message; anything else is a surprise, and its stack helps. */
function describe(error: unknown): string {
  if (isTandemError(error) && error.code !== 'TANDEM_INVARIANT') return `${error.message} (${error.code})`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const USAGE = `Usage: tandem <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}\n`)
  .join('')}
tandem <command> --help shows the options of a command.
Exit status: 0 good, 1 something is wrong, 2 usage.
`
