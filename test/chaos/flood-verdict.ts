/**
 * The verdict on a flood: what its process wrote down, against both logs, read whole by a bare client. Nobody
 * subscribes to it, so the bare client stands for a group: delivered is what at least one log holds.
 */
import { Acknowledgements, Books } from '@tandem/cli/internal'

import type { Peak } from '../simulation/checkers/history.js'
import { FAULTS, type FaultKind } from '../simulation/plan.js'
import type { FloodLine } from './flood.js'
import { transferOf } from './load.js'
import type { OrderedCensus } from './ordered-census.js'
import type { Figures, Verdict } from './verdict.js'

/** What the process of a flood wrote down, line by line. */
export class FloodRecord {
  readonly acknowledgements = new Acknowledgements(new Books({ accounts: 0, opening: 0 }))
  readonly events = new Map<string, number>()
  readonly rejected = new Map<string, number>()
  /** How many messages it had sent when it said that all was decided. */
  sent: number | undefined
  readonly #accounts: number
  #life: { readonly producerId: string; readonly epoch: number; readonly incarnation: number } | undefined

  constructor(accounts: number) {
    this.#accounts = accounts
  }

  handle(line: FloodLine): void {
    if ('kind' in line) {
      switch (line.kind) {
        case 'begun':
          this.#life = line
          return
        case 'rejected':
          this.rejected.set(line.code, (this.rejected.get(line.code) ?? 0) + 1)
          return
        case 'event':
          this.events.set(line.event, (this.events.get(line.event) ?? 0) + 1)
          return
        case 'closed':
          this.sent = line.sent
          return
        default:
          throw new Error(`no such line: ${JSON.stringify(line satisfies never)}`)
      }
    }
    const [number, counter, keyRange] = line
    const { producerId, epoch, incarnation } = this.#life!
    this.acknowledgements.add({
      ...transferOf(number, this.#accounts),
      producerId,
      epoch,
      incarnation,
      counter,
      keyRange,
    })
  }
}

export function judgeFlood(evidence: {
  readonly name: string
  readonly record: FloodRecord
  readonly censuses: Readonly<Record<string, OrderedCensus>>
  /** Resident memory of its process. */
  readonly memory: Peak
  readonly recoverySeconds: number
  readonly faults: ReadonlyMap<FaultKind, number>
  /** Events that show that the harm did what it is for. */
  readonly told: readonly string[]
}): Verdict {
  const { name, record, memory, recoverySeconds, faults, told } = evidence
  const censuses = Object.entries(evidence.censuses)
  const { acknowledgements, rejected, sent } = record
  const acknowledged = acknowledgements.numbers.size
  let lost = 0
  for (const number of acknowledgements.numbers) {
    if (censuses.every(([, { numbers }]) => !numbers.has(number))) lost++
  }
  const missing = Object.fromEntries(censuses.map(([name, census]) => [name, census.missing(acknowledgements)]))
  const outOfOrder = censuses.reduce((sum, [, { disordered }]) => sum + disordered, 0)
  const refused = [...rejected.values()].reduce((sum, count) => sum + count, 0)
  const figures: Figures = {
    name,
    acknowledged,
    delivered: acknowledged - lost,
    lost,
    duplicated: 0,
    unexplainedDuplicates: 0,
    outOfOrder,
    late: 0,
    recoverySeconds,
    residentBytesMax: memory.peak,
    faults: Object.fromEntries(FAULTS.map((fault) => [fault, faults.get(fault) ?? 0])) as Figures['faults'],
    missing,
  }
  const counted: [count: number, complaint: string][] = [
    [lost, 'acknowledged messages are in neither log'],
    [outOfOrder, 'messages stand in a log behind later ones'],
    ...[...rejected].map(([code, count]): [number, string] => [count, `sends were rejected: ${code}`]),
    ...Object.entries(missing).map(([name, count]): [number, string] => [
      count,
      `acknowledged messages the log of ${name} neither holds nor voids`,
    ]),
  ]
  return {
    figures,
    complaints: [
      ...counted.filter(([count]) => count > 0).map(([count, complaint]) => `${count} ${complaint}`),
      ...(sent === undefined ? ['it did not come to its end in time'] : []),
      ...(sent !== undefined && sent !== acknowledged + refused
        ? [`${sent} were sent, ${acknowledged} resolved, ${refused} rejected`]
        : []),
      ...(memory.peak > memory.allowed ? [`${memory.what}: ${memory.peak} where ${memory.allowed} are allowed`] : []),
      ...told.filter((event) => !record.events.has(event)).map((event) => `nobody told of ${event}`),
    ],
    effects: Object.fromEntries(
      censuses.flatMap(([name, { records, numbers, voided }]) => [
        [`again in ${name}`, records - numbers.size],
        [`voided in ${name}`, voided],
      ]),
    ),
  }
}
