/**
 * Messages whose `send()` was rejected, kept on disk with what was said, until somebody imports them. No opinion of its
 * own.
 */
import { decodeFrame, Tally, type Clock, type Outcome, type Position, type TandemFact } from '@tandem/common/internal'

import type { SealedRecord } from './core/record.js'
import type { DeadLetter, Journal, JournalEntry } from './journal/journal.js'
import { positionOf, positionsOf } from './receipt.js'

export interface DeadLettersOptions {
  readonly journal: Journal
  /** Names of the clusters, and below which offset of each a record cannot lie. */
  readonly clusters: readonly [string, string]
  readonly from: (record: SealedRecord) => readonly [number, number]
  /** What is to be left of the record's entry in the journal, if it has one. */
  readonly leftOf: (record: SealedRecord) => JournalEntry | undefined
  readonly clock: Clock
  readonly tell: (fact: TandemFact) => void
  readonly run: () => void
}

export class DeadLetters {
  readonly #options: DeadLettersOptions
  /** Put here in this life, less what was taken away. */
  buried = 0
  /** Of this life, records of letters that a lane may still write. */
  readonly #open = new Map<string, SealedRecord>()
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
    const left = this.#options.leftOf(record)
    const { topic, partition } = record
    const common = {
      keyRange: record.sequence.keyRange,
      topic,
      partition,
      outcome,
      reason,
      rejectedWallMs: Math.floor(this.#options.clock.wall()),
      from: this.fromOf(this.#options.from(record)),
    }
    const letters = messagesOf(record).map((message) => ({ ...common, ...message }))
    this.watch(record)
    this.#try({ letters, left, buried })
  }

  fromOf([first, second]: readonly [number, number]): DeadLetter['from'] {
    const { clusters } = this.#options
    return { [clusters[0]]: first, [clusters[1]]: second }
  }

  /** It is a letter's, and a lane may still write it. */
  watch(record: SealedRecord): void {
    if (record.settled) return
    for (const name of namesOf(record)) this.#open.set(name, record)
  }

  /** No lane will write it any more. */
  handleSettled(record: SealedRecord): void {
    if (this.#open.size === 0) return
    for (const name of namesOf(record)) this.#open.delete(name)
  }

  /** What the lanes of this life make of a letter's record, while that is open. */
  here({ topic, keyRange, position }: DeadLetter): 'waits' | 'acknowledged' | undefined {
    const record = this.#open.get(positionName(topic, keyRange, position))
    if (record === undefined) return undefined
    return record.copies.some(({ state }) => state === 'acknowledged') ? 'acknowledged' : 'waits'
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
    const answer = journal.bury(burial.letters, burial.left).then(
      () => this.#handleBuried(burial),
      (error: unknown) => this.#handleFailed(burial, error instanceof Error ? error.message : String(error)),
    )
    this.#underWay = Promise.all([this.#underWay, answer.then(() => this.#closed || run())]).then(() => undefined)
  }

  #handleBuried({ letters, buried }: Burial): void {
    this.buried += letters.length
    const { outcome, topic } = letters[0]!
    this.#kept.handle(`${outcome} ${topic}`, letters.length, this.#options.clock.now())
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

/** Of a position, with the stream that it counts in. */
export function positionName(topic: string, keyRange: number, { epoch, incarnation, counter }: Position): string {
  return `${keyRange}/${epoch}/${incarnation}/${counter}/${topic}`
}

/** Each message of a record by itself, as it would have been written alone. */
function messagesOf(
  record: SealedRecord,
): readonly Pick<DeadLetter, 'position' | 'key' | 'value' | 'headers' | 'timestampMs'>[] {
  const { count, key, value, headers, timestampMs, sequence, first } = record
  if (count === 1) return [{ position: positionOf(record), key, value, headers, timestampMs }]
  return decodeFrame(value, count).map((message, index) => {
    const stamp = { tandem: sequence.stamps.encode('data', first + index, 1) }
    return { ...message, position: positionOf(record, first + index), headers: [stamp, ...message.headers] }
  })
}

function namesOf(record: SealedRecord): string[] {
  return positionsOf(record).map((position) => positionName(record.topic, record.sequence.keyRange, position))
}

interface Burial {
  readonly letters: readonly DeadLetter[]
  readonly left: JournalEntry | undefined
  readonly buried: (() => void) | undefined
}

const AGAIN_MS = 1_000
const AGAIN_MAX = 1_000
