/**
 * Keys of the journal's database.
 *
 * One byte for the kind, then numbers big-endian, so that LevelDB's order is ours: a partition's entries are one range
 * in the order of places. A partition has a short id, which the database keeps, and which is never given twice.
 */
import type { KeyRange } from '@tandem/level'

const OWNER = 1
const PARTITION = 2
const MARK = 3
const FORGONE = 4
const ENTRY = 5
const LETTER = 6
const LETTERS_NEXT = 7

export const ownerKey = Buffer.of(OWNER)
export const ownerRange: KeyRange = { gte: ownerKey, lt: Buffer.of(OWNER + 1) }
/** The number that the next dead letter gets. */
export const lettersNextKey = Buffer.of(LETTERS_NEXT)

export function partitionKey(id: number): Buffer {
  return keyOf(PARTITION, id)
}

export function entryKey(id: number, place: number): Buffer {
  return keyOf(ENTRY, id, place)
}

export function markKey(id: number, cluster: string): Buffer {
  return Buffer.concat([keyOf(MARK, id), Buffer.from(cluster)])
}

export function forgoneKey(id: number, place: number, cluster: string): Buffer {
  return Buffer.concat([keyOf(FORGONE, id, place), Buffer.from(cluster)])
}

export function letterKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(1 + PLACE_BYTES)
  key[0] = LETTER
  writePlace(key, number, 1)
  return key
}

/** Entries from one place on up to another, which is not among them. */
export function entryRange(id: number, first: number, end: number): KeyRange {
  return { gte: entryKey(id, first), lt: entryKey(id, end) }
}

export function forgoneRange(id: number, first: number, end: number): KeyRange {
  return { gte: keyOf(FORGONE, id, first), lt: keyOf(FORGONE, id, end) }
}

/** Entries of the partitions from an id on. */
export function entriesFrom(id: number): KeyRange {
  return { gte: keyOf(ENTRY, id), lt: Buffer.of(ENTRY + 1) }
}

export function partitionsFrom(id: number): KeyRange {
  return { gte: partitionKey(id), lt: Buffer.of(PARTITION + 1) }
}

export function marksOf(id: number): KeyRange {
  return { gte: keyOf(MARK, id), lt: keyOf(MARK, id + 1) }
}

export function lettersFrom(number: number): KeyRange {
  return { gte: letterKey(number), lt: Buffer.of(LETTER + 1) }
}

/** Of the key of a partition, mark, forgone place or entry; undefined if it is none, since its block was damaged. */
export function idOf(key: Buffer): number | undefined {
  return key.length >= 1 + ID_BYTES ? key.readUInt32BE(1) : undefined
}

/** Of the key of an entry or of a forgone place. */
export function placeOf(key: Buffer): number | undefined {
  return key.length >= PLACED_BYTES ? readPlace(key, 1 + ID_BYTES) : undefined
}

export function markedCluster(key: Buffer): string {
  return key.toString('utf8', 1 + ID_BYTES)
}

export function forgoingCluster(key: Buffer): string {
  return key.toString('utf8', PLACED_BYTES)
}

export function letterNumber(key: Buffer): number | undefined {
  return key.length === 1 + PLACE_BYTES ? readPlace(key, 1) : undefined
}

function keyOf(kind: number, id: number, place?: number): Buffer {
  const key = Buffer.allocUnsafe(place === undefined ? 1 + ID_BYTES : PLACED_BYTES)
  key[0] = kind
  key.writeUInt32BE(id, 1)
  if (place !== undefined) writePlace(key, place, 1 + ID_BYTES)
  return key
}

function writePlace(key: Buffer, place: number, at: number): void {
  key.writeUInt32BE(Math.floor(place / 2 ** 32), at)
  key.writeUInt32BE(place % 2 ** 32, at + 4)
}

function readPlace(key: Buffer, at: number): number {
  return key.readUInt32BE(at) * 2 ** 32 + key.readUInt32BE(at + 4)
}

const ID_BYTES = 4
const PLACE_BYTES = 8
const PLACED_BYTES = 1 + ID_BYTES + PLACE_BYTES
