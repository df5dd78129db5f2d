import { Encoder } from '@msgpack/msgpack'
import {
  HighWaterStoreUnusableError,
  Intervals,
  isProducerId,
  msgpack,
  printable,
  received,
} from '@tandem/common/internal'

import type { Mark } from '../core/marks.js'
import type { StoredFeed, StoredSequence, StoredStream } from '../core/stored-stream.js'
import { isUnstamped } from '../core/unstamped.js'
import type { Fields, FinishedCounters } from './high-water-store.js'

/**
 * A position as the named fields of a store, and back.
 *
 * `f:<cluster>` is `[resume offset, [offset, digest, …], forgotten epoch]`, the marks in ascending order. `s:<stream>` is
 * `[key range, producerId, [sequence …]]`, a sequence `[epoch, incarnation, frontier, finished, rejected, feeds, origin, last seen]` with
 * intervals as flat pairs and `feeds` as `{cluster: [last offset, [first, last, offset, …], read from]}`. MessagePack.
 *
 * What is read is checked, since nothing after it is: a store may be damaged, or filled by somebody else, and from a
 * position that is wrong messages would be lost. Fields of other names, and what a later version adds at the end of an
 * array, are left alone.
 */
export interface StoredPosition {
  /** By cluster; missing where the group has never read. */
  readonly feeds: Readonly<Record<string, StoredPlace>>
  readonly streams: readonly StoredStream[]
}

/** Where a feed resumes, and by which its log is known again. */
export interface StoredPlace {
  readonly resumeOffset: number
  /** Below the resume offset, ascending. */
  readonly marks: readonly Mark[]
  /** Of sequences up to this epoch some were forgotten; -1 or left out if none. */
  readonly forgottenEpoch?: number
}

export function encodeFeed({ resumeOffset, marks, forgottenEpoch = -1 }: StoredPlace): Uint8Array {
  const flat = marks.flatMap(({ offset, digest }) => [offset, digest])
  return encoder.encode(forgottenEpoch < 0 ? [resumeOffset, flat] : [resumeOffset, flat, forgottenEpoch])
}

export function encodeStream(stream: StoredStream): Uint8Array {
  const sequences = stream.sequences.map((one) => [
    one.epoch,
    one.incarnation,
    one.frontier,
    one.finished.toArray(),
    one.rejected.toArray(),
    Object.fromEntries(
      Object.entries(one.feeds).map(([cluster, feed]) => [
        cluster,
        [feed.lastOffset, feed.voids.flatMap(({ first, last, offset }) => [first, last, offset]), feed.readFrom],
      ]),
    ),
    one.origin,
    // The next minute: it may be kept for too long, not too short.
    Math.ceil(one.lastSeenMs / MINUTE_MS),
  ])
  return encoder.encode([stream.keyRange, stream.producerId, sequences])
}

export function feedField(cluster: string): string {
  return `f:${cluster}`
}

export function streamField(key: string): string {
  return `s:${key}`
}

/** @throws HighWaterStoreUnusableError `TANDEM_HIGH_WATER_STORE_UNUSABLE`: a field is not what this codec writes. */
export function decodePosition(fields: Fields): StoredPosition {
  const feeds = byCluster<StoredPlace>()
  const streams: StoredStream[] = []
  for (const [name, bytes] of fields) {
    try {
      if (name.startsWith('f:')) feeds[name.slice(2)] = decodeFeed(msgpack.decode(bytes))
      else if (name.startsWith('s:')) streams.push(decodeStream(msgpack.decode(bytes)))
    } catch (cause) {
      const field = printable(name, FIELD_CHARACTERS_MAX)
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new HighWaterStoreUnusableError(`The stored field ${field} cannot be read: ${reason}`, { field }, cause)
    }
  }
  return { feeds, streams }
}

/** What some fields of a position say is finished, in runs. */
export function finishedIn(fields: Fields): FinishedCounters[] {
  return decodePosition(fields).streams.flatMap(({ keyRange, producerId, sequences }) =>
    sequences.flatMap(({ epoch, incarnation, finished }) =>
      [...finished].map(({ first, last }) => ({ keyRange, producerId, epoch, incarnation, first, last })),
    ),
  )
}

/** @throws HighWaterStoreUnusableError `TANDEM_HIGH_WATER_STORE_UNUSABLE`: a store gave what is no position. */
export function checkFinished(booked: readonly FinishedCounters[]): readonly FinishedCounters[] {
  for (const one of booked) {
    try {
      integer(one.keyRange, 'key range', 0)
      producer(one.producerId)
      integer(one.epoch, 'epoch', 0)
      integer(one.incarnation, 'incarnation', 0)
      integer(one.last, 'last counter', integer(one.first, 'first counter', 1))
    } catch (cause) {
      throw new HighWaterStoreUnusableError(`What is booked cannot be read: ${(cause as Error).message}`, {}, cause)
    }
  }
  return booked
}

function decodeFeed(value: unknown): StoredPlace {
  const [resumeOffset, marks = [], forgottenEpoch = -1] = list(value, 'feed')
  const resume = integer(resumeOffset, 'resume offset', 0)
  const flat = list(marks, 'marks')
  const decoded: Mark[] = []
  for (let i = 0; i < flat.length; i += 2) {
    const offset = integer(flat[i], 'offset of a mark', (decoded.at(-1)?.offset ?? -2) + 1)
    decoded.push({ offset, digest: integer(flat[i + 1], 'digest of a mark', 0, DIGEST_MAX) })
  }
  if ((decoded.at(-1)?.offset ?? -1) >= resume) throw wrong('marks', marks, 'offsets below the resume offset')
  const epoch = integer(forgottenEpoch, 'forgotten epoch', -1)
  return { resumeOffset: resume, marks: decoded, ...(epoch < 0 ? {} : { forgottenEpoch: epoch }) }
}

function decodeStream(value: unknown): StoredStream {
  const [keyRange, producerId, sequences] = list(value, 'stream')
  return {
    keyRange: integer(keyRange, 'key range', 0),
    producerId: producer(producerId),
    sequences: list(sequences, 'sequences').map(decodeSequence),
  }
}

function decodeSequence(value: unknown): StoredSequence {
  // Positions that were stored by earlier versions lack the end.
  const [epoch, incarnation, frontier, finished, rejected, feeds, origin = 1, lastSeen = 0] = list(value, 'sequence')
  return {
    epoch: integer(epoch, 'epoch', 0),
    incarnation: integer(incarnation, 'incarnation', 0),
    frontier: integer(frontier, 'frontier', 0),
    // Who was born at the last counter there is owes nothing.
    origin: integer(origin, 'origin', 1, Number.MAX_SAFE_INTEGER + 1),
    finished: decodeIntervals(finished, 'finished'),
    rejected: decodeIntervals(rejected, 'rejected'),
    lastSeenMs: integer(lastSeen, 'last seen', 0, MINUTES_MAX) * MINUTE_MS,
    feeds: decodeFeeds(feeds),
  }
}

function decodeIntervals(value: unknown, what: string): Intervals {
  const flat = list(value, what)
  let least = 1
  for (let i = 0; i < flat.length; i += 2) {
    const first = integer(flat[i], what, least)
    least = integer(flat[i + 1], what, first) + 1
  }
  return Intervals.fromArray(flat as readonly number[])
}

function decodeFeeds(value: unknown): Record<string, StoredFeed> {
  if (Object.prototype.toString.call(value) !== '[object Object]') throw wrong('feeds', value, 'a map')
  const feeds = byCluster<StoredFeed>()
  for (const [cluster, feed] of Object.entries(value as Record<string, unknown>)) {
    const [lastOffset, voids, readFrom = 0] = list(feed, 'feed of a sequence')
    feeds[cluster] = {
      lastOffset: integer(lastOffset, 'last offset', -1),
      readFrom: integer(readFrom, 'read from', 0),
      voids: decodeVoids(voids),
    }
  }
  return feeds
}

function decodeVoids(value: unknown): StoredFeed['voids'] {
  const flat = list(value, 'voids')
  const voids = []
  for (let i = 0; i < flat.length; i += 3) {
    const first = integer(flat[i], 'first of a void', 1)
    const last = integer(flat[i + 1], 'last of a void', first)
    voids.push({ first, last, offset: integer(flat[i + 2], 'offset of a void', 0) })
  }
  return voids
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrong(what, value, 'an array')
}

function producer(value: unknown): string {
  if (isProducerId(value) || (typeof value === 'string' && isUnstamped(value))) return value
  throw wrong('producerId', value, 'a producerId')
}

function integer(value: unknown, what: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
  throw wrong(what, value, `an integer from ${min} to ${max}`)
}

function wrong(what: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`${what}: received ${received(value)}, allowed is ${allowed}`)
}

/** Inherits nothing: a cluster may be called `constructor`. */
function byCluster<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>
}

const MINUTE_MS = 60_000
/** Of a Date. */
const MINUTES_MAX = 8.64e15 / MINUTE_MS
/** CRC-32. */
const DIGEST_MAX = 2 ** 32 - 1
/** One for all: each has a buffer of its own that it fills again. */
const encoder = new Encoder()
const FIELD_CHARACTERS_MAX = 160
