import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { runJudged, WrongUsage, type Terminal } from '@tandem/cli/internal'

import { newestResults, readResult, timeOf } from '../result-files.js'
import { asFile } from './drawing.js'
import { pageOf, type Run } from './page.js'
import { picturesOf, type Picture } from './pictures.js'

/** `npm run bench:report`: makes one page of results. Returns the exit status: 0, or 2 for usage. */
export function runReport(args: readonly string[], resultsFolder: string, terminal: Terminal): Promise<number> {
  const command = { name: 'bench:report', usage: USAGE, options: ['out', 'pictures'] }
  const firstOption = args.findIndex((arg) => arg.startsWith('-'))
  const named = firstOption === -1 ? args : args.slice(0, firstOption)
  return runJudged(
    command,
    args.slice(named.length),
    terminal,
    async ({ out: page = join(resultsFolder, 'report.html'), pictures }) => {
      const files = named.length === 0 ? newestResults(resultsFolder) : named
      if (files.length === 0) throw new WrongUsage(`there is no result in ${resultsFolder}; npm run bench writes them`)
      const runs = files.map((file) => ({ result: readResult(file), at: timeOf(file) }))
      const suites = runs.map(({ result }) => result.suite)
      const twice = suites.find((suite, index) => suites.indexOf(suite) !== index)
      if (twice !== undefined)
        throw new WrongUsage(`received two results of the suite ${twice}, allowed is one of each`)
      write(page, pageOf(runs))
      terminal.out(`${page}\n`)
      if (pictures !== undefined) {
        for (const { name, svg } of runs.flatMap(allPicturesOf)) {
          const file = join(pictures, `${name}.svg`)
          write(file, asFile(svg))
          terminal.out(`${file}\n`)
        }
      }
      return { good: true, figures: { page, suites } }
    },
  )
}

function allPicturesOf({ result }: Run): readonly Picture[] {
  const { bars, timelines, otherRounds } = picturesOf(result)
  return [...bars, ...timelines, ...otherRounds]
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}

const USAGE = `Usage: npm run bench:report -- [FILES...] [--out FILE] [--pictures FOLDER] [--json]

  FILES       results of runs, one of each suite; the newest ones in bench/results and its folders if none is given
  --out       the page; bench/results/report.html
  --pictures  where each of its pictures is to go as a file of its own, too
  --json      the last line of standard output is one JSON object
  --help      this text

Exit status: 0 the page was made, 2 usage, or a file that is no result.
`
