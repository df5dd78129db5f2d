import type { Clock } from './clock.js'

/**
 * One timer for many deadlines: an outside that drives several cores arms this with the earliest of theirs.
 *
 * A timer that fired proves nothing (Node's may be early): `task` reads the clock itself and looks again.
 */
export class Agenda {
  readonly #clock: Clock
  readonly #task: () => void
  #armedFor = Infinity
  #cancel: (() => void) | undefined
  #closed = false

  constructor(clock: Clock, task: () => void) {
    this.#clock = clock
    this.#task = task
  }

  /** Infinity if it is not armed. */
  get armedFor(): number {
    return this.#armedFor
  }

  /** Arms for `deadline` unless something earlier is armed already; `undefined` and Infinity arm nothing. */
  arm(deadline: number | undefined): void {
    if (this.#closed || deadline === undefined || deadline >= this.#armedFor) return
    this.#cancel?.()
    this.#armedFor = deadline
    this.#cancel = this.#clock.schedule(deadline, () => {
      this.#armedFor = Infinity
      this.#cancel = undefined
      this.#task()
    })
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#cancel = undefined
    this.#armedFor = Infinity
  }
}
