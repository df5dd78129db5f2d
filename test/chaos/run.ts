/** What plays of every kind have in common: a folder for what is written down, and a clock before each line. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Verdict } from './verdict.js'

/** A folder for one play. It is kept, and named, if the verdict is bad or there is none. */
export async function inFolder(play: (folder: string) => Promise<Verdict>): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-chaos-'))
  const written = `what was written down: ${folder}`
  let verdict: Verdict
  try {
    verdict = await play(folder)
  } catch (error) {
    throw new Error(`it broke off; ${written}`, { cause: error })
  }
  if (verdict.complaints.length > 0) return { ...verdict, complaints: [...verdict.complaints, written] }
  rmSync(folder, { recursive: true })
  return verdict
}

/** Says each text with the seconds since the beginning. */
export function timed(say: (text: string) => void): (text: string) => void {
  const startedAt = performance.now()
  return (text) => say(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${text}`)
}
