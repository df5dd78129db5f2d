/**
 * A database that fences, as far as a file can be one: every process of a group appends its effects to it, each with the
 * token of its lease. Which of them such a database would have refused is told by the order in which they stand there
 * (fenced-effects.ts). It is away as long as there is another file beside it.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { LineFile } from '@tandem/cli/internal'

import { LineTail } from './line-tail.js'
import type { Tell } from './servers.js'

/** One line of the file. */
export interface Effect {
  readonly partition: number
  /** Token of the lease under which it was delivered. */
  readonly fence: number
  readonly text: string
  /** As tandem marked it. */
  readonly late: boolean
}

/** From a process that has effects. */
export class Database {
  readonly #file: LineFile
  readonly #awayPath: string
  #calls = 0

  constructor(path: string) {
    this.#file = new LineFile(path)
    this.#awayPath = awayPath(path)
  }

  /** @throws Error with the code ECONNREFUSED if it is away: at once, or, every other time, after it has hung. */
  async book(effect: Effect): Promise<void> {
    if (existsSync(this.#awayPath)) {
      if (this.#calls++ % 2 === 0) await sleep(HANGING_MS)
      throw Object.assign(new Error('the database is away'), { code: 'ECONNREFUSED' })
    }
    this.#file.append(effect)
  }
}

/** As a scenario harms it. */
export class HarmedDatabase {
  readonly path: string
  readonly #tell: Tell
  readonly #tail: LineTail
  readonly #effects: Effect[] = []

  constructor(path: string, tell: Tell) {
    this.path = path
    this.#tell = tell
    this.#tail = new LineTail(path)
  }

  /** What stands there, in the order in which it was done. */
  effects(): readonly Effect[] {
    this.#effects.push(...(this.#tail.read() as Effect[]))
    return this.#effects
  }

  goAway(): void {
    this.#tell('the database is away')
    writeFileSync(awayPath(this.path), '')
  }

  heal(): void {
    if (!existsSync(awayPath(this.path))) return
    rmSync(awayPath(this.path))
    this.#tell('the database is back')
  }
}

function awayPath(path: string): string {
  return `${path}-away`
}

const HANGING_MS = 5_000
