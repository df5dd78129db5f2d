/**
 * The time that counts as evidence: it runs only while the partitions are being polled.
 *
 * A feed that brings nothing while nobody asks it has proven nothing. So the clocks of rules 6 and 7 stand still
 * while the window is full, and a stall of our own process (a stopped process, a long garbage collection) counts as
 * one step, however long it was. A step is so short that no timeout passes within a single one: what waits in our own
 * buffers is looked at before anything is concluded.
 * Source: protocol.md, Arbitration (the clocks for away, gap and hole).
 */
export class PollingClock {
  #time = 0
  #readAt: number
  #wakesAt = -Infinity
  #running = true
  #stalled = false
  /** What a stall counts as at most. */
  readonly stepMsMax: number

  /** @param timeoutsMs what is measured by it. */
  constructor(now: number, timeoutsMs: readonly number[] = []) {
    this.#readAt = now
    this.stepMsMax = Math.max(STEP_MS_LEAST, Math.min(STEP_MS_MOST, ...timeoutsMs.map((ms) => Math.floor(ms / STEPS))))
  }

  get running(): boolean {
    return this.#running
  }

  /** Polling milliseconds so far. */
  read(now: number): number {
    if (this.#running) {
      const meantToSleep = Math.max(0, this.#wakesAt - this.#readAt)
      const passed = Math.max(0, now - this.#readAt)
      if (passed > meantToSleep + STEP_MS_MOST) this.#stalled = true
      this.#time += Math.min(passed, meantToSleep + this.stepMsMax)
    }
    this.#readAt = now
    return this.#time
  }

  /** Whether it was not read for so long since this was asked last that anything may have happened. */
  takeStall(): boolean {
    const stalled = this.#stalled
    this.#stalled = false
    return stalled
  }

  /** When it will be read next at the latest: up to then, silence is no stall. */
  handleArmed(wakesAt: number): void {
    this.#wakesAt = wakesAt
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
const STEP_MS_MOST = 1_000
/** Of the shortest timeout: after a stall there is time left to hear what came meanwhile. */
const STEPS = 3
/** While something is waited for, the clock is read twice as often. */
const STEP_MS_LEAST = 20
