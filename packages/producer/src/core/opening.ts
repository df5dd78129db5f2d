/**
 * When `connect()` is done: one cluster is enough, but both are compared if both are there.
 *
 * The first cluster that is ready would do. The other one is given a moment more, so that two clusters that do not
 * belong together are noticed before anything is written and not a few milliseconds later; if its first attempt has
 * failed there is nothing to wait for. When neither is ready in time, both are unreachable.
 */
import type { LaneIndex } from './record.js'

export type OpeningCommand = { readonly kind: 'opened' } | { readonly kind: 'unreachable' }

export class Opening {
  readonly #lanes: ['pending' | 'ready' | 'failed', 'pending' | 'ready' | 'failed'] = ['pending', 'pending']
  readonly #reasons: [string | undefined, string | undefined] = [undefined, undefined]
  readonly #timeoutAt: number
  #graceUntil = Infinity
  #done = false
  #command: OpeningCommand | undefined

  constructor(options: { readonly timeoutMs: number; readonly now: number }) {
    this.#timeoutAt = options.now + options.timeoutMs
  }

  /** Why each lane is not ready, as far as it has said. */
  get reasons(): readonly [string | undefined, string | undefined] {
    return this.#reasons
  }

  handleReady(lane: LaneIndex, now: number): void {
    this.#lanes[lane] = 'ready'
    this.#graceUntil = Math.min(this.#graceUntil, now + GRACE_MS)
    this.#look(now)
  }

  /** An attempt failed; there will be others. */
  handleFailed(lane: LaneIndex, reason: string, now: number): void {
    this.#lanes[lane] = 'failed'
    this.#reasons[lane] = reason
    if (!this.#lanes.includes('ready')) this.#graceUntil = Infinity
    this.#look(now)
  }

  poll(): OpeningCommand | undefined {
    const command = this.#command
    this.#command = undefined
    return command
  }

  deadline(): number | undefined {
    return this.#done ? undefined : Math.min(this.#timeoutAt, this.#graceUntil)
  }

  handleDeadline(now: number): void {
    this.#look(now)
  }

  #look(now: number): void {
    if (this.#done) return
    if (this.#lanes.includes('ready')) {
      if (!this.#lanes.includes('pending') || now >= this.#graceUntil) this.#finish('opened')
    } else if (now >= this.#timeoutAt) {
      this.#finish('unreachable')
    }
  }

  #finish(kind: 'opened' | 'unreachable'): void {
    this.#done = true
    this.#command = { kind }
  }
}

/** Many times what a reachable cluster takes to answer, and little enough when one is down at every start. */
const GRACE_MS = 1_000
