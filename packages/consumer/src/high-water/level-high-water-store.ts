import { HighWaterStoreFailedError, HighWaterStoreUnusableError, systemClock } from '@tandem/common/internal'
import { LevelDatabase, type Operation } from '@tandem/level'
import { decode, encode } from '@msgpack/msgpack'

import type { LeaseRecord } from '../core/lease.js'
import type { Member } from '../core/shares.js'
import type {
  Acquired,
  Claim,
  Flush,
  FlushAnswer,
  HighWaterStore,
  PartitionOfGroup,
  Release,
  Renewal,
  Renewed,
  Roll,
  Wish,
} from './high-water-store.js'
import { checkFormat, FORMAT } from './record-format.js'
import { Roster } from './roster.js'
import { acquire, flush, leaseOf, release, renew, want, type StoredRecord } from './stored-record.js'

/**
 * Keeps positions in a folder on this machine's disk: for one instance that has no Redis.
 *
 * A call is answered when what it changed is on disk for good; calls that wait meanwhile share the next write. The
 * folder belongs to one process at a time, and a group that moves to another machine begins again without it.
 *
 * A record is one row with what `stored-record.ts` knows of it, followed by a row for each field. Of a write that failed
 * it is not known what the disk has, so the record is read again from there.
 */
export class LevelHighWaterStore implements HighWaterStore {
  readonly name = 'level'
  readonly #database: LevelDatabase
  #opening: Promise<void> | undefined
  readonly #records = new Map<string, StoredRecord>()
  readonly #roster = new Roster()
  /** One step after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #waiting: Operation[] = []
  #writing: Promise<void> | undefined

  /** @param path a folder, made if it is not there. */
  constructor(path: string) {
    this.#database = new LevelDatabase({
      path,
      reserveBytes: RESERVE_BYTES,
      what: 'high-water store',
      error: (_, text, details, cause) => new HighWaterStoreFailedError(text, details, cause),
    })
  }

  look(partition: PartitionOfGroup): Promise<LeaseRecord> {
    return this.#step(partition, async (key) => ({ result: leaseOf(await this.#read(key)) }))
  }

  acquire(partition: PartitionOfGroup, claim: Claim): Promise<Acquired> {
    return this.#step<Acquired>(partition, async (key) => {
      const known = await this.#read(key)
      const record = acquire(known, claim, systemClock.wall())
      if (record === undefined) return { result: { kind: 'held', lease: leaseOf(known) } }
      const fields = await this.#fields(key)
      const { token, number, bornMs } = record
      const holding = { token, number, bornMs, fields }
      return { written: this.#write(key, record, []), result: { kind: 'acquired', holding } }
    })
  }

  flush(partition: PartitionOfGroup, wanted: Flush): Promise<FlushAnswer> {
    return this.#step(partition, async (key) => {
      const { answer, record } = flush(await this.#read(key), wanted)
      if (record === undefined) return { result: answer }
      const operations: Operation[] = []
      if (wanted.whole) {
        for (const name of (await this.#fields(key)).keys()) operations.push({ type: 'del', key: fieldKey(key, name) })
      }
      for (const [name, bytes] of wanted.fields) {
        operations.push({ type: 'put', key: fieldKey(key, name), value: Buffer.from(bytes) })
      }
      return { written: this.#write(key, record, operations), result: answer }
    })
  }

  renew(partition: PartitionOfGroup, renewal: Renewal): Promise<Renewed> {
    return this.#step(partition, async (key) => {
      const { answer, record } = renew(await this.#read(key), renewal)
      return { ...this.#written(key, record), result: answer }
    })
  }

  want(partition: PartitionOfGroup, wish: Wish): Promise<void> {
    return this.#step(partition, async (key) => this.#written(key, want(await this.#read(key), wish)))
  }

  release(partition: PartitionOfGroup, given: Release): Promise<void> {
    return this.#step(partition, async (key) => this.#written(key, release(await this.#read(key), given)))
  }

  /** Instances that share this folder share this process. */
  meet(groupId: string, roll: Roll): Promise<ReadonlyMap<string, Member>> {
    return Promise.resolve(this.#roster.meet(groupId, roll))
  }

  /** Waits for what is under way and gives the folder up. Whoever calls the store after that opens it again. */
  async close(): Promise<void> {
    await this.#turn
    await this.#opening?.catch(() => undefined)
    this.#opening = undefined
    this.#records.clear()
    await this.#database.close()
  }

  /** Its result, when what it wrote is on disk. */
  #step<T>(
    { groupId, topic, partition }: PartitionOfGroup,
    step: (key: string) => Promise<{ readonly written?: Promise<void>; readonly result: T }>,
  ): Promise<T> {
    const key = JSON.stringify([groupId, topic, partition])
    const turn = this.#turn.then(async () => {
      this.#opening ??= this.#database.open()
      await this.#opening.catch((error: unknown) => {
        this.#opening = undefined
        throw error
      })
      return step(key)
    })
    this.#turn = turn.catch(() => undefined)
    return turn.then(async ({ written, result }) => {
      await written
      return result
    })
  }

  async #read(key: string): Promise<StoredRecord | undefined> {
    const known = this.#records.get(key)
    if (known !== undefined) return known
    const bytes = await this.#database.read((level) => level.get(recordKey(key)))
    if (bytes === undefined) return undefined
    const record = recordOf(key, bytes)
    this.#records.set(key, record)
    return record
  }

  async #fields(key: string): Promise<Map<string, Uint8Array>> {
    const gte = fieldKey(key, '')
    const rows = await this.#database.read((level) => level.iterator({ gte, lt: Buffer.from(`${key}\x02`) }).all())
    return new Map(rows.map(([row, value]) => [row.subarray(gte.length).toString(), value]))
  }

  #written(key: string, record: StoredRecord | undefined): { written?: Promise<void>; result: undefined } {
    return { ...(record !== undefined && { written: this.#write(key, record, []) }), result: undefined }
  }

  #write(key: string, record: StoredRecord, operations: readonly Operation[]): Promise<void> {
    this.#records.set(key, record)
    this.#waiting.push({ type: 'put', key: recordKey(key), value: bytesOf(record) }, ...operations)
    this.#writing ??= this.#database.change(async (write) => {
      const all = this.#waiting
      this.#waiting = []
      this.#writing = undefined
      await write(all, { durable: true, grows: false })
    })
    return this.#writing.catch((error: unknown) => {
      this.#records.delete(key)
      throw error
    })
  }
}

/** JSON has no such characters, so no record's rows lie among those of another. */
function recordKey(key: string): Buffer {
  return Buffer.from(`${key}\0`)
}

function fieldKey(key: string, name: string): Buffer {
  return Buffer.from(`${key}\x01${name}`)
}

function bytesOf({ owner, token, number, bornMs, beat, want: wanted, keptFor }: StoredRecord): Buffer {
  return Buffer.from(encode([FORMAT, owner, token, number, bornMs, beat, wanted, keptFor]))
}

/** @throws HighWaterStoreUnusableError `TANDEM_HIGH_WATER_STORE_UNUSABLE`: damaged, or of a newer version. */
function recordOf(key: string, bytes: Buffer): StoredRecord {
  const [format, ...parts] = unpacked(bytes)
  const [owner, token, number, bornMs, beat, wanted, keptFor] = parts
  checkFormat(key, format)
  const isWhole = [token, number, bornMs, beat].every(Number.isSafeInteger)
  if (!isWhole || typeof owner !== 'string' || typeof wanted !== 'string' || typeof keptFor !== 'string') {
    throw new HighWaterStoreUnusableError(`The position of ${key} is damaged`, { key })
  }
  const [whole, flushed, born, beats] = [token, number, bornMs, beat] as [number, number, number, number]
  return { owner, token: whole, number: flushed, bornMs: born, beat: beats, want: wanted, keptFor }
}

function unpacked(bytes: Buffer): readonly unknown[] {
  try {
    const value = decode(bytes)
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

/** Positions are small, and so is what opening and merging them takes. */
const RESERVE_BYTES = 16 << 20
