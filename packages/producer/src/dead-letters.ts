/**
 * Messages whose `send()` was rejected, kept on disk with what was said, until somebody imports them. No opinion of its
 * own.
 */
import { Tally, type Clock, type Outcome, type TandemFact } from '@tandem/common/internal'

import type { SealedRecord } from './core/record.js'
import type { DeadLetter, Journal } from './journal/journal.js'
import { positionOf } from './receipt.js'

export interface DeadLettersOptions {
  readonly journal: Journal
  readonly clock: Clock
  readonly tell: (fact: TandemFact) => void
  readonly run: () => void
}

export class DeadLetters {
  readonly #options: DeadLettersOptions
  /** In this life. */
  buried = 0
  readonly #kept = new Tally()
  /** What the disk did not take and must take: tried again. */
  #again: Burial[] = []
  #againAt = Infinity
  #underWay: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /**
   * Keeps a message with what was said of it.
   *
   * @param buried if given, it is tried until it is on disk, and then told so: until then the journal must not let go
   *   of the record. Else it is tried once, since its sender has it, too.
   */
  bury(record: SealedRecord, outcome: Outcome, reason: string, buried?: () => void): void {
    const { clock } = this.#options
    const { topic, partition, key, value, headers, timestampMs, count } = record
    const letter: DeadLetter = {
      position: positionOf(record),
      keyRange: record.sequence.keyRange,
      topic,
      partition,
      key,
      value,
      headers,
      timestampMs,
      outcome,
      reason,
      rejectedWallMs: Math.floor(clock.wall()),
    }
    this.#try({ letter, count, buried })
  }

  /** Facts that are due; they come by the thousand. */
  *facts(): Generator<TandemFact> {
    for (let told = this.#kept.poll(); told !== undefined; told = this.#kept.poll()) {
      const [outcome, topic] = told.label.split(' ') as [string, string]
      yield { kind: 'dead-letter-kept', topic, outcome, count: told.count }
    }
  }

  deadline(): number | undefined {
    const due = Math.min(this.#againAt, this.#kept.deadline() ?? Infinity)
    return due === Infinity ? undefined : due
  }

  handleDeadline(now: number): void {
    this.#kept.handleDeadline(now)
    if (now < this.#againAt) return
    this.#againAt = Infinity
    const again = this.#again
    this.#again = []
    for (const burial of again) this.#try(burial)
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#underWay
    this.#kept.close(this.#options.clock.now())
    for (const fact of this.facts()) this.#options.tell(fact)
  }

  #try(burial: Burial): void {
    const { journal, run } = this.#options
    const answer = journal.bury(burial.letter).then(
      () => this.#handleBuried(burial),
      (error: unknown) => this.#handleFailed(burial, error instanceof Error ? error.message : String(error)),
    )
    this.#underWay = Promise.all([this.#underWay, answer.then(() => this.#closed || run())]).then(() => undefined)
  }

  #handleBuried({ letter, count, buried }: Burial): void {
    this.buried++
    this.#kept.handle(`${letter.outcome} ${letter.topic}`, count, this.#options.clock.now())
    if (!this.#closed) buried?.()
  }

  #handleFailed(burial: Burial, reason: string): void {
    const { tell, clock } = this.#options
    if (this.#againAt === Infinity) tell({ kind: 'journal-failed', reason })
    // Beyond the bound they stay where they are: in the journal, for the next life.
    if (burial.buried === undefined || this.#again.length >= AGAIN_MAX) return
    this.#again.push(burial)
    this.#againAt = Math.min(this.#againAt, clock.now() + AGAIN_MS)
  }
}

interface Burial {
  readonly letter: DeadLetter
  readonly count: number
  readonly buried: (() => void) | undefined
}

const AGAIN_MS = 1_000
const AGAIN_MAX = 1_000
