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
  /** Calls `task` once, at or after `atMs` of `now()`; the result takes it back. */
  schedule(atMs: number, task: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  schedule(atMs, task) {
    const timer = setTimeout(task, Math.max(0, Math.ceil(atMs - performance.now())))
    return () => clearTimeout(timer)
  },
}
