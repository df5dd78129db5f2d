import { readFileSync } from 'node:fs'

import { WrongUsage } from '@tandem/cli/internal'

import type { RatioReport } from './report.js'
import { rounded } from './statistics.js'

/** A ratio of an earlier run beside today's. Figures of two runs are not compared: machines and neighbours differ. */
export interface Change {
  readonly name: string
  readonly before: number
  readonly now: number
  readonly verdict: 'better' | 'same' | 'worse'
}

/** The ratios of an earlier run. @throws WrongUsage if the file is none of this suite's. */
export function readEarlier(file: string, suite: string): ReadonlyMap<string, number> {
  let found: unknown
  try {
    found = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new WrongUsage(`--against ${file}: ${(error as Error).message}`)
  }
  const { suite: ofSuite, ratios } = (found ?? {}) as { suite?: unknown; ratios?: unknown }
  if (ofSuite !== suite || !Array.isArray(ratios) || !ratios.every(isRatio)) {
    throw new WrongUsage(
      `--against ${file}: received no result of the suite ${suite}, allowed is what a run of it wrote`,
    )
  }
  return new Map(ratios.map(({ name, value }) => [name, value]))
}

/** Ratios that both runs have. */
export function changesOf(earlier: ReadonlyMap<string, number>, ratios: readonly RatioReport[]): readonly Change[] {
  return ratios.flatMap(({ name, value }) => {
    const before = earlier.get(name)
    if (before === undefined) return []
    const change = value / before
    const verdict = change < 1 - NOISE ? 'worse' : change > 1 + NOISE ? 'better' : 'same'
    return [{ name, before: rounded(before), now: value, verdict }]
  })
}

function isRatio(ratio: unknown): ratio is { name: string; value: number } {
  const { name, value } = (ratio ?? {}) as { name?: unknown; value?: unknown }
  return typeof name === 'string' && typeof value === 'number' && value > 0
}

/** By as much as this a ratio varies from run to run on two cores that also carry both clusters. */
const NOISE = 0.1
