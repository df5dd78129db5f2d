/**
 * The circuit of a track: whether its records are handed to the client.
 *
 * Closed, everything goes. It opens when `trip.ts` says so; then the queue waits. After a while it is half-open: one
 * record goes as a probe. If that is acknowledged the circuit closes and the queue drains in order; if it fails, or
 * gives no sign for as long as would have opened the circuit, it is open again and waits twice as long, up to a bound.
 * An acknowledgement closes the circuit whenever it comes, since there is no better evidence.
 *
 * Waiting times are exact here. Whoever makes the circuits of one process gives them a slightly different `probeAfterMs`
 * than the next process does, so that a cluster that comes back is not probed by all at the same moment.
 *
 *     closed    -- failures, silence -->  open     -- probeAfterMs, 2x, 4x … -->  half-open
 *     half-open -- failure, silence  -->  open       any -- acknowledged --> closed
 */
import { Trip, type TripLimits, type TripReason } from './trip.js'

export type CircuitState =
  | { readonly kind: 'closed'; failures: number }
  | { readonly kind: 'open'; readonly since: number; readonly probeAt: number; readonly backOffMs: number }
  | { readonly kind: 'half-open'; readonly since: number; readonly probedAt: number; readonly backOffMs: number }

export type CircuitCommand =
  { readonly kind: 'opened'; readonly reason: TripReason } | { readonly kind: 'closed'; readonly openMs: number }

export interface CircuitLimits extends TripLimits {
  readonly probeAfterMs: number
  readonly probeAfterMsMax: number
}

export class Circuit {
  readonly limits: CircuitLimits
  readonly #trip: Trip
  #state: CircuitState = { kind: 'closed', failures: 0 }
  #command: CircuitCommand | undefined

  constructor(limits: CircuitLimits) {
    this.limits = limits
    this.#trip = new Trip(limits)
  }

  get state(): CircuitState {
    return this.#state
  }

  get closed(): boolean {
    return this.#state.kind === 'closed'
  }

  handleAcknowledged(now: number): void {
    if (this.#state.kind === 'closed') {
      this.#state.failures = 0
      return
    }
    this.#command = { kind: 'closed', openMs: now - this.#state.since }
    this.#state = { kind: 'closed', failures: 0 }
  }

  handleFailure(now: number): void {
    const state = this.#state
    switch (state.kind) {
      case 'closed': {
        state.failures++
        const reason = this.#trip.afterFailures(state.failures)
        if (reason !== undefined) this.#open(reason, now)
        return
      }
      case 'half-open':
        this.#reopen(state, now)
        return
      case 'open':
        return // the rest of what was in the client when it opened
      default:
        throw state satisfies never
    }
  }

  /** Since then the client has nothing to say of the oldest that it has. */
  handleWaiting(waitingSince: number, now: number): void {
    const state = this.#state
    switch (state.kind) {
      case 'closed': {
        const reason = this.#trip.inSilence(now - waitingSince)
        if (reason !== undefined) this.#open(reason, now)
        return
      }
      case 'half-open':
        if (this.#trip.inSilence(now - Math.max(waitingSince, state.probedAt)) !== undefined) this.#reopen(state, now)
        return
      case 'open':
        return
      default:
        throw state satisfies never
    }
  }

  /** There is new hope (a new client, another track of the cluster was acknowledged): probe now. */
  handleHope(now: number): void {
    if (this.#state.kind === 'open') this.#halfOpen(this.#state, now)
  }

  /** Nothing is left to write: there is nothing that a probe could show, and the next record is one. */
  handleIdle(now: number): void {
    if (this.#state.kind !== 'closed') this.handleAcknowledged(now)
  }

  poll(): CircuitCommand | undefined {
    const command = this.#command
    this.#command = undefined
    return command
  }

  /** When it wants to be looked at again. */
  deadline(waitingSince: number | undefined): number | undefined {
    const state = this.#state
    switch (state.kind) {
      case 'closed':
        return waitingSince === undefined ? undefined : waitingSince + this.limits.silenceMsMax
      case 'open':
        return state.probeAt
      case 'half-open':
        return waitingSince === undefined
          ? undefined
          : Math.max(waitingSince, state.probedAt) + this.limits.silenceMsMax
      default:
        throw state satisfies never
    }
  }

  handleDeadline(now: number): void {
    const state = this.#state
    if (state.kind === 'open' && now >= state.probeAt) this.#halfOpen(state, now)
  }

  #halfOpen(state: { readonly since: number; readonly backOffMs: number }, now: number): void {
    this.#state = { kind: 'half-open', since: state.since, probedAt: now, backOffMs: state.backOffMs }
  }

  #open(reason: TripReason, now: number): void {
    const backOffMs = this.limits.probeAfterMs
    this.#state = { kind: 'open', since: now, probeAt: now + backOffMs, backOffMs }
    this.#command = { kind: 'opened', reason }
  }

  #reopen(state: { readonly since: number; readonly backOffMs: number }, now: number): void {
    const backOffMs = Math.min(state.backOffMs * 2, this.limits.probeAfterMsMax)
    this.#state = { kind: 'open', since: state.since, probeAt: now + backOffMs, backOffMs }
  }
}
