import { Intervals, streamKey, type SequenceId } from '@tandem/common/internal'

import type { Acknowledgements } from './acknowledgements.js'
import { NumberSet } from './number-set.js'
import type { Transfer } from './transfer.js'

/** The counters that one void record of a log speaks for. */
export interface VoidedRun extends SequenceId {
  readonly first: number
  readonly count: number
}

/**
 * What one log holds, counted by payload number. Order does not matter here; what a log voids and holds too it holds.
 */
export class LogCensus {
  readonly numbers = new NumberSet()
  readonly #voids = new Map<string, { readonly sequence: SequenceId; readonly counters: Intervals }>()
  #records = 0
  #voided = 0
  #foreign = 0

  /** Records with a message of the load, rewritten ones each time. */
  get records(): number {
    return this.#records
  }

  /** Counters that void records speak for. */
  get voided(): number {
    return this.#voided
  }

  /** Records that are neither a message of the load nor a void. */
  get foreign(): number {
    return this.#foreign
  }

  handleTransfer({ number }: Transfer): void {
    this.handleMessage(number)
  }

  handleMessage(number: number): void {
    this.#records++
    this.numbers.add(number)
  }

  handleVoid(run: VoidedRun): void {
    if (run.count === 0) return // by which a producer tries a topic
    this.#voided += run.count
    const key = `${run.epoch}.${run.incarnation}/${streamKey(run)}`
    let voids = this.#voids.get(key)
    if (voids === undefined) this.#voids.set(key, (voids = { sequence: run, counters: new Intervals() }))
    voids.counters.add(run.first, run.first + run.count - 1)
  }

  handleForeign(): void {
    this.#foreign++
  }

  /** Acknowledged messages that this log neither holds nor voids. */
  missing(acknowledgements: Acknowledgements): number {
    const voided = this.#voidedNumbers(acknowledgements)
    let missing = 0
    for (const number of acknowledgements.numbers) if (!this.numbers.has(number) && !voided.has(number)) missing++
    return missing
  }

  #voidedNumbers(acknowledgements: Acknowledgements): NumberSet {
    const numbers = new NumberSet()
    for (const { sequence, counters } of this.#voids.values()) {
      const counterMax = acknowledgements.counterMax(sequence)
      for (const { first, last } of counters) {
        for (let counter = first; counter <= Math.min(last, counterMax); counter++) {
          const number = acknowledgements.numberAt(sequence, counter)
          if (number !== undefined) numbers.add(number)
        }
      }
    }
    return numbers
  }
}
