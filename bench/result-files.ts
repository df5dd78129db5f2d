/** Results by suite and time, which their names tell: `send-20270101T120000Z.json`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { WrongUsage } from '@tandem/cli/internal'

import { resultOf, type Result } from './result.js'

/** @returns the file. */
export function keepResult(folder: string, result: Result): string {
  mkdirSync(folder, { recursive: true })
  const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const file = join(folder, `${result.suite}-${at}.json`)
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
  return file
}

/** @throws WrongUsage if the file is no result of a run. */
export function readResult(file: string): Result {
  try {
    return resultOf(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw new WrongUsage(`${file} is no result of a run: ${(error as Error).message}`)
  }
}

/** The newest one of each suite, of those in a folder and the folders in it. */
export function newestResults(folder: string): readonly string[] {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const newest = new Map<string, { readonly at: string; readonly file: string }>()
  for (const name of names) {
    const [, suite, at] = NAME.exec(basename(name)) ?? []
    if (suite === undefined || at === undefined || at <= (newest.get(suite)?.at ?? '')) continue
    newest.set(suite, { at, file: join(folder, name) })
  }
  return [...newest.values()].map(({ file }) => file)
}

/** When the run ended, or undefined if the file has another name than it was given. */
export function timeOf(file: string): string | undefined {
  const [, , at] = NAME.exec(basename(file)) ?? []
  return at?.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3 $4:$5 UTC')
}

const NAME = /^(.+)-(\d{8}T\d{6}Z)\.json$/
