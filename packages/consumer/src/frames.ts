import { decodeFrame, isTandemError, streamKey, type FramedMessage, type Stamp } from '@tandem/common/internal'

import type { FeedIndex } from './core/feed.js'
import type { FeedRecord } from './kafka/feed-client.js'

/** A record with a run of messages, the first of which has the counter `first`. */
export interface FrameRecord extends FeedRecord {
  readonly first: number
  /** One for each message; or why nobody can tell them apart. */
  readonly messages: readonly FeedRecord[] | Error
}

export function isFrame(record: FeedRecord): record is FrameRecord {
  return 'messages' in record
}

/**
 * Unpacks the frames of one partition.
 *
 * One that cannot be unpacked is as if its log did not have it, and the other log's copy is waited for. If that is no
 * better, the whole run is one delivery without a value, for whoever keeps what cannot be handled. What is remembered
 * for that is bounded; what is forgotten of it stays a hole.
 */
export class Frames {
  /** Runs that each log has and that could not be unpacked, the oldest first. */
  readonly #broken: readonly [Set<string>, Set<string>] = [new Set(), new Set()]

  /** @returns the reason if it cannot be unpacked, and the other log may have a better copy. */
  unpack(feed: FeedIndex, record: FeedRecord, stamp: Stamp): FrameRecord | string {
    const { first, count } = stamp
    try {
      const messages = decodeFrame(record.value, count).map((message) => messageOf(record, message))
      return { ...record, first, messages }
    } catch (error) {
      if (!isTandemError(error, 'TANDEM_FRAME_MALFORMED')) throw error
      const { epoch, incarnation } = stamp
      const run = `${streamKey(stamp)}/${epoch}/${incarnation}/${first}/${count}`
      if (this.#broken[feed === 0 ? 1 : 0].has(run)) return { ...record, first, messages: error }
      const broken = this.#broken[feed]
      broken.add(run)
      if (broken.size > BROKEN_MAX) broken.delete(broken.values().next().value!)
      return error.message
    }
  }
}

function messageOf({ topic, partition, offset }: FeedRecord, message: FramedMessage): FeedRecord {
  const { key, value, timestampMs, headers } = message
  return {
    topic,
    partition,
    offset,
    key: asBuffer(key),
    value: asBuffer(value),
    timestampMs,
    headers: bytesOf(headers),
  }
}

/** A view, no copy. */
function asBuffer(bytes: Uint8Array | null): Buffer | null {
  if (bytes === null || Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function bytesOf(headers: FramedMessage['headers']): FeedRecord['headers'] {
  if (headers.length === 0) return NO_HEADERS
  return headers.map((header) =>
    Object.fromEntries(Object.entries(header).map(([name, text]) => [name, Buffer.from(text)])),
  )
}

const NO_HEADERS: FeedRecord['headers'] = []
const BROKEN_MAX = 1_000
