import type { Clock, TandemFact } from '@tandem/common/internal'

import type { EpochLease } from './epoch-store.js'

/**
 * Renews a lease for as long as its producer lives.
 *
 * The producer never waits for it and never ends because of it: that somebody else has the producerId, or that nobody
 * is kept from taking it, is told. One renewal at a time; the next one is due when the last was answered. A store that
 * does not answer is noticed by its own deadline, since a call into a connection that hangs may never be settled.
 */
export class LeaseRenewal {
  readonly #lease: EpochLease
  readonly #clock: Clock
  readonly #tell: (fact: TandemFact) => void
  #failure = 'no answer'
  #cancelRenewal = (): void => undefined
  #cancelDeadline = (): void => undefined
  #over = false

  constructor(options: {
    readonly lease: EpochLease
    readonly clock: Clock
    readonly tell: (fact: TandemFact) => void
  }) {
    this.#lease = options.lease
    this.#clock = options.clock
    this.#tell = options.tell
    this.#handleRenewed()
    this.#arm()
  }

  /** Ends it, and gives the lease up, so that the next start need not wait. Never rejects; may hang as its store does. */
  async release(): Promise<void> {
    this.#end()
    try {
      await this.#lease.release()
    } catch {
      // The next one waits, then.
    }
  }

  #arm(): void {
    this.#cancelRenewal = this.#clock.schedule(this.#clock.now() + this.#lease.renewEveryMs, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    try {
      const answer = await this.#lease.renew()
      if (this.#over) return
      if (answer.kind === 'taken') {
        this.#end()
        this.#tell({ kind: 'producer-id-taken', by: answer.by })
        return
      }
      this.#handleRenewed()
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : 'no answer'
    }
    if (!this.#over) this.#arm()
  }

  #handleRenewed(): void {
    this.#failure = 'no answer'
    this.#cancelDeadline()
    const deadline = this.#clock.now() + this.#lease.renewEveryMs * RENEWALS_MISSED
    this.#cancelDeadline = this.#clock.schedule(deadline, () =>
      this.#tell({ kind: 'producer-id-unheld', reason: this.#failure }),
    )
  }

  #end(): void {
    this.#over = true
    this.#cancelRenewal()
    this.#cancelDeadline()
  }
}

/** As many as the shortest watch of a process that would take the lease. */
const RENEWALS_MISSED = 3
