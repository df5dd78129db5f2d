import { runJudged, type Terminal } from '@tandem/cli/internal'

import { runSuites, type Counts } from './run-suites.js'

/**
 * `npm run conformance`: every suite on each implementation of its interface, simulated and real. A case that is left
 * out, since a service is missing, has failed: nothing is known of it.
 */
export function runCommand(
  args: readonly string[],
  terminal: Terminal,
  run: () => Promise<Counts> = runSuites,
): Promise<number> {
  return runJudged({ name: 'conformance', usage: USAGE, options: [] }, args, terminal, async (_given, seconds) => {
    const { passed, failed, skipped } = await run()
    const figures = { cases: passed + failed + skipped, failed: failed + skipped }
    terminal.out(`${figures.cases} cases, ${figures.failed} failed, ${seconds()} s\n`)
    return { good: figures.failed === 0 && figures.cases > 0, figures }
  })
}

const USAGE = `Usage: npm run conformance -- [--json]

  --json   the last line of standard output is one JSON object
  --help   this text

One suite per interface (cluster client, feed client, epoch store, high-water store, journal), run on the simulated and
the real implementations. Needs Redis, Java and Kafka's jars.
Exit status: 0 none failed, 1 one failed, 2 usage.
`
