import { setTimeout as sleep } from 'node:timers/promises'

import { LineTail } from './line-tail.js'
import { Program } from './lives.js'

/** A program that is looked at all the time: what it writes down, and how much memory it takes. */
export class WatchedProgram implements AsyncDisposable {
  /** The most memory that it took, resident. */
  residentBytesMax = 0
  readonly #program: Program
  readonly #tail: LineTail
  readonly #take: (line: unknown) => void

  /** @param take gets each line of the file at `path`. */
  constructor(program: Program, path: string, take: (line: unknown) => void) {
    this.#program = program
    this.#tail = new LineTail(path)
    this.#take = take
  }

  /** Goes on until so many seconds have passed, or it is over; returns whether it is. */
  async goOn(seconds: number, over = () => false): Promise<boolean> {
    for (const until = performance.now() + seconds * 1_000; performance.now() < until; await sleep(LOOK_EVERY_MS)) {
      await this.#program.expectAlive()
      this.#look()
      if (over()) return true
    }
    return false
  }

  /** Asks it to end, and waits for that. */
  end(): Promise<void> {
    return this.#lookUntil(this.#program.end(END_MS_MAX))
  }

  kill(): Promise<void> {
    this.#look()
    return this.#lookUntil(this.#program.kill())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.remove()
  }

  async #lookUntil(ended: Promise<void>): Promise<void> {
    for (let over = false; !over; this.#look()) {
      over = await Promise.race([ended.then(() => true), sleep(LOOK_EVERY_MS, false)])
    }
  }

  #look(): void {
    for (const line of this.#tail.read()) this.#take(line)
    this.residentBytesMax = Math.max(this.residentBytesMax, this.#program.residentBytesMax)
  }
}

const END_MS_MAX = 180_000
const LOOK_EVERY_MS = 250
