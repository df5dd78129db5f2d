import { parseArgs } from 'node:util'

import { commit } from './demo/commit.js'

/**
 * What the commands whose verdicts others rely on have in common: `--json` makes the last line of standard output one JSON object with
 * `commit` and `seconds`; the exit status is 0 if the verdict is good, 1 if it is not, 2 for usage.
 */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

export interface Verdict {
  readonly good: boolean
  /** What the JSON object says besides. */
  readonly figures: object
}

/** What the user typed was wrong; its message says how. */
export class WrongUsage extends Error {}

/** Texts of options that were given, by name. */
export type Given = Readonly<Record<string, string | undefined>>

export interface JudgedCommand {
  readonly name: string
  readonly usage: string
  /** Names of options that take a text, besides `--json` and `--help`. */
  readonly options: readonly string[]
  /** Names of options that take none. */
  readonly flags?: readonly string[]
}

/**
 * Runs a command and returns its exit status.
 *
 * @param judge may throw WrongUsage, before it has done anything.
 */
export async function runJudged(
  command: JudgedCommand,
  args: readonly string[],
  { out, err }: Terminal,
  judge: (given: Given, seconds: () => number, flags: ReadonlySet<string>) => Promise<Verdict>,
): Promise<number> {
  const begun = performance.now()
  const seconds = (): number => Math.round((performance.now() - begun) / 100) / 10
  try {
    const texts = Object.fromEntries(command.options.map((name) => [name, { type: 'string' } as const]))
    const flags = Object.fromEntries((command.flags ?? []).map((name) => [name, { type: 'boolean' } as const]))
    const options = { ...texts, ...flags, ...FLAGS }
    const { json, help, ...rest }: Readonly<Record<string, unknown>> = parseArgs({ args: [...args], options }).values
    if (help === true) {
      out(command.usage)
      return 0
    }
    const given = Object.entries(rest).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    const raised = Object.keys(rest).filter((name) => rest[name] === true)
    const { good, figures } = await judge(Object.fromEntries(given), seconds, new Set(raised))
    if (json === true) out(`${JSON.stringify({ ...figures, commit: await commit(), seconds: seconds() })}\n`)
    return good ? 0 : 1
  } catch (error) {
    if (!isWrongUsage(error)) throw error
    err(`${command.name}: ${error.message}\n\n${command.usage}`)
    return 2
  }
}

/** The whole number that an option gives, if it was given. @throws WrongUsage if it is none, or out of its range. */
export function whole(
  name: string,
  text: string | undefined,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= min && number <= max) return number
  throw new WrongUsage(`--${name} ${text}: allowed are whole numbers from ${min} to ${max}`)
}

/** Those of `parseArgs` have a code of Node's. */
function isWrongUsage(error: unknown): error is Error {
  if (error instanceof WrongUsage) return true
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS_')
}

const FLAGS = { json: { type: 'boolean' }, help: { type: 'boolean' } } as const
