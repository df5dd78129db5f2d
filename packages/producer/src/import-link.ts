/**
 * Between an import of dead letters and the pipeline that it runs in: has voids of their positions written, asks the
 * clusters how many partitions there are, and sends again what is to be sent. No opinion of its own.
 */
import {
  AbortedError,
  isTandemError,
  partitionsOf,
  type ClusterDescription,
  type TandemFact,
} from '@tandem/common/internal'

import type { Appender } from './core/appender.js'
import type { Lane } from './core/lane.js'
import type { LaneIndex, VoidRecord } from './core/record.js'
import type { KnownSequences, Sequence } from './core/sequencer.js'
import type { DeadLetters } from './dead-letters.js'
import type { DeadLetter, Journal } from './journal/journal.js'
import { LetterImport, type ImportReport, type Rebury, type Resend } from './letter-import.js'
import { readAgain } from './message.js'
import type { ProducerSettings, TopicSettings } from './options.js'
import type { ProducerOutsides } from './outsides.js'
import type { Receipt } from './receipt.js'
import { Send } from './send.js'

export interface ImportLinkOptions {
  readonly settings: ProducerSettings
  readonly outsides: ProducerOutsides
  readonly clusters: readonly [string, string]
  readonly lanes: readonly [Lane, Lane]
  readonly journal: Journal
  readonly appender: Appender
  readonly deadLetters: DeadLetters
  readonly sequences: KnownSequences
  readonly describe: (
    lane: LaneIndex,
    topics: readonly string[],
    done: (description: ClusterDescription | undefined) => void,
  ) => void
  /** Those of the lane's next client. */
  readonly properties: (lane: LaneIndex) => ProducerSettings['clusters'][LaneIndex]['properties']
  readonly topicSettings: (topic: string) => TopicSettings
  readonly handleCall: (send: Send) => void
  readonly handleAborted: (send: Send) => boolean
  readonly tell: (fact: TandemFact) => void
  /** Something happened: let the cores come to rest. */
  readonly run: () => void
}

export class ImportLink {
  readonly #options: ImportLinkOptions
  #import: LetterImport | undefined
  /** Who waits for voids of single counters, per lane. */
  readonly #voiding: readonly [Map<string, (written: boolean) => void>, Map<string, (written: boolean) => void>] = [
    new Map(),
    new Map(),
  ]

  constructor(options: ImportLinkOptions) {
    this.#options = options
  }

  /** Imports what lies among the dead letters; one import at a time. */
  import(timeoutMs: number, signal: AbortSignal | undefined): Promise<ImportReport> {
    const { journal, settings, outsides, clusters, deadLetters, appender, properties, tell } = this.#options
    const letterImport = new LetterImport({
      journal,
      clock: outsides.clock,
      clusters,
      lettersMax: Math.min(LETTERS_AT_A_TIME, settings.unacknowledgedMax),
      here: (letter) => deadLetters.here(letter),
      leftovers: (topic, partition) => appender.shelf(topic, partition)?.leftovers ?? false,
      partitions: (lane, topic) => this.#partitions(lane, topic),
      void: (lane, letter) => this.#void(lane, letter),
      reader: (lane) => outsides.logReader({ cluster: clusters[lane], properties: properties(lane) }),
      send: (letter, rebury) => this.#send(letter, rebury),
      exhumed: () => deadLetters.buried--,
      tell,
    })
    this.#import = letterImport
    const stop = (): void => letterImport.stop()
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop)
    return letterImport.run(timeoutMs).finally(() => {
      this.#import = undefined
      signal?.removeEventListener('abort', stop)
      for (const waiting of this.#voiding) waiting.clear()
    })
  }

  /** It goes no further than it has come. */
  stop(): void {
    this.#import?.stop()
  }

  /** A void that a lane was asked for is in the log, or never will be. */
  handleVoid(lane: LaneIndex, { sequence, first, last }: VoidRecord, written: boolean): void {
    const waiting = this.#voiding[lane]
    if (waiting.size === 0) return
    for (let counter = first; counter <= last; counter++) {
      const name = voidName(sequence, counter)
      waiting.get(name)?.(written)
      waiting.delete(name)
    }
  }

  #partitions(lane: LaneIndex, topic: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      this.#options.describe(lane, [topic], (description) =>
        resolve(description === undefined ? undefined : partitionsOf(description, topic)),
      )
    })
  }

  /** Has a void of a letter's position written, of whichever life that is. */
  #void(lane: LaneIndex, { topic, keyRange, partition, position }: DeadLetter): Promise<boolean> {
    const { lanes, sequences, run } = this.#options
    const { epoch, incarnation, counter } = position
    const sequence = sequences.of({ topic, keyRange, partition, epoch, incarnation })
    return new Promise((resolve) => {
      this.#voiding[lane].set(voidName(sequence, counter), resolve)
      lanes[lane].void(sequence, counter, counter)
      run()
    })
  }

  #send(letter: DeadLetter, rebury: Rebury): Resend {
    const { topicSettings, handleCall, handleAborted } = this.#options
    let abort = (): void => undefined
    const end = new Promise<Receipt>((resolve, reject) => {
      const send = new Send(readAgain(letter), { patient: true, timed: true, alone: true }, resolve, reject)
      send.rebury = (stamped) => rebury(this.#reburied(letter, stamped))
      send.handleEncoded(letter.value, topicSettings(letter.topic).messageBytesMax)
      abort = () => {
        if (!handleAborted(send)) reject(new AbortedError('the import is over', {}))
      }
      handleCall(send)
    }).then(
      () => 'sent' as const,
      (error: unknown) => (keeps(error) ? ('kept' as const) : ('failed' as const)),
    )
    return { end, abort: () => abort() }
  }

  /** The letter under its new position: whatever happens from now on, that is where to look for it. */
  #reburied(letter: DeadLetter, send: Send): DeadLetter {
    const { lanes, deadLetters } = this.#options
    const { keyRange, partition, identity } = send.sequence
    const { topic } = letter
    return {
      ...letter,
      position: { ...identity, counter: send.first },
      keyRange,
      partition,
      headers: send.headersUnder(send.first),
      outcome: 'unknown',
      from: deadLetters.fromOf([lanes[0].end(topic, partition), lanes[1].end(topic, partition)]),
    }
  }
}

function voidName({ topic, keyRange, identity }: Sequence, counter: number): string {
  return `${keyRange}/${identity.epoch}/${identity.incarnation}/${counter}/${topic}`
}

/** Whether nothing happened, and nothing speaks against trying again. */
function keeps(error: unknown): boolean {
  return isTandemError(error) && ['TANDEM_SHED', 'TANDEM_ABORTED', 'TANDEM_CLOSED'].includes(error.code)
}

/** Of letters that are sent again, what is under way at a time; the window is for all callers together. */
const LETTERS_AT_A_TIME = 1_000
