import type { History } from './history.js'

/** Looks at what happened from outside and says what broke a promise. */
export interface Checker {
  /** The promise, by its name in docs/protocol.md. */
  readonly promise: string
  /** One sentence for each message that it was broken for; none if it was kept. */
  check(history: History): string[]
}
