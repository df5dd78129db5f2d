import { objections, type DeliveryVerdict, type LogVerdict } from '../judge/verdict.js'
import type { Fault } from './demo-options.js'

export interface ClusterVerdict extends LogVerdict {
  readonly kind: 'embedded' | 'kafka'
  readonly fault: Fault
  /** From the fault until the cluster was back; 0 if nothing was done to it. */
  readonly awayMs: number
}

/** What the demo says in the end: the judge's counts, and beside them some of tandem's own. */
export interface DemoVerdict extends DeliveryVerdict {
  readonly duplicatesDropped: number
  /** Events `circuit-opened` of the producer. */
  readonly circuitOpened: number
  /** Events `feed-away` of the consumer. */
  readonly feedAway: number
  readonly highWaterStore: 'redis' | 'memory'
  readonly clusters: Readonly<Record<string, ClusterVerdict>>
  /** Only if the verdict is bad: why. */
  readonly objections?: readonly string[]
  readonly commit: string
  readonly seconds: number
}

/** Everything but the objections, which follow from it and from what was `unfinished` when the demo gave up waiting. */
export function withObjections(verdict: DemoVerdict, unfinished: readonly string[]): DemoVerdict {
  const found = [...unfinished, ...objections(verdict, verdict.clusters)]
  if (found.length === 0) return verdict
  const { commit, seconds, ...counts } = verdict
  return { ...counts, objections: found, commit, seconds }
}

export function isGood(verdict: DemoVerdict): boolean {
  return verdict.objections === undefined
}

/** The verdict for people. */
export function formatVerdict(verdict: DemoVerdict): string {
  const { sent, acknowledged, delivered, lost, duplicated, outOfOrder, late, booksBalance } = verdict
  const clusters = Object.entries(verdict.clusters).map(
    ([name, { kind, fault, awayMs, records, voided, missing }]) =>
      `${name} (${kind}): ${fault === 'none' ? 'never away' : `${FAULTS[fault]}, away ${(awayMs / 1000).toFixed(1)} s`}` +
      `; its log holds ${records} records, voids ${voided}, lacks ${missing}`,
  )
  return [
    isGood(verdict) ? 'Good.' : `Bad: ${verdict.objections!.join('; ')}.`,
    '',
    `sent ${sent}, acknowledged ${acknowledged}, delivered ${delivered}`,
    `lost ${lost}, duplicated ${duplicated}, out of order ${outOfOrder}, late ${late}`,
    `the books ${booksBalance ? 'balance' : 'DO NOT balance'}`,
    '',
    ...clusters,
    `circuits opened ${verdict.circuitOpened}, feeds away ${verdict.feedAway}, ` +
      `duplicates dropped ${verdict.duplicatesDropped}, high water in ${verdict.highWaterStore}`,
    `commit ${verdict.commit}, ${verdict.seconds} s`,
    '',
  ].join('\n')
}

const FAULTS: Readonly<Record<Fault, string>> = { kill: 'killed', hang: 'hung', none: 'left alone' }
