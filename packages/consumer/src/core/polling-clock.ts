/**
 * The time that counts as evidence: it runs only while the partitions are being polled.
 *
 * A feed that brings nothing while nobody asks it has proven nothing. So the clocks of rules 6 and 7 stand still
 * while the window is full, and a stall of our own process (a stopped process, a long garbage collection) counts as
 * one step of at most `STEP_MAX_MS`, however long it was.
 * Source: protocol.md, Arbitration (the clocks for away, gap and hole).
 */
export class PollingClock {
  #time = 0
  #readAt: number
  #running = true

  constructor(now: number) {
    this.#readAt = now
  }

  get running(): boolean {
    return this.#running
  }

  /** Polling milliseconds so far; to be read at least every `STEP_MAX_MS` while running. */
  read(now: number): number {
    if (this.#running) this.#time += Math.min(Math.max(0, now - this.#readAt), STEP_MAX_MS)
    this.#readAt = now
    return this.#time
  }

  handleStopped(now: number): void {
    this.read(now)
    this.#running = false
  }

  handleStarted(now: number): void {
    this.read(now)
    this.#running = true
  }
}

/** position.md: a gap of our own clock over 1 s is a silence that proves nothing. */
export const STEP_MAX_MS = 1_000
