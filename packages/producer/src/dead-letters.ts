/**
 * Messages whose `send()` was rejected, kept on disk with what was said, until somebody imports them. No opinion of its
 * own.
 */
import type { Clock, Outcome, TandemFact } from '@tandem/common/internal'

import type { SealedRecord } from './core/record.js'
import type { ProducerIdentity } from './core/sequencer.js'
import { Tally } from './core/tally.js'
import type { Journal } from './journal/journal.js'
import { positionOf } from './receipt.js'

export interface DeadLettersOptions {
  readonly journal: Journal
  readonly identity: ProducerIdentity
  readonly clock: Clock
  readonly tell: (fact: TandemFact) => void
  readonly run: () => void
}

export class DeadLetters {
  readonly #options: DeadLettersOptions
  readonly #kept = new Tally()
  #underWay: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  bury(record: SealedRecord, outcome: Outcome, reason: string): void {
    const { journal, identity, clock, tell, run } = this.#options
    const { topic, partition, key, value, headers, timestampMs, count } = record
    const letter = {
      position: positionOf(identity, record),
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
    const answer = journal.bury(letter).then(
      () => this.#kept.handle(`${outcome} ${topic}`, count, clock.now()),
      (error: unknown) =>
        tell({ kind: 'journal-failed', reason: error instanceof Error ? error.message : String(error) }),
    )
    this.#underWay = Promise.all([this.#underWay, answer.then(() => this.#closed || run())])
  }

  /** Facts that are due; they come by the thousand. */
  *facts(): Generator<TandemFact> {
    for (let told = this.#kept.poll(); told !== undefined; told = this.#kept.poll()) {
      const [outcome, topic] = told.label.split(' ') as [string, string]
      yield { kind: 'dead-letter-kept', topic, outcome, count: told.count }
    }
  }

  deadline(): number | undefined {
    return this.#kept.deadline()
  }

  handleDeadline(now: number): void {
    this.#kept.handleDeadline(now)
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#underWay
    this.#kept.close(this.#options.clock.now())
    for (const fact of this.facts()) this.#options.tell(fact)
  }
}
