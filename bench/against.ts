import type { RatioReport } from './report.js'
import { rounded } from './statistics.js'

/** A ratio of an earlier run beside today's. Figures of two runs are not compared: machines and neighbours differ. */
export interface Change {
  readonly name: string
  readonly before: number
  readonly now: number
  readonly verdict: 'better' | 'same' | 'worse'
}

/** Ratios that both runs have. */
export function changesOf(earlier: readonly RatioReport[], ratios: readonly RatioReport[]): readonly Change[] {
  const known = new Map(earlier.map(({ name, value }) => [name, value]))
  return ratios.flatMap(({ name, value: now }) => {
    const before = known.get(name)
    if (before === undefined || !Number.isFinite(before) || !Number.isFinite(now)) return []
    const noise = Math.abs(before) * NOISE
    const verdict = now < before - noise ? 'worse' : now > before + noise ? 'better' : 'same'
    return [{ name, before: rounded(before), now, verdict }]
  })
}

/** By as much as this a ratio varies from run to run on two cores that also carry both clusters. */
const NOISE = 0.1
