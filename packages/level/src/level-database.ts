/**
 * A LevelDB that goes on after its disk was full or damaged, under one lock for as long as it is open.
 *
 * Three things LevelDB does not do by itself. After a write that failed, its log may hold half a record, and whatever
 * it writes behind that, synced or not, is gone at the next start: so nothing is written before the database was closed
 * and opened anew. On a full disk it does not even open, and what it holds could not be read to make room: so a file
 * as large as that takes lies beside it, which goes when there is no room, and while it cannot be put back, nothing is
 * taken in. And where LevelDB finds damage it refuses all writes for good: so it is repaired, which keeps what can be
 * read and moves the rest to the folder `lost`.
 *
 * Since the lock of a database goes when it is closed, a second, empty one holds the lock.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

import { isTandemError, printable, type ErrorDetails, type TandemError } from '@tandem/common/internal'
import { ClassicLevel, type Iterator as LevelIterator } from 'classic-level'

export interface KeyRange {
  readonly gte: Buffer
  readonly lt: Buffer
}

export type Level = ClassicLevel<Buffer, Buffer>
export type Row = [key: Buffer, value: Buffer]

export type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }

/** One batch, all of it or nothing; `durable`: resolves when it is on disk for good. */
export type Write = (operations: readonly Operation[], options: WriteSettings) => Promise<void>

export interface WriteSettings {
  readonly durable: boolean
  /** What makes it longer is refused while there is no reserve; what makes room never is. */
  readonly grows: boolean
}

export interface LevelDatabaseSettings {
  readonly path: string
  /** What it is to its user, for messages: `journal`. */
  readonly what: string
  /** Makes an error: of a database that is open elsewhere, or of anything else. */
  readonly error: (why: 'locked' | 'failed', text: string, details: ErrorDetails, cause: unknown) => TandemError
  readonly reserveBytes?: number
  /** What takes back a write that failed and may be there all the same; nothing, if that does no harm. */
  readonly undo?: (level: Level) => Promise<Operation[]>
}

export class LevelDatabase {
  readonly #settings: LevelDatabaseSettings
  readonly #path: string
  readonly #reserveBytes: number
  #lock: Level | undefined
  #level: Level | undefined
  /** Why nothing may be written before it was opened anew. */
  #broken: unknown
  #mending: Promise<void> | undefined
  #reserved = false
  #closed = true
  #droppedBytes = 0
  readonly #readings = new Set<Promise<unknown>>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(settings: LevelDatabaseSettings) {
    this.#settings = settings
    this.#path = settings.path
    this.#reserveBytes = settings.reserveBytes ?? RESERVE_BYTES
  }

  get closed(): boolean {
    return this.#closed
  }

  /** What LevelDB left out of its log since `open`, since it was damaged. */
  get droppedBytes(): number {
    return this.#droppedBytes
  }

  async open(): Promise<void> {
    this.#closed = false
    try {
      await mkdir(this.#path, { recursive: true })
      this.#lock = await this.#withReserve(() => this.#takeLock())
      this.#level = await this.#withReserve(() => this.#openLevel())
      await this.#reserve().catch(() => undefined) // as long as there is no room, it can be read and made shorter
    } catch (cause) {
      await this.close()
      throw this.#failed(NOT_OPENED, cause)
    }
  }

  /** Reads, side by side with other readings and with writes. */
  async read<T>(work: (level: Level) => Promise<T>): Promise<T> {
    await this.#mended()
    const reading = work(this.#level!)
    this.#readings.add(reading)
    try {
      return await reading
    } catch (cause) {
      throw this.#failed('was not read', cause)
    } finally {
      this.#readings.delete(reading)
    }
  }

  /** Changes something, after all earlier changes are done. What `work` does after its writes is part of its turn. */
  change<T>(work: (write: Write) => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => work((operations, settings) => this.#write(operations, settings)))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** Gives the disk back what was removed between two keys, if that is worth it. Takes long; others go on. */
  async compact({ gte, lt }: KeyRange, bytesMin: number): Promise<void> {
    await this.read(async (level) => {
      // Once more, since what was still in memory may get to a level below those that were merged.
      for (let left = 2; left > 0 && (await level.approximateSize(gte, lt)) >= bytesMin; left--) {
        await level.compactRange(gte, lt)
      }
    })
  }

  /** Waits for what is under way. Whatever fails, the lock is given up. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#turn
    await this.#mending?.catch(() => undefined)
    await Promise.allSettled(this.#readings)
    await this.#level?.close().catch(() => undefined)
    await this.#lock?.close().catch(() => undefined)
    this.#level = undefined
    this.#lock = undefined
  }

  async #write(operations: readonly Operation[], settings: WriteSettings, again = !settings.grows): Promise<void> {
    await this.#mended()
    if (settings.grows) {
      await this.#reserve().catch((cause: unknown) => Promise.reject(this.#failed('has no room', cause)))
    }
    try {
      await writeBatch(this.#level!, operations, settings.durable)
    } catch (cause) {
      this.#broken = cause
      const undone = await this.#mend().then(
        () => true,
        () => false,
      )
      // What makes room has to get through: there may be too little for merging tables, time and again.
      if (undone && again) return this.#write(operations, settings, false)
      throw this.#failed('was not written', cause, { undone })
    }
  }

  /** Resolves when it may be used. */
  async #mended(): Promise<void> {
    if (this.#closed) throw this.#failed('is closed', new Error('it was closed, or never opened'))
    if (this.#broken === undefined && this.#level !== undefined) return
    try {
      await this.#mend()
    } catch (cause) {
      throw this.#failed(NOT_OPENED, cause)
    }
  }

  #mend(): Promise<void> {
    this.#mending ??= this.#openAgain().finally(() => (this.#mending = undefined))
    return this.#mending
  }

  async #openAgain(): Promise<void> {
    await Promise.allSettled(this.#readings)
    await this.#level?.close()
    this.#level = undefined
    if (isDamage(this.#broken)) await this.#repair()
    const level = await this.#withReserve(() => this.#openLevel())
    this.#level = level
    const operations = (await this.#settings.undo?.(level)) ?? []
    await writeBatch(level, operations, true)
    this.#broken = undefined
    await this.#reserve().catch(() => undefined)
  }

  async #openLevel(): Promise<Level> {
    const path = join(this.#path, DATABASE)
    // Without this file LevelDB would begin anew, and delete the others.
    if (await lacksCurrent(path)) await this.#repair()
    const level = await openedLevel(path).catch(async (error: unknown) => {
      if (!isDamage(error)) throw error
      await this.#repair()
      return openedLevel(path)
    })
    this.#droppedBytes += await droppedBytesAt(path)
    return level
  }

  async #repair(): Promise<void> {
    const path = join(this.#path, DATABASE)
    await ClassicLevel.repair(path)
    this.#droppedBytes += await droppedBytesAt(path)
  }

  /** What is in there is worth nothing, but for the lock. */
  async #takeLock(): Promise<Level> {
    const path = join(this.#path, LOCK)
    try {
      return await openedLevel(path)
    } catch (error) {
      if (!isDamage(error)) throw error
      for (const name of await readdir(path)) if (name !== 'LOCK') await rm(join(path, name), { recursive: true })
      return openedLevel(path)
    }
  }

  /** Tries again with the room that was reserved, if there is too little. */
  async #withReserve(work: () => Promise<Level>): Promise<Level> {
    try {
      return await work()
    } catch (error) {
      if (!isFull(error)) throw error
      this.#reserved = false
      await rm(join(this.#path, RESERVE), { force: true })
      return work()
    }
  }

  /** Sets aside the room that opening takes. */
  async #reserve(): Promise<void> {
    if (this.#reserved || this.#reserveBytes === 0) return
    const path = join(this.#path, RESERVE)
    const { size } = await stat(path).catch(() => ({ size: 0 }))
    if (size !== this.#reserveBytes) {
      const { bavail, bsize } = await statfs(this.#path)
      // With hardly more than this, the next write would fail, and so on for ever.
      const needed = this.#reserveBytes - size + WRITE_BUFFER_BYTES
      if (bavail * bsize < needed)
        throw new Error(`${NO_SPACE}: ${bavail * bsize} bytes are free, ${needed} are needed`)
      await this.#writeReserve(path)
    }
    this.#reserved = true
  }

  async #writeReserve(path: string): Promise<void> {
    const file = await open(path, 'w')
    try {
      const piece = randomBytes(RESERVE_PIECE_BYTES) // no file system makes these smaller
      for (let left = this.#reserveBytes; left > 0; left -= piece.length)
        await file.write(piece, 0, Math.min(left, piece.length))
      await file.sync()
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
  }

  #failed(happened: string, cause: unknown, details: { readonly undone?: boolean } = {}): Error {
    if (isTandemError(cause)) return cause
    const { path, what, error } = this.#settings
    const { code, message } = rootOf(cause)
    if (code === 'LEVEL_LOCKED') return error('locked', `The ${what} ${path} is open elsewhere`, { path }, cause)
    const advice = isFull(cause) ? ROOM_ADVICE : happened === NOT_OPENED && isDamage(cause) ? DAMAGE_ADVICE : ''
    const text = `The ${what} ${path} ${happened}: ${printable(message, MESSAGE_CHARACTERS_MAX)}${advice}`
    return error('failed', text, { path, ...details }, cause)
  }
}

/**
 * All rows of a range in runs, without those in blocks that LevelDB cannot read: it steps over them, but at the end it
 * says so instead of giving the last run, which is therefore asked for again, row by row.
 */
export async function* rowsOf(level: Level, range: KeyRange, bytesMax = RUN_BYTES): AsyncGenerator<Row[]> {
  let from: { readonly gte: Buffer } | { readonly gt: Buffer } = { gte: range.gte }
  for (let rowsMax = RUN_ROWS; ; rowsMax = 1) {
    const iterator: LevelIterator<Level, Buffer, Buffer> = level.iterator({
      ...from,
      lt: range.lt,
      highWaterMarkBytes: bytesMax,
    })
    try {
      for (;;) {
        const rows: Row[] = await iterator.nextv(rowsMax)
        if (rows.length === 0) return
        from = { gt: rows.at(-1)![0] }
        yield rows
      }
    } catch (error) {
      if (!isDamage(error)) throw error
      if (rowsMax === 1) return
    } finally {
      await iterator.close()
    }
  }
}

/** A chained batch: an array of operations costs the event loop five times as much. */
async function writeBatch(level: Level, operations: readonly Operation[], durable: boolean): Promise<void> {
  const batch = level.batch()
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value)
    else batch.del(operation.key)
  }
  await batch.write({ sync: durable })
}

async function openedLevel(path: string): Promise<Level> {
  const level: Level = new ClassicLevel(path, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: WRITE_BUFFER_BYTES,
  })
  try {
    await level.open()
    return level
  } catch (error) {
    await level.close().catch(() => undefined)
    throw error
  }
}

async function lacksCurrent(path: string): Promise<boolean> {
  const names = await readdir(path).catch((): string[] => [])
  return !names.includes('CURRENT') && names.some((name) => /^MANIFEST-|\.(ldb|sst|log)$/.test(name))
}

/** LevelDB tells it to nobody but its own protocol, which it begins anew at each opening. */
async function droppedBytesAt(path: string): Promise<number> {
  const lines = await readFile(join(path, 'LOG'), 'utf8').catch(() => '')
  return [...lines.matchAll(/: dropping (\d+) bytes; /g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

/** classic-level wraps what LevelDB said. */
function rootOf(error: unknown): { readonly code: unknown; readonly message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) }
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return code === 'LEVEL_DATABASE_NOT_OPEN' && cause !== undefined ? rootOf(cause) : { code, message: error.message }
}

/** Whether files are damaged or gone: trying again does not help, a repair does. */
function isDamage(error: unknown): boolean {
  const { code, message } = rootOf(error)
  return code === 'LEVEL_CORRUPTION' || (code === 'LEVEL_IO_ERROR' && DAMAGED_FILE.test(message))
}

function isFull(error: unknown): boolean {
  const { code, message } = rootOf(error)
  return code === 'ENOSPC' || code === 'EDQUOT' || NO_ROOM.test(message)
}

const NOT_OPENED = 'was not opened'
const ROOM_ADVICE = '. Make room on its disk'
const DAMAGE_ADVICE = '. It cannot be repaired: move it away, keep it, and begin with a new one'

const DATABASE = 'entries'
const LOCK = 'lock'
const RESERVE = 'reserve'
/** A table that is shorter than its index says, or that the manifest names and nobody has. */
const DAMAGED_FILE = /(\.(ldb|sst)|MANIFEST-\d+): (Invalid argument|No such file or directory)$/
const NO_SPACE = 'No space left on device'
const NO_ROOM = /(No space left on device|Disk quota exceeded)/
/** LevelDB's own default; up to two such buffers are in memory, and as many logs on disk. */
const WRITE_BUFFER_BYTES = 4 << 20
/**
 * What opening and merging may write before they delete anything: both logs as tables, up to twelve tables of the first
 * level and ten megabytes of the next. With less, a full journal of some size could not be drained.
 */
const RESERVE_BYTES = 16 * WRITE_BUFFER_BYTES
const RESERVE_PIECE_BYTES = 1 << 20
const RUN_ROWS = 1_000
const RUN_BYTES = 1 << 20
const MESSAGE_CHARACTERS_MAX = 300
