import { createHash } from 'node:crypto'

import { agreement } from './checkers/agreement.js'
import type { Checker } from './checkers/checker.js'
import { liveness } from './checkers/liveness.js'
import { neverSilent } from './checkers/never-silent.js'
import { noDuplicate } from './checkers/no-duplicate.js'
import { noLoss } from './checkers/no-loss.js'
import { order } from './checkers/order.js'
import { Schedule, type FaultKind, type Outcome } from './schedule.js'

const CHECKERS: readonly Checker[] = [noLoss, noDuplicate, order, neverSilent, agreement, liveness]

export interface SeedResult {
  readonly seed: number
  readonly violations: readonly string[]
  readonly simulatedMs: number
  readonly deliveries: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Of every delivery: who, what, when. Equal on every run of the seed. */
  readonly digest: string
}

/** One schedule, judged. */
export async function simulate(seed: number): Promise<SeedResult> {
  const outcome = await new Schedule(seed).run()
  const violations: string[] = []
  for (const checker of CHECKERS) {
    const wrong = checker.check(outcome)
    if (wrong !== undefined) violations.push(`${checker.promise}: ${wrong}`)
  }
  return {
    seed,
    violations,
    simulatedMs: outcome.world.now,
    deliveries: outcome.world.seen.length,
    faults: outcome.faults,
    digest: digestOf(outcome),
  }
}

function digestOf({ world }: Outcome): string {
  const hash = createHash('sha256')
  for (const { groupId, text, late, atMs } of world.seen) hash.update(`${groupId} ${text} ${late} ${atMs}\n`)
  for (const { text, closedAtMs, error } of world.sent) hash.update(`${text} ${closedAtMs} ${error?.code}\n`)
  return hash.digest('hex').slice(0, 16)
}
