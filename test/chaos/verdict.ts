/**
 * The verdict on one scenario: the simulator's checkers on what was written down, and both logs read whole by a bare
 * client.
 */
import type { Acknowledgements, LogCensus } from '@tandem/cli/internal'

import { agreement } from '../simulation/checkers/agreement.js'
import { keyOrder } from '../simulation/checkers/key-order.js'
import { liveness } from '../simulation/checkers/liveness.js'
import { neverSilent } from '../simulation/checkers/never-silent.js'
import { noDuplicate } from '../simulation/checkers/no-duplicate.js'
import { noLoss } from '../simulation/checkers/no-loss.js'
import { oneHolder } from '../simulation/checkers/one-holder.js'
import { order } from '../simulation/checkers/order.js'
import type { Answer, History } from '../simulation/checkers/history.js'
import { FAULTS, type FaultKind } from '../simulation/plan.js'
import type { FencedEffects } from './fenced-effects.js'

/** What the JSON object says of a scenario. */
export interface Figures {
  readonly name: string
  /** `send()` calls that resolved. */
  readonly acknowledged: number
  /** Messages that every group was given. */
  readonly delivered: number
  /** Acknowledged and not given to a group, counted per group. */
  readonly lost: number
  /** Deliveries to a group beyond the first of their message, over all groups. */
  readonly duplicated: number
  /** … that no crash of their consumer explains. */
  readonly unexplainedDuplicates: number
  readonly outOfOrder: number
  /** Deliveries flagged late, over all groups, each message once. */
  readonly late: number
  /** From the end of the last fault until what was sent before had reached every group and both logs. */
  readonly recoverySeconds: number
  /** The most memory that a producer's process took (resident). */
  readonly residentBytesMax: number
  /** How often each fault happened. */
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Acknowledged messages that a log lacks and should have, by cluster. */
  readonly missing: Readonly<Record<string, number>>
}

export interface Verdict {
  readonly figures: Figures
  /** What is wrong, a sentence each; none if the verdict is good. */
  readonly complaints: readonly string[]
  /** How the sends ended, and what the logs hold more than once: neither good nor bad, but it shows what the harm did. */
  readonly effects: Readonly<Record<string, number>>
}

/** What was acknowledged, against what the logs hold. */
export interface Logs {
  readonly censuses: Readonly<Record<string, LogCensus>>
  /** By lives that ended in peace: each log holds or voids all of it. */
  readonly kept: Acknowledgements
  /** By others: at least one log holds or voids it; the other would have got it from their memory, or has lost it. */
  readonly cutOff: Acknowledgements
}

export function judge(evidence: {
  readonly name: string
  readonly history: History
  /** When both logs had what was sent before all was healed. */
  readonly settledAtMs: number
  readonly logs: Logs
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly residentBytesMax: number
  /** Events, and codes of refused `connect()`s, that show that the harm did what it is for; how often each was told. */
  readonly told?: ReadonlyMap<string, number>
  /** What one group did to its database; `once` if what it remembers is part of the same transactions. */
  readonly done?: { readonly effects: FencedEffects; readonly once: boolean }
  /** One way was free all the time: no `send()` has a reason to reject. */
  readonly nothingIsRejected?: boolean
}): Verdict {
  const { name, history, logs, faults } = evidence
  const done = evidence.done?.effects
  const again = evidence.done?.once === true ? done?.notOnce() : done?.twice()
  const { messages } = history
  const lost = [...noLoss.check(history), ...(done?.lost(messages) ?? [])]
  const unexplained = [...noDuplicate.check(history), ...(again ?? [])]
  const disordered = [...order.check(history), ...(done?.disordered(messages) ?? [])]
  const others = [neverSilent, agreement, liveness, oneHolder, keyOrder].flatMap((checker) => checker.check(history))
  const missing = missingIn(logs)
  const gaps = Object.entries(missing).filter(([, count]) => count > 0)
  const answered = (wanted: Answer): number => messages.filter(({ answer }) => answer === wanted).length
  return {
    figures: {
      name,
      acknowledged: answered('acknowledged'),
      ...deliveries(history),
      lost: lost.length,
      unexplainedDuplicates: unexplained.length,
      outOfOrder: disordered.length,
      recoverySeconds: recoverySeconds(history, evidence.settledAtMs),
      residentBytesMax: evidence.residentBytesMax,
      faults: Object.fromEntries(FAULTS.map((fault) => [fault, faults.get(fault) ?? 0])) as Figures['faults'],
      missing,
    },
    complaints: [
      ...lost,
      ...unexplained,
      ...disordered,
      ...others,
      ...[...(evidence.told ?? [])].filter(([, count]) => count === 0).map(([kind]) => `nobody told of ${kind}`),
      ...(evidence.nothingIsRejected === true
        ? REJECTIONS.filter((answer) => answered(answer) > 0).map((answer) => `${answered(answer)} sends are ${answer}`)
        : []),
      ...gaps.map(([cluster, count]) => `the log of ${cluster} lacks ${count} acknowledged messages`),
    ],
    effects: {
      ...Object.fromEntries(REFUSALS.map((answer) => [answer, answered(answer)])),
      ...Object.fromEntries(
        Object.entries(logs.censuses).map(([name, { records, numbers }]) => [
          `again in ${name}`,
          records - numbers.size,
        ]),
      ),
      ...(done && { 'effects refused by the fence': done.refused, 'effects again': done.again }),
    },
  }
}

function deliveries({ groups, lives }: History): Pick<Figures, 'delivered' | 'duplicated' | 'late'> {
  let duplicated = 0
  let late = 0
  const groupsGiven = new Map<string, number>()
  for (const groupId of groups) {
    const given = new Set<string>()
    const lateGiven = new Set<string>()
    for (const one of lives.filter((life) => life.groupId === groupId).flatMap((life) => life.deliveries)) {
      if (given.has(one.text)) duplicated++
      given.add(one.text)
      if (one.late) lateGiven.add(one.text)
    }
    late += lateGiven.size
    for (const text of given) groupsGiven.set(text, (groupsGiven.get(text) ?? 0) + 1)
  }
  const delivered = [...groupsGiven.values()].filter((count) => count === groups.length).length
  return { delivered, duplicated, late }
}

function recoverySeconds({ groups, lives, messages, healedAtMs }: History, settledAtMs: number): number {
  let lastMs = Math.max(healedAtMs, settledAtMs)
  for (const groupId of groups) {
    const firstAtMs = new Map<string, number>()
    for (const { text, atMs } of lives.filter((life) => life.groupId === groupId).flatMap((life) => life.deliveries)) {
      firstAtMs.set(text, Math.min(atMs, firstAtMs.get(text) ?? Infinity))
    }
    for (const { text, answer, sentAtMs } of messages) {
      if (answer === 'acknowledged' && sentAtMs <= healedAtMs) lastMs = Math.max(lastMs, firstAtMs.get(text) ?? 0)
    }
  }
  return Math.round((lastMs - healedAtMs) / 100) / 10
}

function missingIn({ censuses, kept, cutOff }: Logs): Record<string, number> {
  const all = Object.values(censuses)
  const nowhere = Math.min(...all.map((census) => census.missing(cutOff))) > 0 ? countNowhere(all, cutOff) : 0
  return Object.fromEntries(Object.entries(censuses).map(([name, census]) => [name, census.missing(kept) + nowhere]))
}

/** Held by no log. (A void is for what another log holds, so it does not excuse all of them.) */
function countNowhere(censuses: readonly LogCensus[], acknowledgements: Acknowledgements): number {
  return [...acknowledgements.numbers].filter((number) => censuses.every(({ numbers }) => !numbers.has(number))).length
}

const REJECTIONS: readonly Answer[] = ['not-written', 'unknown']
const REFUSALS: readonly Answer[] = [...REJECTIONS, 'orphaned', 'open']
