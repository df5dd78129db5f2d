import type { Outcome } from '../schedule.js'

/** Looks at what happened from outside and says what broke a promise; nothing if it was kept. */
export interface Checker {
  /** The promise, by its name in docs/protocol.md. */
  readonly promise: string
  check(outcome: Outcome): string | undefined
}
