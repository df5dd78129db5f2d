/**
 * Time as an interface, and the only file of the three packages that reads a clock.
 *
 * Cores never see a Clock: `now` is handed to them. Outsides take one, so that the simulator can run the same
 * wiring in virtual time.
 */
export interface Clock {
  /** Monotonic milliseconds, never running back; the origin means nothing. */
  now(): number
  /** Milliseconds since 1970 by the machine's clock; may jump. For timestamps and epochs only. */
  wall(): number
  /**
   * Calls `task` once, near `atMs` of `now()`; the result takes it back. A timer that fired proves nothing: it may be
   * a little early, and for what is weeks away much so. Read the clock and arm again.
   */
  schedule(atMs: number, task: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  schedule(atMs, task) {
    const delayMs = Math.ceil(atMs - performance.now())
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), DELAY_MS_MAX))
    return () => clearTimeout(timer)
  },
}

/** Beyond it Node's timers fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1
