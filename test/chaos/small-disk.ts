import { execFile } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { Tell } from './servers.js'

/** A disk of its own for journals, small enough to be filled at once. Mounting one needs root. */
export class SmallDisk {
  static async mount(path: string, tell: Tell): Promise<SmallDisk> {
    mkdirSync(path)
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', path])
    return new SmallDisk(path, tell)
  }

  readonly path: string
  readonly #tell: Tell
  #filling: NodeJS.Timeout | undefined

  private constructor(path: string, tell: Tell) {
    this.path = path
    this.#tell = tell
  }

  /** By somebody else: not a byte is left until it is healed, whatever journals let go of meanwhile. */
  fill(): void {
    this.#tell('the disk of the journals is full', 'journal-full')
    this.#takeAll()
    this.#filling = setInterval(() => this.#takeAll(), AGAIN_MS)
  }

  heal(): Promise<void> {
    clearInterval(this.#filling)
    if (existsSync(this.#filler)) {
      rmSync(this.#filler)
      this.#tell('the disk of the journals has room')
    }
    return Promise.resolve()
  }

  async unmount(): Promise<void> {
    clearInterval(this.#filling)
    await run('umount', [this.path])
  }

  #takeAll(): void {
    const descriptor = openSync(this.#filler, 'a')
    try {
      for (let size = PIECE_BYTES; size >= 1;) if (!wrote(descriptor, Buffer.alloc(size))) size /= 2
    } finally {
      closeSync(descriptor)
    }
  }

  get #filler(): string {
    return join(this.path, 'filler')
  }
}

function wrote(descriptor: number, piece: Buffer): boolean {
  try {
    return writeSync(descriptor, piece) > 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}

const run = promisify(execFile)
/** What two journals take in a scenario, and half as much again. */
const DISK_BYTES = 96 << 20
const PIECE_BYTES = 1 << 20
const AGAIN_MS = 50
