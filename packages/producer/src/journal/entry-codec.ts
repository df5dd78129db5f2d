/**
 * What the journal keeps, as bytes: `1`, a CRC32 of key and body, the body, which is an array in MessagePack.
 *
 * LevelDB does not check its own checksums when it reads a block, and after a repair it may bring back what lay in a
 * damaged one. So every value carries a checksum of ours, over its key too: bytes under a wrong key are as damaged as
 * wrong bytes. Damage is a value and not an exception, since a journal goes on behind it. What a later version adds at
 * the end of an array is left alone.
 */
import { crc32 } from 'node:zlib'

import { msgpack, received, type Outcome, type Position } from '@tandem/common/internal'

import type { WireHeaders } from '../core/record.js'
import type { DeadLetter, JournalEntry } from './journal.js'

/** Why something cannot be read. */
export class Damage {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

export function encodeEntry(key: Uint8Array, entry: JournalEntry): Buffer {
  return pack(key, [
    entry.topic,
    entry.partition,
    entry.place,
    entry.epoch,
    entry.incarnation,
    entry.keyRange,
    entry.first,
    entry.count,
    entry.key,
    entry.value,
    flat(entry.headers),
    entry.timestampMs,
    entry.ordinal,
    entry.sealedWallMs,
    entry.bytesBefore,
    entry.bytes,
  ])
}

export function decodeEntry(key: Uint8Array, bytes: Uint8Array): JournalEntry | Damage {
  return unpack(key, bytes, (fields) => ({
    topic: fields.text('topic'),
    partition: fields.integer('partition', 0),
    place: fields.integer('place', 1),
    epoch: fields.integer('epoch', 0),
    incarnation: fields.integer('incarnation', 0),
    keyRange: fields.integer('key range', 0),
    first: fields.integer('first counter', 1),
    count: fields.integer('count', 1),
    key: fields.payload('key'),
    value: fields.payload('value'),
    headers: fields.headers(),
    timestampMs: fields.time('timestamp'),
    ordinal: fields.integer('ordinal', 0),
    sealedWallMs: fields.time('time of sealing'),
    bytesBefore: fields.integer('bytes before', 0),
    bytes: fields.integer('bytes', 0),
  }))
}

export function encodeLetter(key: Uint8Array, letter: DeadLetter): Buffer {
  const { producerId, epoch, incarnation, counter } = letter.position
  return pack(key, [
    [producerId, epoch, incarnation, counter],
    letter.keyRange,
    letter.topic,
    letter.partition,
    letter.key,
    letter.value,
    flat(letter.headers),
    letter.timestampMs,
    letter.outcome,
    letter.reason,
    letter.rejectedWallMs,
    Object.entries(letter.from).flat(),
  ])
}

export function decodeLetter(key: Uint8Array, bytes: Uint8Array): DeadLetter | Damage {
  return unpack(key, bytes, (fields) => ({
    position: fields.position(),
    keyRange: fields.integer('key range', 0),
    topic: fields.text('topic'),
    partition: fields.integer('partition', 0),
    key: fields.payload('key'),
    value: fields.payload('value'),
    headers: fields.headers(),
    timestampMs: fields.time('timestamp'),
    outcome: fields.outcome(),
    reason: fields.text('reason'),
    rejectedWallMs: fields.time('time of rejection'),
    from: fields.offsets('offsets'),
  }))
}

/** Any array of texts, numbers, bytes, nulls and such arrays, to be kept under `key`. */
export function pack(key: Uint8Array, fields: readonly unknown[]): Buffer {
  const body = msgpack.encode(fields) as Uint8Array // at once, whatever other codecs do
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length)
  bytes[0] = VERSION
  bytes.writeUInt32BE(checksum(key, body), 1)
  bytes.set(body, HEAD_BYTES)
  return bytes
}

/** What `read` makes of the fields, one after the other; it may throw. */
export function unpack<T>(key: Uint8Array, bytes: Uint8Array, read: (fields: Fields) => T): T | Damage {
  if (bytes.length < HEAD_BYTES) return new Damage(`${bytes.length} bytes are too few`)
  if (bytes[0] !== VERSION) return new Damage(`its version is ${bytes[0]}, known is ${VERSION}`)
  const body = bytes.subarray(HEAD_BYTES)
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  if (checksum(key, body) !== stored) return new Damage('its checksum is wrong')
  try {
    return read(new Fields(msgpack.decode(body)))
  } catch (error) {
    return new Damage(error instanceof Error ? error.message : String(error))
  }
}

/** The fields of an array in their order, each checked. */
export class Fields {
  readonly #values: readonly unknown[]
  #at = 0

  constructor(value: unknown) {
    this.#values = list(value, 'record')
  }

  text(what: string): string {
    const value = this.#next()
    if (typeof value === 'string') return value
    throw wrong(what, value, 'a text')
  }

  integer(what: string, min: number): number {
    return integer(this.#next(), what, min)
  }

  time(what: string): number {
    const value = this.#next()
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw wrong(what, value, 'a number')
  }

  payload(what: string): Uint8Array | null {
    const value = this.#next()
    if (value === null || value instanceof Uint8Array) return value
    throw wrong(what, value, 'bytes or null')
  }

  texts(what: string): string[] {
    return list(this.#next(), what).map((value) => {
      if (typeof value === 'string') return value
      throw wrong(what, value, 'texts')
    })
  }

  headers(): WireHeaders {
    const texts = this.texts('headers')
    if (texts.length % 2 !== 0) throw wrong('headers', texts, 'a value for each name')
    const headers = []
    for (let i = 0; i < texts.length; i += 2) headers.push(Object.fromEntries([[texts[i]!, texts[i + 1]!]]))
    return headers
  }

  position(): Position {
    const fields = new Fields(this.#next())
    return {
      producerId: fields.text('producerId'),
      epoch: fields.integer('epoch', 0),
      incarnation: fields.integer('incarnation', 0),
      counter: fields.integer('counter', 1),
    }
  }

  /** Offsets by name of cluster; none in what an earlier version wrote. */
  offsets(what: string): Record<string, number> {
    const given = this.#next()
    if (given === undefined) return {}
    const fields = list(given, what)
    if (fields.length % 2 !== 0) throw wrong(what, given, 'an offset for each name')
    const offsets = []
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]
      if (typeof name !== 'string') throw wrong(what, name, 'names of clusters')
      offsets.push([name, integer(fields[i + 1], what, 0)])
    }
    return Object.fromEntries(offsets) as Record<string, number>
  }

  outcome(): Outcome {
    const value = this.#next()
    if (value === 'not-written' || value === 'unknown') return value
    throw wrong('outcome', value, "'not-written' or 'unknown'")
  }

  #next(): unknown {
    return this.#values[this.#at++]
  }
}

function flat(headers: WireHeaders): string[] {
  return headers.flatMap((header) => Object.entries(header).flat())
}

function checksum(key: Uint8Array, body: Uint8Array): number {
  return crc32(body, crc32(key))
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrong(what, value, 'an array')
}

function integer(value: unknown, what: string, min: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min) return value as number
  throw wrong(what, value, `an integer from ${min} on`)
}

function wrong(what: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`${what}: received ${received(value)}, allowed is ${allowed}`)
}

const VERSION = 1
/** Version and checksum. */
const HEAD_BYTES = 5
