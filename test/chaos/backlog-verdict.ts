/**
 * The verdict on who worked off a backlog: what each life of a group handled, by what it wrote down, against what the
 * flood had acknowledged.
 */
import { NumberSet } from '@tandem/cli/internal'

import { FLUSHED_MS } from '../simulation/checkers/no-duplicate.js'
import type { Peak } from '../simulation/checkers/history.js'
import { FAULTS, type FaultKind } from '../simulation/plan.js'
import { transferOf } from './load.js'
import type { ReaderLine } from './reader.js'
import type { Figures, Verdict } from './verdict.js'

/** What one life handled. */
export class Reading {
  /** By message, when it did so for the first time. */
  readonly handledAtMs = new Map<number, number>()
  /** When it was killed; undefined if it was not. */
  killedAtMs: number | undefined
  /** Handled beyond the first time. */
  again = 0
  /** Handled after a later message of their account. */
  disordered = 0
  readonly #accounts: number
  readonly #lastOf = new Map<number, number>()

  constructor(accounts: number) {
    this.#accounts = accounts
  }

  handle([atMs, ...numbers]: ReaderLine): void {
    for (const number of numbers) {
      if (this.handledAtMs.has(number)) {
        this.again++
        continue
      }
      this.handledAtMs.set(number, atMs)
      const { from } = transferOf(number, this.#accounts)
      if (number < (this.#lastOf.get(from) ?? 0)) this.disordered++
      else this.#lastOf.set(from, number)
    }
  }

  /** Whether it must have been stored that this was handled. */
  hadStored(number: number): boolean {
    const atMs = this.handledAtMs.get(number)
    return atMs !== undefined && this.killedAtMs !== undefined && atMs < this.killedAtMs - FLUSHED_MS
  }
}

export function judgeBacklog(evidence: {
  readonly name: string
  readonly acknowledged: NumberSet
  /** In their order. */
  readonly lives: readonly Reading[]
  readonly memory: Peak
  readonly recoverySeconds: number
  readonly faults: ReadonlyMap<FaultKind, number>
}): Verdict {
  const { name, acknowledged, lives, memory, recoverySeconds, faults } = evidence
  const handled = new NumberSet()
  let duplicated = 0
  let flushed = 0
  lives.forEach((life, index) => {
    duplicated += life.again
    for (const number of life.handledAtMs.keys()) {
      if (handled.add(number)) continue
      duplicated++
      if (lives.slice(0, index).some((before) => before.hadStored(number))) flushed++
    }
  })
  const sum = (count: (life: Reading) => number): number => lives.reduce((total, life) => total + count(life), 0)
  const twice = sum(({ again }) => again)
  const outOfOrder = sum(({ disordered }) => disordered)
  const lost = [...acknowledged].filter((number) => !handled.has(number)).length
  const figures: Figures = {
    name,
    acknowledged: acknowledged.size,
    delivered: handled.size,
    lost,
    duplicated,
    unexplainedDuplicates: twice + flushed,
    outOfOrder,
    late: 0,
    recoverySeconds,
    residentBytesMax: memory.peak,
    faults: Object.fromEntries(FAULTS.map((fault) => [fault, faults.get(fault) ?? 0])) as Figures['faults'],
    missing: {},
  }
  const counted: [count: number, complaint: string][] = [
    [lost, 'acknowledged messages were not handled'],
    [twice, 'messages were handled twice by one process'],
    [flushed, 'messages were handled, stored as finished, and came again'],
    [outOfOrder, 'messages were handled after later ones of their account'],
  ]
  return {
    figures,
    complaints: [
      ...counted.filter(([count]) => count > 0).map(([count, complaint]) => `${count} ${complaint}`),
      ...(memory.peak > memory.allowed ? [`${memory.what}: ${memory.peak} where ${memory.allowed} are allowed`] : []),
    ],
    effects: {},
  }
}
