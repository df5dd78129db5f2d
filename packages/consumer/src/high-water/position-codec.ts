import { decode, encode } from '@msgpack/msgpack'
import { HighWaterStoreFailedError, Intervals } from '@tandem/common/internal'

import type { StoredFeed, StoredSequence, StoredStream } from '../core/stored-stream.js'
import type { Fields } from './high-water-store.js'

/**
 * A position as the named fields of a store, and back.
 *
 * `f:<cluster>` is `[resume offset, marks]`; marks stay empty until logs are compared with them. `s:<stream>` is
 * `[key range, producerId, [sequence …]]`, a sequence `[epoch, incarnation, frontier, finished, rejected, feeds, origin]` with
 * intervals as flat pairs and `feeds` as `{cluster: [last offset, [first, last, offset, …]]}`. MessagePack.
 */
export interface StoredPosition {
  /** By cluster; missing where the group has never read. */
  readonly resumeOffsets: Readonly<Record<string, number>>
  readonly streams: readonly StoredStream[]
}

export function encodeFeed(resumeOffset: number): Uint8Array {
  return encode([resumeOffset, []])
}

export function encodeStream(stream: StoredStream): Uint8Array {
  const sequences = stream.sequences.map(({ epoch, incarnation, frontier, origin, finished, rejected, feeds }) => [
    epoch,
    incarnation,
    frontier,
    finished.toArray(),
    rejected.toArray(),
    Object.fromEntries(
      Object.entries(feeds).map(([cluster, feed]) => [
        cluster,
        [feed.lastOffset, feed.voids.flatMap(({ first, last, offset }) => [first, last, offset])],
      ]),
    ),
    origin,
  ])
  return encode([stream.keyRange, stream.producerId, sequences])
}

export function feedField(cluster: string): string {
  return `f:${cluster}`
}

export function streamField(key: string): string {
  return `s:${key}`
}

/** @throws HighWaterStoreFailedError `TANDEM_HIGH_WATER_STORE_FAILED`: a field is not what this codec writes. */
export function decodePosition(fields: Fields): StoredPosition {
  const resumeOffsets: Record<string, number> = {}
  const streams: StoredStream[] = []
  for (const [name, bytes] of fields) {
    try {
      const value = decode(bytes) as never
      if (name.startsWith('f:')) resumeOffsets[name.slice(2)] = (value as [number])[0]
      else if (name.startsWith('s:')) streams.push(decodeStream(value))
    } catch (cause) {
      throw new HighWaterStoreFailedError(`The stored field ${name} cannot be read`, { field: name }, cause)
    }
  }
  return { resumeOffsets, streams }
}

type EncodedFeed = [lastOffset: number, voids: number[]]
/** Positions that were stored before there was an origin lack it. */
type EncodedSequence = [number, number, number, number[], number[], Record<string, EncodedFeed>, origin?: number]

function decodeStream([keyRange, producerId, sequences]: [number, string, EncodedSequence[]]): StoredStream {
  return { keyRange, producerId, sequences: sequences.map(decodeSequence) }
}

function decodeSequence(encoded: EncodedSequence): StoredSequence {
  const [epoch, incarnation, frontier, finished, rejected, encodedFeeds, origin = 1] = encoded
  const feeds: Record<string, StoredFeed> = {}
  for (const [cluster, [lastOffset, flat]] of Object.entries(encodedFeeds)) {
    const voids = []
    for (let i = 0; i + 2 < flat.length; i += 3)
      voids.push({ first: flat[i]!, last: flat[i + 1]!, offset: flat[i + 2]! })
    feeds[cluster] = { lastOffset, voids }
  }
  return {
    epoch,
    incarnation,
    frontier,
    origin,
    finished: Intervals.fromArray(finished),
    rejected: Intervals.fromArray(rejected),
    feeds,
  }
}
