/**
 * Imports dead letters: finds out for each whether one of the logs has its message after all, and sends again only what
 * none has, nor ever will (protocol.md, Lanes and tracks 13). The decision is core/lookup.ts; this carries questions
 * and answers.
 *
 * In rounds, since there may be more letters than memory: a round reads some, has voids of their positions written to
 * both logs, reads each partition's logs once for all of them, and lets go of those that are found. The others are sent;
 * before a lane gets such a message, its letter names the new position, so that after a crash the next import looks for
 * that one. Whatever does not get an answer in time stays as it is.
 */
import { setMaxListeners } from 'node:events'

import { decodeStamp, STAMP_HEADER, type Clock, type TandemFact } from '@tandem/common/internal'

import { fateOf, Lookup, type Sought, type Word } from './core/lookup.js'
import type { LaneIndex } from './core/record.js'
import { positionName } from './dead-letters.js'
import type { DeadLetter, Journal } from './journal/journal.js'
import type { LogReader, LogRecord } from './kafka/log-reader.js'

/** How many letters came to which end; but for `sent` and `found` they are still there. */
export interface ImportReport {
  /** Sent again and acknowledged. */
  readonly sent: number
  /** One of the logs had the message all the time: it is, or will be, delivered. */
  readonly found: number
  /** A lane still has the message and may write it, or there was no time or no room for the letter. */
  readonly pending: number
  /** A cluster that may have the message did not say so in time. */
  readonly undecided: number
  /** Sent again, and rejected again. */
  readonly failed: number
  /** Cannot be read. */
  readonly damaged: number
}

export interface LetterImportOptions {
  readonly journal: Journal
  readonly clock: Clock
  readonly clusters: readonly [string, string]
  readonly lettersMax: number
  /** What this life's lanes make of a letter's record, while that is open. */
  readonly here: (letter: DeadLetter) => 'waits' | 'acknowledged' | undefined
  /** Whether the journal has something of an earlier life that this partition's lanes still need. */
  readonly leftovers: (topic: string, partition: number) => boolean
  /** How many partitions a cluster has of a topic; undefined if it does not say. */
  readonly partitions: (lane: LaneIndex, topic: string) => Promise<number | undefined>
  /** Has a void of its position written; false if the cluster refuses it. It may never answer. */
  readonly void: (lane: LaneIndex, letter: DeadLetter) => Promise<boolean>
  readonly reader: (lane: LaneIndex) => LogReader
  readonly send: (letter: DeadLetter, rebury: Rebury) => Resend
  readonly exhumed: () => void
  readonly tell: (fact: TandemFact) => void
}

/** Puts a letter that names the new position in the place of the old one. */
export type Rebury = (letter: DeadLetter) => Promise<void>

/** A message that is sent again. */
export interface Resend {
  /** `kept`: it was not stamped, and nothing happened. */
  readonly end: Promise<'sent' | 'failed' | 'kept'>
  readonly abort: () => void
}

interface Buried {
  readonly name: string
  readonly letter: DeadLetter
}

export class LetterImport {
  readonly #options: LetterImportOptions
  readonly #ending = new AbortController()
  readonly #counts = { sent: 0, found: 0, pending: 0, undecided: 0, failed: 0, damaged: 0 }
  readonly #imported = new Map<string, number>()
  readonly #left = new Map<string, number>()
  /** Partitions whose leftovers were still needed when the first of their letters was read. */
  readonly #unfinished = new Map<string, boolean>()

  constructor(options: LetterImportOptions) {
    this.#options = options
    setMaxListeners(0, this.#ending.signal) // one for each message that is sent again
  }

  /** Nothing more is begun, and what is under way is not waited for. */
  stop(): void {
    this.#ending.abort()
  }

  /** Rejects with JournalFailedError if the letters cannot be read. */
  async run(timeoutMs: number): Promise<ImportReport> {
    const { clock, journal } = this.#options
    const cancel = clock.schedule(clock.now() + timeoutMs, () => this.stop())
    try {
      let round: Buried[] = []
      let bytes = 0
      for await (const found of journal.deadLetters()) {
        if ('damaged' in found) {
          this.#leave('damaged')
          continue
        }
        if (this.#over || this.#mayBeAnEntry(found.letter)) {
          this.#leave('pending')
          continue
        }
        round.push(found)
        bytes += found.letter.value?.length ?? 0
        if (round.length < LETTERS_MAX && bytes < LETTERS_BYTES_MAX) continue
        await this.#round(round)
        round = []
        bytes = 0
      }
      await this.#round(round)
    } finally {
      cancel()
    }
    return { ...this.#counts }
  }

  get #over(): boolean {
    return this.#ending.signal.aborted
  }

  async #round(letters: readonly Buried[]): Promise<void> {
    const lost: Buried[] = []
    const groups = new Map<string, Buried[]>()
    const found: Buried[] = []
    for (const buried of await this.#withoutTwins(letters)) {
      const { letter } = buried
      const here = this.#options.here(letter)
      if (here === 'waits') this.#leave('pending')
      else if (here === 'acknowledged') found.push(buried)
      else {
        const name = `${letter.partition}/${letter.topic}`
        const group = groups.get(name)
        if (group === undefined) groups.set(name, [buried])
        else group.push(buried)
      }
    }
    await inTurn([...groups.values()], PARTITIONS_AT_A_TIME, async (group) => {
      const words = await this.#lookUp(group)
      for (const buried of group) {
        const word = (lane: LaneIndex): Word | undefined => words[lane]?.word(this.#sought(lane, buried))
        const fate = fateOf([word(0), word(1)])
        if (fate === 'found') found.push(buried)
        else if (fate === 'nowhere') lost.push(buried)
        else this.#leave('undecided')
      }
    })
    await inTurn(found, this.#options.lettersMax, (buried) => this.#exhume(buried, 'found'))
    await inTurn(lost, this.#options.lettersMax, (buried) => this.#sendAgain(buried))
    this.#tell()
  }

  /**
   * A letter that was being sent again when its process died may lie in the journal, too, until a lane has written that,
   * or it is a second letter. Asked when letters are read, since one that is buried after that is not among them.
   */
  #mayBeAnEntry({ outcome, topic, partition }: DeadLetter): boolean {
    if (outcome !== 'unknown') return false
    const name = `${partition}/${topic}`
    const unfinished = this.#unfinished.get(name) ?? this.#options.leftovers(topic, partition)
    this.#unfinished.set(name, unfinished)
    return unfinished
  }

  /**
   * If a process died while it sent a letter again, the disk may have had the message as an entry, too; and if both
   * clusters refused that, as a second letter of the same position. One of the two is enough.
   */
  async #withoutTwins(letters: readonly Buried[]): Promise<Iterable<Buried>> {
    const kept = new Map<string, Buried>()
    const twins: { readonly of: string; readonly name: string }[] = []
    for (const buried of letters) {
      const { topic, keyRange, position } = buried.letter
      const of = positionName(topic, keyRange, position)
      if (kept.has(of)) twins.push({ of, name: buried.name })
      else kept.set(of, buried)
    }
    await inTurn(twins, this.#options.lettersMax, async ({ of, name }) => {
      try {
        await this.#options.journal.exhume(name)
        this.#options.exhumed()
      } catch {
        // Both stay, or the message would be sent twice.
        this.#leave('pending')
        if (kept.delete(of)) this.#leave('pending')
      }
    })
    return kept.values()
  }

  /** What each log says of letters of one partition; undefined if it does not say. */
  async #lookUp(group: readonly Buried[]): Promise<readonly [Lookup | undefined, Lookup | undefined]> {
    const enough = new AbortController()
    const stop = (): void => enough.abort()
    this.#ending.signal.addEventListener('abort', stop)
    if (this.#over) stop()
    const ask = async (lane: LaneIndex): Promise<Lookup | undefined> => {
      const lookup = await this.#ask(lane, group, enough.signal)
      // One log is enough, if it has everything; the other may be away for long.
      if (lookup !== undefined && group.every((buried) => lookup.word(this.#sought(lane, buried)) === 'data')) stop()
      return lookup
    }
    const words = await Promise.all([ask(0), ask(1)])
    this.#ending.signal.removeEventListener('abort', stop)
    return words
  }

  async #ask(lane: LaneIndex, group: readonly Buried[], signal: AbortSignal): Promise<Lookup | undefined> {
    const { topic, partition } = group[0]!.letter
    let lookup: Lookup | undefined
    let voids: Promise<boolean[]> | undefined
    while (!signal.aborted) {
      const partitions = await unlessAborted(signal, this.#options.partitions(lane, topic))
      if (partitions !== undefined && partition < partitions) {
        // First the voids: from then on the log's word is final.
        voids ??= Promise.all(group.map(({ letter }) => this.#options.void(lane, letter)))
        const written = await unlessAborted(signal, voids)
        if (written === undefined) return lookup
        lookup = (await this.#read(lane, group, signal)) ?? lookup
        if (lookup?.open === 0 || (lookup !== undefined && written.includes(false))) return lookup
      }
      await this.#pause(signal)
    }
    return lookup
  }

  async #read(lane: LaneIndex, group: readonly Buried[], signal: AbortSignal): Promise<Lookup | undefined> {
    const { topic, partition } = group[0]!.letter
    const wanted = group.map((buried) => this.#sought(lane, buried))
    const from = Math.min(...wanted.map((one) => one.from))
    const lookup = new Lookup(wanted)
    try {
      const span = await this.#options.reader(lane).read({ topic, partition, from, signal }, (record) => {
        const stamp = stampOf(record)
        if (stamp !== undefined) lookup.handleStamp(stamp)
        return lookup.open > 0
      })
      lookup.handleSpan(span)
    } catch {
      return undefined // it is asked again while there is time
    }
    return lookup
  }

  #sought(lane: LaneIndex, { letter: { position, keyRange, from } }: Buried): Sought {
    const cluster = this.#options.clusters[lane]
    return { position, keyRange, from: Object.hasOwn(from, cluster) ? from[cluster]! : 0 }
  }

  async #exhume({ name, letter }: Buried, fate: 'sent' | 'found'): Promise<void> {
    try {
      await this.#options.journal.exhume(name)
    } catch {
      // Its message is in a log. The next import finds it there.
      this.#leave('pending')
      return
    }
    this.#options.exhumed()
    this.#counts[fate]++
    add(this.#imported, `${fate} ${letter.topic}`)
  }

  async #sendAgain(buried: Buried): Promise<void> {
    if (this.#over) return this.#leave('pending')
    const { journal, send } = this.#options
    const { end, abort } = send(buried.letter, (letter) => journal.rebury(buried.name, letter))
    const { signal } = this.#ending
    signal.addEventListener('abort', abort)
    const outcome = await end
    signal.removeEventListener('abort', abort)
    if (outcome === 'sent') await this.#exhume(buried, 'sent')
    else this.#leave(outcome === 'failed' ? 'failed' : 'pending')
  }

  #leave(reason: 'pending' | 'undecided' | 'failed' | 'damaged'): void {
    this.#counts[reason]++
    add(this.#left, reason)
  }

  #tell(): void {
    for (const [label, count] of this.#imported) {
      const [fate, topic] = label.split(' ') as [string, string]
      this.#options.tell({ kind: 'dead-letter-imported', topic, fate, count })
    }
    for (const [reason, count] of this.#left) this.#options.tell({ kind: 'dead-letter-left', reason, count })
    this.#imported.clear()
    this.#left.clear()
  }

  #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = clock.schedule(clock.now() + AGAIN_MS, done)
      signal.addEventListener('abort', done)
    })
  }
}

/** As consumers read it: what is no stamp says nothing. */
function stampOf({ headers }: LogRecord): ReturnType<typeof decodeStamp> | undefined {
  const header = headers.find((one) => Object.hasOwn(one, STAMP_HEADER))
  if (header === undefined) return undefined
  try {
    return decodeStamp(header[STAMP_HEADER]!)
  } catch {
    return undefined
  }
}

function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve(undefined)
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Does the same with each, some at a time. */
async function inTurn<T>(items: readonly T[], atATime: number, act: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < items.length) await act(items[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(items.length, atATime) }, work))
}

function add(counts: Map<string, number>, label: string): void {
  counts.set(label, (counts.get(label) ?? 0) + 1)
}

/** Of one round; their payloads are in memory meanwhile. */
const LETTERS_MAX = 10_000
const LETTERS_BYTES_MAX = 16 << 20
/** Each is read from both clusters at once, by clients of their own. */
const PARTITIONS_AT_A_TIME = 2
/** A cluster that does not answer is asked again after this. */
const AGAIN_MS = 1_000
