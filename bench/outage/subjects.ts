import type { Comparison } from '../suite.js'
import { FAULT_NAMES, type FaultName } from './faults.js'

/** What is measured: one load, by tandem's producer and consumer at their defaults, through faults of the west. */
export interface OutageSubject {
  readonly name: string
  readonly framing: 'record' | 'frame'
  /** Messages a second: half of what can be done while all is well, or as many as can be. */
  readonly pace: 'half' | 'full'
  readonly faults: readonly FaultName[]
  /** How long each fault lasts, if not as long as those of the others. */
  readonly faultMs?: number
}

export const SUBJECTS: readonly OutageSubject[] = [
  { name: 'fixed', framing: 'record', pace: 'half', faults: FAULT_NAMES },
  { name: 'fixed-frames', framing: 'frame', pace: 'half', faults: FAULT_NAMES },
  { name: 'full', framing: 'record', pace: 'full', faults: FAULT_NAMES },
  { name: 'full-5-min', framing: 'record', pace: 'full', faults: ['killed'], faultMs: 300_000 },
]

export function subjectOf(name: string): OutageSubject {
  return SUBJECTS.find((subject) => subject.name === name)!
}

export const HEALTHY = 'healthy'

/** What is measured of each phase: `inPhase(ACCEPTED, 'killed')` is the unit of that phase's. */
export const ACCEPTED = 'accepted/s'
export const ACCEPTED_PART = 'accepted / offered'
export const DELIVERED = 'delivered/s'
/** Acknowledged messages that one log alone has when the phase is over. */
export const ALONE = 'in one log alone'
export const REDIS_RATE = 'Redis commands/partition/s'
/** Of each fault: the healthy p99 of `send()` divided by that of the fault. */
export const P99_PART = 'p99 of send, healthy / fault'
/** Of what comes after a fault: how long after the cluster answers; missing if the next fault came first. */
export const REDUNDANT_AGAIN = 'redundant again s'

export function inPhase(what: string, phase: string): string {
  return `${what}, ${phase}`
}

export const OFFERED = 'offered/s'
export const PRODUCER_MEMORY = 'producer MB'
export const CONSUMER_MEMORY = 'consumer MB'
export const VOIDED = 'voided'
export const LOST = 'lost'
export const DUPLICATED = 'duplicated'

/** What is to be reached was said of a cluster that is killed, hung or slow, and of five minutes at full speed. */
export const COMPARISONS: readonly Comparison[] = [
  ...SUBJECTS.filter(({ pace }) => pace === 'half').flatMap(({ name, faults }) =>
    faults.flatMap((fault): Comparison[] => [
      {
        name: `${name}: ${inPhase(ACCEPTED_PART, fault)}`,
        over: name,
        under: 1,
        unit: inPhase(ACCEPTED_PART, fault),
        ...(fault !== 'flapping' && { reach: 0.99 }),
      },
      {
        name: `${name}: ${inPhase(P99_PART, fault)}`,
        over: name,
        under: 1,
        unit: inPhase(P99_PART, fault),
        ...(fault !== 'flapping' && { reach: 0.667 }),
      },
    ]),
  ),
  ...[PRODUCER_MEMORY, CONSUMER_MEMORY].map((unit) => ({
    name: `full-5-min: 300 / ${unit}`,
    over: 300,
    under: 'full-5-min',
    unit,
    reach: 1,
  })),
]
