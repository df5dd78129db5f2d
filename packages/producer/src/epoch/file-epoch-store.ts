import { mkdir, open, readdir, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import {
  EpochStoreFailedError,
  isTandemError,
  printable,
  readOptions,
  systemClock,
  type Clock,
  type OptionsSpec,
} from '@tandem/common/internal'

import type { EpochRequest, EpochStore, EpochTaken } from './epoch-store.js'

/**
 * Epochs from a folder on a disk of this machine: greater than the last one, whatever the clock does meanwhile.
 *
 * It holds one empty file per producerId, `<producerId>.<epoch>.epoch`. The name is all there is to it, so there is
 * nothing that could be written halfway, and no lock that a dead process could leave behind: who creates a name has that
 * epoch, and only one can. Older names are removed afterwards. So that nobody creates one of those again, an epoch
 * counts only if its name is the greatest when it is there; who finds a greater one tries again.
 *
 * It orders what is started one after the other, and refuses nobody: of two processes both write.
 */
export class FileEpochStore implements EpochStore {
  readonly #path: string
  readonly #clock: Clock
  /** One after the other: many that find each other's names greater would begin again, time after time. */
  #turn: Promise<unknown> = Promise.resolve()

  /**
   * @param path a folder of its own, made if it is missing; not on a network.
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
   */
  constructor(path: string, clock: Clock = systemClock) {
    this.#path = resolve(readOptions(FILE_EPOCH_STORE_OPTIONS, { path }, 'fileEpochStore').path)
    this.#clock = clock
  }

  take(request: EpochRequest): Promise<EpochTaken> {
    const taken = this.#turn.then(() => this.#take(request))
    this.#turn = taken.catch(() => undefined)
    return taken
  }

  async #take({ producerId, signal }: EpochRequest): Promise<EpochTaken> {
    try {
      await makeFolder(this.#path)
      for (;;) {
        signal?.throwIfAborted()
        const last = Math.max(0, ...(await this.#epochs(producerId)))
        if (last >= EPOCH_MAX) throw this.#damaged(fileName(producerId, last))
        const epoch = Math.max(last + 1, Math.floor(this.#clock.wall()))
        if (await this.#claim(producerId, epoch)) return { epoch }
      }
    } catch (cause) {
      if (isTandemError(cause)) throw cause
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new EpochStoreFailedError(
        `The epoch store ${this.#path} failed: ${reason}; it must be a folder that this process may write to`,
        { producerId, path: this.#path },
        cause,
      )
    }
  }

  async #claim(producerId: string, epoch: number): Promise<boolean> {
    const file = await create(join(this.#path, fileName(producerId, epoch)))
    if (file === undefined) return false
    try {
      const epochs = await this.#epochs(producerId)
      if (Math.max(...epochs) !== epoch) return false
      await file.sync()
      await syncFolder(this.#path)
      for (const older of epochs) {
        if (older !== epoch) await unlink(join(this.#path, fileName(producerId, older))).catch(() => undefined)
      }
      return true
    } finally {
      await file.close()
    }
  }

  async #epochs(producerId: string): Promise<number[]> {
    const names = await readdir(this.#path)
    return names.filter((name) => producerIdOf(name) === producerId).map((name) => this.#epochOf(name))
  }

  #epochOf(name: string): number {
    const [, digits] = /\.([1-9]\d{0,15})\.epoch$/.exec(name) ?? []
    if (digits === undefined || Number(digits) > EPOCH_MAX) throw this.#damaged(name)
    return Number(digits)
  }

  #damaged(name: string): EpochStoreFailedError {
    return new EpochStoreFailedError(
      `The epoch store ${this.#path} holds ${printable(name, NAME_CHARACTERS_MAX)}, in which no epoch below 2^53 - 1 ` +
        'stands; remove that file, and the time is taken',
      { path: this.#path, found: name },
    )
  }
}

/** With what is above it. Not by `recursive`, which never ends where nothing can be made, as in `/proc`. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await mkdir(path).catch((again: unknown) => {
      if (codeOf(again) !== 'EEXIST') throw again // another process was quicker
    })
  }
  await syncFolder(dirname(path))
}

/** Undefined if it is there already. */
async function create(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx')
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined
    throw error
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function fileName(producerId: string, epoch: number): string {
  return `${producerId}.${epoch}.epoch`
}

/** Whose file it is: a producerId may have dots in it, an epoch has none. */
function producerIdOf(name: string): string | undefined {
  return /^(.+)\.[^.]*\.epoch$/.exec(name)?.[1]
}

const FILE_EPOCH_STORE_OPTIONS = {
  path: {
    kind: 'string',
    pattern: /^[^\0]+$/,
    allowed: 'the path of a folder',
    meaning: 'A folder of its own, made if it is missing.',
  },
} as const satisfies OptionsSpec

/** One below 2^53 - 1, so that there is one above it; the same bound as in Redis. */
const EPOCH_MAX = Number.MAX_SAFE_INTEGER - 1
/** The longest producerId with an epoch. */
const NAME_CHARACTERS_MAX = 160
