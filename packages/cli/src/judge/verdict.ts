/**
 * The verdict: what became of the messages, computed from what tandem cannot influence.
 *
 * Four things are compared: how many messages the load handed over, the file of what was acknowledged, the
 * subscriber's own file of effects, and what a bare client read from both logs. Stamps, counters and drop counts of
 * tandem itself appear nowhere in here, except that a void is told from a message by its stamp.
 */
import type { Acknowledgements } from './acknowledgements.js'
import type { Effects } from './effects.js'
import type { LogCensus } from './log-census.js'

export interface DeliveryVerdict {
  /** Messages for which `send()` was called. */
  readonly sent: number
  /** … whose `send()` resolved. */
  readonly acknowledged: number
  /** Distinct messages among the effects. */
  readonly delivered: number
  /** Acknowledged and without an effect. */
  readonly lost: number
  /** Effects beyond the first of their message. */
  readonly duplicated: number
  /** Effects that came after a later one of their key, late ones not counted. */
  readonly outOfOrder: number
  /** Effects whose delivery was flagged late. */
  readonly late: number
  /** Whether the effects booked what was acknowledged, and no money came or went. */
  readonly booksBalance: boolean
}

export interface LogVerdict {
  /** Records with a message of the load; a rewritten one counts each time. */
  readonly records: number
  /** Counters that the log voids. */
  readonly voided: number
  /** Acknowledged messages that the log neither holds nor voids. */
  readonly missing: number
}

export function judgeDelivery(evidence: {
  readonly sent: number
  readonly acknowledgements: Acknowledgements
  readonly effects: Effects
}): DeliveryVerdict {
  const { sent, acknowledgements, effects } = evidence
  let lost = 0
  for (const number of acknowledgements.numbers) if (!effects.numbers.has(number)) lost++
  return {
    sent,
    acknowledged: acknowledgements.numbers.size,
    delivered: effects.numbers.size,
    lost,
    duplicated: effects.duplicated,
    outOfOrder: effects.outOfOrder,
    late: effects.late,
    booksBalance: acknowledgements.books.balances(effects.books),
  }
}

export function judgeLog(census: LogCensus, acknowledgements: Acknowledgements): LogVerdict {
  return { records: census.records, voided: census.voided, missing: census.missing(acknowledgements) }
}

/** What is wrong, in words; nothing if the verdict is good. `logs` by the cluster's name. */
export function objections(delivery: DeliveryVerdict, logs: Readonly<Record<string, LogVerdict>>): string[] {
  const found: string[] = []
  const { sent, acknowledged, delivered, lost, duplicated, outOfOrder, booksBalance } = delivery
  if (acknowledged !== sent) found.push(`${sent} sent, but ${acknowledged} acknowledged`)
  if (delivered !== acknowledged) found.push(`${acknowledged} acknowledged, but ${delivered} delivered`)
  if (lost > 0) found.push(`${lost} acknowledged and lost`)
  if (duplicated > 0) found.push(`${duplicated} delivered more than once`)
  if (outOfOrder > 0) found.push(`${outOfOrder} delivered out of order`)
  if (!booksBalance) found.push('the books do not balance')
  for (const [cluster, { missing }] of Object.entries(logs)) {
    if (missing > 0) found.push(`the log of ${cluster} lacks ${missing} acknowledged messages`)
  }
  return found
}
