import { systemClock, type Clock, type TandemFact } from '@tandem/common/internal'

import type { Delivery } from './delivery.js'

/** A fact of which many may come at once; what is the same but for its count is told once a second, with the sum. */
export type CountedFact = TandemFact extends infer F ? (F extends { count: number } ? Omit<F, 'count'> : never) : never

/** What an operator has of the consumer that a delivery comes from. */
export interface DeliveryHost {
  readonly clock: Clock
  readonly groupId: string
  /** Aborted when the consumer begins to close: what is at work ends, and nothing new begins. */
  readonly closing: AbortSignal
  /** Handed out and not acknowledged. */
  readonly unacknowledged: number
  /** Nothing more is handed out until something is acknowledged. */
  readonly windowFull: boolean
  tell(fact: TandemFact): void
  count(fact: CountedFact): void
}

/** A symbol of all copies of this package, since an operator may be another copy's. */
export const DELIVERY_HOST = Symbol.for('tandem.delivery.host')

/** The host of a delivery; of one that somebody made up, such as a test, one that nobody hears. */
export function hostOf(delivery: Delivery): DeliveryHost {
  return (delivery as { readonly [DELIVERY_HOST]?: DeliveryHost })[DELIVERY_HOST] ?? NOBODY
}

const NOBODY: DeliveryHost = {
  clock: systemClock,
  groupId: '',
  closing: new AbortController().signal,
  unacknowledged: 0,
  windowFull: false,
  tell: () => undefined,
  count: () => undefined,
}
