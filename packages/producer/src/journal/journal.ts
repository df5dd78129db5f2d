/**
 * What a producer keeps on disk: sealed records in the order in which they were stamped, per partition, and how far
 * each cluster is done with them. A queue of a lane that is too long for memory goes on here, what neither cluster
 * takes is accepted here, and what a life leaves behind the next one finds (protocol.md, Lanes and tracks 12).
 *
 * Each entry has a place: 1, 2, 3 … per partition, over all lives, without gaps. A cluster is done with a place when
 * its log holds the record or never will. Below the smaller of the two marks nobody needs an entry any more, and it
 * goes. Marks may be older than the truth, since they are not forced to disk: then something is written again, which
 * is harmless.
 *
 * Dead letters lie beside the queue: messages whose `send()` was rejected, until they are imported.
 */
import type { Outcome, Position } from '@tandem/common/internal'

import type { LaneIndex, WireHeaders } from '../core/record.js'
import type { Mark, ShelfFound } from '../core/shelf.js'

/** One record on disk: all that is needed to write the same bytes again, and to void it. */
export interface JournalEntry {
  readonly topic: string
  readonly partition: number
  /** From 1. */
  readonly place: number
  /** The sequence: this producerId's, of this life or of an earlier one. */
  readonly epoch: number
  readonly incarnation: number
  readonly keyRange: number
  readonly first: number
  readonly count: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** The stamp among them; none at all, if its message lies among the dead letters instead. */
  readonly headers: WireHeaders
  readonly timestampMs: number
  /** Its place among all records of its life, whatever the partition. */
  readonly ordinal: number
  /** When it was stamped, by the machine's clock. */
  readonly sealedWallMs: number
  /** Bytes of all entries of this partition that were ever appended before this one, by `bytes` of each. */
  readonly bytesBefore: number
  /** What it counts for, as `SealedRecord.bytes`. */
  readonly bytes: number
}

/** How far a cluster is done with a partition. */
export type JournalMark = Mark

export interface JournalOwner {
  readonly producerId: string
  readonly epoch: number
  readonly incarnation: number
  /** Names of the clusters, in the order of lanes; kept marks are found again by name. */
  readonly clusters: readonly [string, string]
}

/** What earlier lives left. */
export interface JournalContents {
  readonly partitions: readonly JournalPartition[]
  readonly deadLetters: number
  /**
   * Damaged bytes that were left out, about: what was appended last may be missing, of a partition or of all, and its
   * places be given again. A hole with entries behind it shows when it is read. A write cut short by a crash is none.
   */
  readonly droppedBytes: number
}

/** What they left of a partition. */
export type JournalPartition = ShelfFound

/** A run of entries as they lie on disk. */
export interface JournalRun {
  readonly entries: readonly JournalEntry[]
  /** The place to go on from: above everything that was looked at. */
  readonly next: number
  /** Places in between that cannot be read. */
  readonly damaged: readonly { readonly first: number; readonly last: number; readonly reason: string }[]
}

export interface DeadLetter {
  readonly position: Position
  readonly keyRange: number
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: WireHeaders
  readonly timestampMs: number
  /** What its `send()` said. */
  readonly outcome: Outcome
  readonly reason: string
  readonly rejectedWallMs: number
  /** By name of cluster: its log cannot hold the record below this offset. Not there: anywhere. */
  readonly from: Readonly<Record<string, number>>
}

/** A dead letter with the name under which `exhume` removes it; or why it cannot be read. */
export type BuriedLetter =
  { readonly name: string; readonly letter: DeadLetter } | { readonly name: string; readonly damaged: string }

/**
 * A journal on some disk.
 *
 * Calls of `append` come one after the other; the others may come at any time. What rejects is told by an event and
 * tried again; nothing of it was done.
 */
export interface Journal {
  /**
   * Locks it for this process, names the owner in it and says what is there.
   *
   * Rejects with JournalFailedError (not writable, or the disk fails), JournalLockedError, JournalForeignError
   * (another producerId's, or of other clusters), JournalVersionError (written by a newer tandem).
   */
  open(owner: JournalOwner): Promise<JournalContents>
  /**
   * Resolves when all of them are on disk for good. They continue the places of their partitions. With none, it finds
   * out whether the disk takes anything (again).
   *
   * Rejects with JournalFailedError: for this life none of them is there, and their places are free. With
   * `details.undone: false` it could not be seen to that the next life does not find them after all.
   */
  append(entries: readonly JournalEntry[]): Promise<void>
  /** What lies from a place on, at most so much of it; at least one entry or damaged place if there is any. */
  read(from: { topic: string; partition: number; place: number }, limits: ReadLimits): Promise<JournalRun>
  /** Notes marks and removes what both lanes are done with. On disk soon, not at once. */
  mark(marks: readonly JournalMark[]): Promise<void>
  /**
   * Resolves when it is on disk for good that a lane will never write this place: then it may be voided. Otherwise a later
   * life could write it behind the void, and take that for a copy.
   */
  forgo(at: { topic: string; partition: number; place: number; lane: LaneIndex }): Promise<void>
  /**
   * Resolves when they are on disk for good, all messages of one record. If an entry had it, `left` takes its place in the
   * same step: the same without payload and headers, so that no later life writes what an import may have sent again.
   */
  bury(letters: readonly DeadLetter[], left?: JournalEntry): Promise<void>
  /** Puts a letter in the place of another, in one go: the one or the other is there, whatever happens. */
  rebury(name: string, letter: DeadLetter): Promise<void>
  /** Dead letters in the order of burying; what is changed meanwhile does not come twice. */
  deadLetters(): AsyncIterable<BuriedLetter>
  exhume(name: string): Promise<void>
  /** Gives up the lock. What was marked is on disk then. */
  close(): Promise<void>
}

export interface ReadLimits {
  readonly entriesMax: number
  readonly bytesMax: number
}

/** Opens a journal at a path. */
export type JournalFactory = (path: string) => Journal
