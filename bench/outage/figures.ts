import { PARTITIONS } from '../logs.js'
import { percentileOf } from '../statistics.js'
import type { Figures } from '../suite.js'
import type { Phase } from '../timeline.js'
import type { ConsumerGauge } from './order.js'
import type { PlayedPhase } from './phases.js'
import type { Samples } from './samples.js'
import {
  ACCEPTED,
  ACCEPTED_PART,
  ALONE,
  DELIVERED,
  HEALTHY,
  inPhase,
  P99_PART,
  REDIS_RATE,
  REDUNDANT_AGAIN,
  type OutageSubject,
} from './subjects.js'
import { aloneAt, redundantAgainMs, type Evidence, type Verdict } from './verdict.js'

export interface Measured extends Evidence {
  readonly phases: readonly PlayedPhase[]
  readonly consumerGauges: readonly ConsumerGauge[]
  readonly offeredPerSecond: number | undefined
}

/** All that is measured of each phase. */
export function phaseFigures(measured: Measured, verdict: Verdict, faults: OutageSubject['faults']): Figures {
  const figures: Record<string, number> = {}
  const { phases, acknowledged, delivered, consumerGauges, offeredPerSecond } = measured
  const settlement = { acknowledged, ...verdict }
  for (const phase of phases) {
    const seconds = (phase.toMs - phase.fromMs) / 1_000
    const accepted = countWithin(acknowledged, phase) / seconds
    figures[inPhase(ACCEPTED, phase.name)] = accepted
    if (offeredPerSecond !== undefined) figures[inPhase(ACCEPTED_PART, phase.name)] = accepted / offeredPerSecond
    figures[inPhase(DELIVERED, phase.name)] = countWithin(delivered, phase) / seconds
    for (const [what, samples] of [['send', acknowledged] as const, ['end to end', delivered] as const]) {
      const sorted = latenciesDueWithin(samples, phase).sort()
      for (const percentile of PERCENTILES) {
        figures[latencyIn(phase.name, what, percentile)] = percentileOf(sorted, percentile / 100)
      }
    }
    const commands = commandsBy(consumerGauges, phase.toMs) - commandsBy(consumerGauges, phase.fromMs)
    figures[inPhase(REDIS_RATE, phase.name)] = commands / seconds / PARTITIONS
    figures[inPhase(ALONE, phase.name)] = aloneAt(settlement, phase.toMs)
    if (phase.healedMs !== undefined) {
      const againMs = redundantAgainMs(settlement, { fromMs: phase.healedMs, toMs: phase.toMs })
      if (againMs !== undefined) figures[inPhase(REDUNDANT_AGAIN, phase.name)] = againMs / 1_000
    }
  }
  for (const fault of faults) {
    const p99 = (phase: string): number => figures[latencyIn(phase, 'send', 99)]!
    figures[inPhase(P99_PART, fault)] = p99(HEALTHY) / p99(fault)
  }
  return figures
}

function latencyIn(phase: string, what: 'send' | 'end to end', percentile: number): string {
  return inPhase(`${what} p${percentile} ms`, phase)
}

export function countWithin({ atMs }: Samples, { fromMs, toMs }: Phase): number {
  return atMs.reduce((sum, ms) => (ms >= fromMs && ms < toMs ? sum + 1 : sum), 0)
}

/** Of those that were due in a phase, whenever they were done. */
function latenciesDueWithin({ atMs, latencyMs }: Samples, { fromMs, toMs }: Phase): Float32Array {
  return latencyMs.filter((ms, index) => {
    const dueMs = atMs[index]! - ms
    return dueMs >= fromMs && dueMs < toMs
  })
}

/** Commands that had been sent by then, as was told last. */
function commandsBy(gauges: readonly ConsumerGauge[], ms: number): number {
  return gauges.findLast(({ atMs }) => atMs <= ms)?.redisCommands ?? 0
}

const PERCENTILES = [50, 99, 99.9]
