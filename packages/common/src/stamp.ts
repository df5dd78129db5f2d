/**
 * The stamp: one record header that says where a record stands in its sequence.
 *
 * ASCII text, because node-rdkafka passes a produced header's value through a C string: bytes that are no UTF-8 are
 * replaced there, and everything behind a NUL is cut off. The header is named `tandem`, its value is
 *
 *     1:<kind>:<producerId>:<epoch>:<incarnation>:<keyRange>:<first>:<count>
 *
 * with decimal numbers without leading zeros and kind `d` (data), `f` (frame) or `v` (void). Version 1 ignores what
 * comes after a further `:`, so that later fields need no new version. `test/vectors/stamp.json` shows all limits.
 *
 * Decoding happens for every record of both clusters, duplicates included: it reads bytes by hand and allocates one
 * object.
 */
import { invariant, InvariantError, StampMalformedError } from './errors.js'
import { printable, received } from './received.js'
import type { SequenceId } from './sequence.js'

export type StampKind = 'data' | 'frame' | 'void'

/** A run of `count` counters from `first` on. Numbers are integers; those without another limit are below 2^53. */
export interface Stamp {
  readonly kind: StampKind
  /** 1 … 128 of `A-Z a-z 0-9 . _ -`. */
  readonly producerId: string
  readonly epoch: number
  /** 0 … 2^32 - 1. */
  readonly incarnation: number
  /** 0 … 2^31 - 1. */
  readonly keyRange: number
  /** From 1. */
  readonly first: number
  /** From 1; exactly 1 for data; 0 for a void of nothing, too. `first + count - 1` is below 2^53. */
  readonly count: number
}

/** Name of the record header. */
export const STAMP_HEADER = 'tandem'

/** A version 1 stamp takes 205 bytes at most; the rest is room for later fields. */
export const STAMP_BYTES_MAX = 512

export function isProducerId(text: unknown): text is string {
  return typeof text === 'string' && PRODUCER_ID.test(text)
}

export function encodeStamp(stamp: Stamp): string {
  return new StampEncoder(stamp).encode(stamp.kind, stamp.first, stamp.count)
}

/** Encodes the stamps of one sequence; what does not change is checked and printed once. */
export class StampEncoder {
  readonly #data: string
  readonly #frame: string
  readonly #void: string

  constructor(sequence: SequenceId) {
    const { producerId, epoch, incarnation, keyRange } = sequence
    invariant(isProducerId(producerId), 'a producerId is 1 to 128 of A-Z a-z 0-9 . _ -', { producerId })
    invariant(within(epoch, 0, Number.MAX_SAFE_INTEGER), 'an epoch is an integer below 2^53', { epoch })
    invariant(within(incarnation, 0, INCARNATION_MAX), 'an incarnation is an integer below 2^32', { incarnation })
    invariant(within(keyRange, 0, KEY_RANGE_MAX), 'a key range is an integer below 2^31', { keyRange })
    const tail = `${producerId}:${epoch}:${incarnation}:${keyRange}:`
    this.#data = `1:d:${tail}`
    this.#frame = `1:f:${tail}`
    this.#void = `1:v:${tail}`
  }

  encode(kind: StampKind, first: number, count: number): string {
    invariant(
      within(first, 1, Number.MAX_SAFE_INTEGER) && within(count, countMin(kind), Number.MAX_SAFE_INTEGER - first + 1),
      'a run of counters lies in 1 to 2^53 - 1',
      { first, count },
    )
    switch (kind) {
      case 'data':
        invariant(count === 1, 'a data record is a run of one', { count })
        return `${this.#data}${first}:1`
      case 'frame':
        return `${this.#frame}${first}:${count}`
      case 'void':
        return `${this.#void}${first}:${count}`
      default:
        throw new InvariantError(`${received(kind satisfies never)} is no kind of a stamp`)
    }
  }
}

/** @throws StampMalformedError `TANDEM_STAMP_MALFORMED`: treat the record as one without a stamp. */
export function decodeStamp(bytes: Uint8Array): Stamp {
  if (!(bytes instanceof Uint8Array)) throw notBytes(bytes)
  if (bytes.length > STAMP_BYTES_MAX) throw malformed(bytes, 'length', `at most ${STAMP_BYTES_MAX} bytes`)
  if (bytes[0] !== DIGIT_1 || bytes[1] !== COLON) throw malformed(bytes, 'version', '1')
  const kind = bytes[3] === COLON ? kindOf(bytes[2]!) : undefined
  if (kind === undefined) throw malformed(bytes, 'kind', 'd, f or v')

  const idEnd = fieldEnd(bytes, PRODUCER_ID_AT)
  const producerId = producerIdAt(bytes, PRODUCER_ID_AT, idEnd)
  if (producerId === undefined) throw malformed(bytes, 'producerId', '1 to 128 of A-Z a-z 0-9 . _ -')

  const epochEnd = fieldEnd(bytes, idEnd + 1)
  const epoch = numberAt(bytes, idEnd + 1, epochEnd)
  if (epoch < 0) throw malformed(bytes, 'epoch', 'an integer, 0 to 2^53 - 1')

  const incarnationEnd = fieldEnd(bytes, epochEnd + 1)
  const incarnation = numberAt(bytes, epochEnd + 1, incarnationEnd)
  if (incarnation < 0 || incarnation > INCARNATION_MAX) {
    throw malformed(bytes, 'incarnation', 'an integer, 0 to 2^32 - 1')
  }

  const keyRangeEnd = fieldEnd(bytes, incarnationEnd + 1)
  const keyRange = numberAt(bytes, incarnationEnd + 1, keyRangeEnd)
  if (keyRange < 0 || keyRange > KEY_RANGE_MAX) throw malformed(bytes, 'keyRange', 'an integer, 0 to 2^31 - 1')

  const firstEnd = fieldEnd(bytes, keyRangeEnd + 1)
  const first = numberAt(bytes, keyRangeEnd + 1, firstEnd)
  if (first < 1) throw malformed(bytes, 'first', 'an integer, 1 to 2^53 - 1')

  const count = numberAt(bytes, firstEnd + 1, fieldEnd(bytes, firstEnd + 1))
  if (count < countMin(kind) || count > Number.MAX_SAFE_INTEGER - first + 1) {
    throw malformed(bytes, 'count', `an integer from ${countMin(kind)}, with first + count - 1 at most 2^53 - 1`)
  }
  if (kind === 'data' && count !== 1) throw malformed(bytes, 'count', '1, since a data record is a run of one')
  return { kind, producerId, epoch, incarnation, keyRange, first, count }
}

/** Only a void may be of nothing. */
function countMin(kind: StampKind): 0 | 1 {
  return kind === 'void' ? 0 : 1
}

function kindOf(byte: number): StampKind | undefined {
  switch (byte) {
    case 0x64:
      return 'data'
    case 0x66:
      return 'frame'
    case 0x76:
      return 'void'
    default:
      return undefined
  }
}

/** Index of the next colon at or after `from`, or the length. */
function fieldEnd(bytes: Uint8Array, from: number): number {
  let end = from
  while (end < bytes.length && bytes[end] !== COLON) end++
  return end
}

/** The decimal number in from … end, or -1 if there is none below 2^53 without leading zeros. */
function numberAt(bytes: Uint8Array, from: number, end: number): number {
  const digits = end - from
  if (digits < 1 || digits > 16 || (digits > 1 && bytes[from] === DIGIT_0)) return -1
  let value = 0
  for (let i = from; i < end; i++) {
    const digit = bytes[i]! - DIGIT_0
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : -1
}

/**
 * The producerId in from … end, or undefined if it is none. The strings seen lately are found again by their bytes:
 * a partition is written by few producers, and one string per producer instead of one per record spares both time and
 * memory. One id per slot, the last one seen.
 */
function producerIdAt(bytes: Uint8Array, from: number, end: number): string | undefined {
  const length = end - from
  if (length < 1 || length > PRODUCER_ID_LENGTH_MAX) return undefined
  const slot = (length + bytes[from]! + bytes[end - 1]! * 7) % PRODUCER_ID_SLOTS
  const known = producerIds[slot]
  if (known !== undefined && known.length === length) {
    let i = 0
    while (i < length && known.charCodeAt(i) === bytes[from + i]) i++
    if (i === length) return known
  }
  const text = asciiAt(bytes, from, end)
  if (!PRODUCER_ID.test(text)) return undefined
  producerIds[slot] = text
  return text
}

function asciiAt(bytes: Uint8Array, from: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(from, end))
}

function malformed(bytes: Uint8Array, field: string, expected: string): StampMalformedError {
  // One byte more than is shown, so that `printable` sees whether something is cut off.
  const shown = printable(asciiAt(bytes, 0, Math.min(bytes.length, 65)))
  return new StampMalformedError(
    `stamp "${shown}" of ${bytes.length} bytes: its ${field} must be ${expected} (${STAMP_FORM})`,
    { field, expected, received: shown, receivedBytes: bytes.length },
  )
}

function notBytes(value: unknown): StampMalformedError {
  const got = received(value)
  return new StampMalformedError(`a stamp must be bytes, received ${got}`, {
    field: 'type',
    expected: 'Uint8Array',
    received: got,
  })
}

function within(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}

const STAMP_FORM = '1:kind:producerId:epoch:incarnation:keyRange:first:count'
const PRODUCER_ID = /^[A-Za-z0-9._-]{1,128}$/
const PRODUCER_ID_LENGTH_MAX = 128
/** Behind `1:d:`. */
const PRODUCER_ID_AT = 4
const INCARNATION_MAX = 0xffffffff
const KEY_RANGE_MAX = 0x7fffffff
const DIGIT_0 = 0x30
const DIGIT_1 = 0x31
const COLON = 0x3a
/** More than the producers that usually write to the partitions of one instance at a time; 64 x 128 bytes at most. */
const PRODUCER_ID_SLOTS = 64
const producerIds: (string | undefined)[] = new Array<string | undefined>(PRODUCER_ID_SLOTS).fill(undefined)
