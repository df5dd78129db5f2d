import type { Delivery } from '../delivery.js'

/** Why a delivery is given up. */
export interface DeliveryFailure {
  /** What the last call of the handler failed with. */
  readonly error: unknown
  /** Calls of the handler. */
  readonly attempts: number
  /** The group that gives it up. */
  readonly groupId: string
}

/**
 * Puts a delivery that cannot be handled where somebody will look at it; `producer.deadLetter(topic)` gives one.
 *
 * Resolving means that it is kept for good: only then is the delivery acknowledged. Rejecting means that it is tried
 * again, so that a dead letter may be there twice.
 */
export type DeadLetter = (delivery: Delivery, failure: DeliveryFailure) => Promise<unknown>
