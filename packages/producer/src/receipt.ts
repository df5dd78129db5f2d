import type { Position } from '@tandem/common'

import type { SealedRecord } from './core/record.js'

/** What a resolved `send()` returns: where the message stands, and who had it by then. */
export interface Receipt {
  readonly position: Position
  readonly keyRange: number
  readonly partition: number
  /** Per cluster: where its log holds the message; undefined if it did not say so (yet). */
  readonly clusters: Copies
  /** Whether the journal has it on disk: what a cluster lacks it will be written from there, by a later life if need be. */
  readonly journal: boolean
  /**
   * Resolves when the fate of the second copy is known too: written, or given up there for good (undefined). It waits
   * as long as that takes, or until the producer is closed.
   */
  settled(): Promise<Receipt>
}

/** An offset of -1: the log holds the message, and where was forgotten, since its copy went through the journal. */
export interface Copies {
  readonly [cluster: string]: { readonly offset: number } | undefined
}

/** What a receipt needs of the producer that gives it. */
export interface ReceiptSource {
  readonly clusters: readonly [string, string]
  /** Calls back when both copies are final, or nothing more is waited for. */
  readonly whenSettled: (record: SealedRecord, done: () => void) => void
}

/** The receipt of one message: who has it is what the copies of its record say at this moment. */
export class SentReceipt implements Receipt {
  readonly position: Position
  readonly keyRange: number
  readonly partition: number
  readonly clusters: Copies
  readonly journal: boolean
  readonly #source: ReceiptSource
  readonly #record: SealedRecord

  constructor(source: ReceiptSource, record: SealedRecord, counter: number, clusters = copiesOf(source, record)) {
    this.position = positionOf(record, counter)
    this.keyRange = record.sequence.keyRange
    this.partition = record.partition
    this.clusters = clusters
    this.journal = record.journal === 'durable'
    this.#source = source
    this.#record = record
  }

  settled(): Promise<Receipt> {
    const { counter } = this.position
    return new Promise((resolve) =>
      this.#source.whenSettled(this.#record, () => resolve(new SentReceipt(this.#source, this.#record, counter))),
    )
  }
}

/** What receipts of all messages of a record say of its copies now. */
export function copiesOf({ clusters }: ReceiptSource, { copies: [a, b] }: SealedRecord): Copies {
  return {
    [clusters[0]]: a.state === 'acknowledged' ? { offset: a.offset } : undefined,
    [clusters[1]]: b.state === 'acknowledged' ? { offset: b.offset } : undefined,
  }
}

/** Of one of its messages; of the first one if left out. */
export function positionOf({ sequence, first }: SealedRecord, counter = first): Position {
  const { producerId, epoch, incarnation } = sequence.identity
  return { producerId, epoch, incarnation, counter }
}

export function positionsOf(record: SealedRecord): Position[] {
  return Array.from({ length: record.count }, (_, index) => positionOf(record, record.first + index))
}
