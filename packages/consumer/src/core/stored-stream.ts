import { Intervals } from '@tandem/common/internal'

import type { Sequence } from './sequence.js'
import type { Stream } from './stream.js'

/**
 * What the store keeps of one stream: per sequence the frontier, the origin, the finished and rejected intervals, and each feed's
 * voids below the frontier with their offsets (position.md, What is finished). Debts need no list.
 *
 * Kept by the names of clusters, not by their order, so that a configuration may name them in another order.
 */
export interface StoredFeed {
  readonly lastOffset: number
  /** First counter that it brought, if it may have had others before where it is read from; else 0. */
  readonly readFrom: number
  readonly voids: readonly { readonly first: number; readonly last: number; readonly offset: number }[]
}

export interface StoredSequence {
  readonly epoch: number
  readonly incarnation: number
  readonly frontier: number
  readonly origin: number
  readonly finished: Intervals
  readonly rejected: Intervals
  /** To the minute. */
  readonly lastSeenMs: number
  readonly feeds: Readonly<Record<string, StoredFeed>>
}

export interface StoredStream {
  readonly keyRange: number
  readonly producerId: string
  readonly sequences: readonly StoredSequence[]
}

/** What may be stored of a stream now; `undefined` if nothing of it may be. Forgets voids that nobody needs any more. */
export function storedStream<R>(stream: Stream<R>, clusters: readonly [string, string]): StoredStream | undefined {
  const sequences = stream.sequences
    .filter((sequence) => sequence.storable && sequence.begun)
    .map((sequence) => storedSequence(sequence, clusters))
  if (sequences.length === 0) return undefined
  return { keyRange: stream.keyRange, producerId: stream.producerId, sequences }
}

function storedSequence<R>(sequence: Sequence<R>, clusters: readonly [string, string]): StoredSequence {
  const frontier = sequence.storedFrontier
  const feeds: Record<string, StoredFeed> = {}
  clusters.forEach((cluster, feed) => {
    const voids = sequence.voids[feed]!
    voids.prune(({ first, last }) => {
      for (const open of sequence.finished.missing(first, last)) {
        if (!sequence.rejected.covers(open.first, open.last)) return true
      }
      return false
    })
    feeds[cluster] = {
      lastOffset: sequence.lastOffsets[feed]!,
      readFrom: sequence.readFrom[feed]!,
      voids: [...voids]
        .filter(({ first }) => first <= frontier)
        .map(({ first, last, offset }) => ({ first, last: Math.min(last, frontier), offset })),
    }
  })
  const { epoch, incarnation, origin, finished, rejected, lastSeenMs } = sequence
  return {
    epoch,
    incarnation,
    frontier,
    origin,
    finished: finished.clone(),
    rejected: rejected.clone(),
    lastSeenMs,
    feeds,
  }
}
