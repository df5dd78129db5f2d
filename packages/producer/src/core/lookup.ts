/**
 * What one log says of positions that somebody wants to know: is a message there, or will it never count?
 *
 * A log's first word on a counter stands, be it data or void (protocol.md, Arbitration 1). So whoever has a void of a
 * position written to a log, and then reads from where its record could first stand, comes to the log's final word:
 * what is there before the void is delivered, and what comes behind it is believed by nobody. Without the void there is
 * no final word, since a request may lie in a broker's socket for as long as it likes (Lanes and tracks 13).
 *
 * Nothing is concluded from what was not read. A position of which a log said nothing has no word; and a void proves
 * nothing if the place where the record could stand is gone: removed by retention, or lost with the end of a log that
 * is shorter than it was.
 */
import type { Position, Stamp } from '@tandem/common/internal'

/** A position, in full, and below which offset the log cannot hold it. */
export interface Sought {
  readonly position: Position
  readonly keyRange: number
  readonly from: number
}

/** Where a log begins, and the offset of the next record to be written. */
export interface LogSpan {
  readonly start: number
  readonly end: number
}

export type Word = 'data' | 'void'

/** - `found`: one log has it, and the arbiter delivers it. `nowhere`: no log has it, nor ever will. */
export type Fate = 'found' | 'nowhere' | 'undecided'

export class Lookup {
  readonly #sequences = new Map<string, Map<number, Word | undefined>>()
  #open = 0
  #span: LogSpan | undefined

  constructor(sought: Iterable<Sought>) {
    for (const { position, keyRange } of sought) {
      const name = sequenceOf({ ...position, keyRange })
      let counters = this.#sequences.get(name)
      if (counters === undefined) this.#sequences.set(name, (counters = new Map<number, Word | undefined>()))
      if (!counters.has(position.counter)) this.#open++
      counters.set(position.counter, undefined)
    }
  }

  /** Positions of which the log has said nothing yet. */
  get open(): number {
    return this.#open
  }

  /** The stamp of the next record of the log. */
  handleStamp(stamp: Stamp): void {
    const counters = this.#sequences.get(sequenceOf(stamp))
    if (counters === undefined) return
    const { first, count } = stamp
    const word: Word = stamp.kind === 'void' ? 'void' : 'data'
    if (count < counters.size) {
      for (let counter = first; counter < first + count; counter++) this.#say(counters, counter, word)
    } else {
      for (const counter of counters.keys()) {
        if (counter >= first && counter < first + count) this.#say(counters, counter, word)
      }
    }
  }

  /** What of the log there was to be read. */
  handleSpan(span: LogSpan): void {
    this.#span = span
  }

  /** The log's final word, once it has been read. */
  word({ position, keyRange, from }: Sought): Word | undefined {
    if (this.#span === undefined) return undefined
    const word = this.#sequences.get(sequenceOf({ ...position, keyRange }))?.get(position.counter)
    const whole = from >= this.#span.start && from <= this.#span.end
    return word === 'data' || whole ? word : undefined
  }

  #say(counters: Map<number, Word | undefined>, counter: number, word: Word): void {
    if (!counters.has(counter) || counters.get(counter) !== undefined) return
    counters.set(counter, word)
    this.#open--
  }
}

/** What both logs say together. */
export function fateOf(words: readonly [Word | undefined, Word | undefined]): Fate {
  if (words.includes('data')) return 'found'
  return words.includes(undefined) ? 'undecided' : 'nowhere'
}

function sequenceOf(at: Omit<Stamp, 'kind' | 'first' | 'count'>): string {
  return `${at.keyRange}/${at.epoch}/${at.incarnation}/${at.producerId}`
}
