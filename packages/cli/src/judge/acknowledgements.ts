import { streamKey, type Position, type SequenceId } from '@tandem/common/internal'

import type { Books } from './books.js'
import { NumberSet } from './number-set.js'
import { asTransfer, type Transfer } from './transfer.js'

/** One line of the acknowledgement file: a transfer whose `send()` resolved, and where its receipt put it. */
export interface Acknowledgement extends Transfer, Position {
  readonly keyRange: number
}

/**
 * What the acknowledgement file says: which messages tandem took on, and under which positions.
 *
 * The positions serve one question only: which message a void in a log stands for, since a void has no payload.
 */
export class Acknowledgements {
  readonly numbers = new NumberSet()
  readonly books: Books
  readonly #sequences = new Map<string, Uint32Array>()

  constructor(books: Books) {
    this.books = books
  }

  add(acknowledgement: Acknowledgement): void {
    if (!this.numbers.add(acknowledgement.number)) return
    this.books.apply(acknowledgement)
    this.#place(acknowledgement)
  }

  /** Number of the message at a counter of a sequence, or undefined if none was acknowledged there. */
  numberAt(sequence: SequenceId, counter: number): number | undefined {
    return this.#sequences.get(sequenceKey(sequence))?.[counter] || undefined
  }

  /** Highest counter of a sequence that was acknowledged; 0 if none. */
  counterMax(sequence: SequenceId): number {
    const numbers = this.#sequences.get(sequenceKey(sequence))
    if (numbers === undefined) return 0
    let counter = numbers.length - 1
    while (counter > 0 && numbers[counter] === 0) counter--
    return counter
  }

  #place({ number, counter, ...sequence }: Acknowledgement): void {
    const key = sequenceKey(sequence)
    let numbers = this.#sequences.get(key)
    if (numbers === undefined || counter >= numbers.length) {
      const grown = new Uint32Array(Math.max(1024, counter + 1, (numbers?.length ?? 0) * 2))
      if (numbers !== undefined) grown.set(numbers)
      this.#sequences.set(key, (numbers = grown))
    }
    numbers[counter] = number
  }
}

/** The acknowledgement in one parsed line, or undefined if it is none. */
export function asAcknowledgement(value: unknown): Acknowledgement | undefined {
  const transfer = asTransfer(value)
  if (transfer === undefined) return undefined
  const { producerId, epoch, incarnation, counter, keyRange } = value as Record<string, unknown>
  if (typeof producerId !== 'string' || !isCount(epoch) || !isCount(incarnation) || !isCount(keyRange)) return undefined
  if (!isCount(counter) || counter < 1 || counter > COUNTER_MAX) return undefined
  return { ...transfer, producerId, epoch, incarnation, counter, keyRange }
}

/** A counter is an index into memory here; a sequence of a judged load is never this long. */
const COUNTER_MAX = 2 ** 27

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function sequenceKey(sequence: SequenceId): string {
  return `${sequence.epoch}.${sequence.incarnation}/${streamKey(sequence)}`
}
