import { createHash } from 'node:crypto'

import { agreement } from './checkers/agreement.js'
import { bounded } from './checkers/bounded.js'
import type { Checker } from './checkers/checker.js'
import { exactlyOnce } from './checkers/exactly-once.js'
import type { History } from './checkers/history.js'
import { independence } from './checkers/independence.js'
import { keyOrder } from './checkers/key-order.js'
import { liveness } from './checkers/liveness.js'
import { neverSilent } from './checkers/never-silent.js'
import { noDuplicate } from './checkers/no-duplicate.js'
import { noLoss } from './checkers/no-loss.js'
import { oneHolder } from './checkers/one-holder.js'
import { order } from './checkers/order.js'
import { shares } from './checkers/shares.js'
import { drawPlan } from './draw-plan.js'
import type { FaultKind, Plan } from './plan.js'
import { play, type Played } from './play.js'

const CHECKERS: readonly Checker[] = [
  noLoss,
  noDuplicate,
  order,
  bounded,
  independence,
  neverSilent,
  agreement,
  liveness,
  keyOrder,
  exactlyOnce,
  oneHolder,
  shares,
]

export interface Violation {
  /** The promise that was broken, by its name in docs/protocol.md. */
  readonly promise: string
  readonly sentence: string
}

export interface Simulated {
  readonly violations: readonly Violation[]
  readonly simulatedMs: number
  readonly deliveries: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Hash of everything that was answered, delivered and told, with its times; equal on every run of the plan. */
  readonly digest: string
}

/** What a history says against the promises. */
export function judge(history: History): Violation[] {
  return CHECKERS.flatMap((checker) => {
    return checker.check(history).map((sentence) => ({ promise: checker.promise, sentence }))
  })
}

/** One schedule, judged. */
export async function simulate(plan: Plan): Promise<Simulated> {
  const played = await play(plan)
  const violations = judge(played.history)
  return {
    violations,
    simulatedMs: played.world.now,
    deliveries: played.world.seen.length,
    faults: played.faults,
    digest: digestOf(played),
  }
}

export function simulateSeed(seed: number): Promise<Simulated> {
  return simulate(drawPlan(seed))
}

function digestOf({ world, producers, consumers }: Played): string {
  const hash = createHash('sha256')
  for (const { groupId, text, late, atMs, acknowledgedAtMs } of world.seen) {
    hash.update(`${groupId} ${text} ${late} ${atMs} ${acknowledgedAtMs}\n`)
  }
  for (const { text, closedAtMs, error } of world.sent) hash.update(`${text} ${closedAtMs} ${error?.code}\n`)
  for (const { process, events } of [...producers, ...consumers]) {
    for (const event of events) hash.update(`${process.name} ${JSON.stringify(event)}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}
