import { readOptions, type OptionsSpec } from '@tandem/common/internal'
import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'

import { Batch } from '../core/batch.js'
import type { Delivery } from '../delivery.js'
import { OperatorLink } from './operator-link.js'

/** Deliveries in the order in which they came, and what is said of all of them at once. */
export interface DeliveryBatch<T = unknown> extends ReadonlyArray<Delivery<T>> {
  /** The effect of all of them is done. */
  ack(): void
  /** It failed: all that are not acknowledged come again after `delayMs` (default 1,000), in some later batches. */
  nack(error?: unknown, options?: { readonly delayMs?: number }): void
}

/**
 * Gathers deliveries into batches of at most `count`, each no longer than `ms` after its first delivery; sooner if the
 * consumer's window is full of it, since nothing more comes then until something is acknowledged.
 *
 * A batch is acknowledged by `batch.ack()`, or delivery by delivery. When the consumer closes, or nobody is subscribed
 * any more, what was gathered and not given yet comes again in the next life.
 *
 * @param ms    1 to 3,600,000
 * @param count 1 to 10,000,000
 * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
 */
export function batched<T>(ms: number, count: number): OperatorFunction<Delivery<T>, DeliveryBatch<T>> {
  const { ms: waitMs, count: countMax } = readOptions(BATCHED_OPTIONS, { ms, count }, 'batched')
  return (source) =>
    new Observable((subscriber) => new BatchLink<T>({ waitMs, countMax }, subscriber).subscribe(source))
}

class BatchLink<T> {
  readonly #batch: Batch<Delivery<T>>
  readonly #subscriber: Subscriber<DeliveryBatch<T>>
  readonly #link: OperatorLink

  constructor(
    options: { readonly waitMs: number; readonly countMax: number },
    subscriber: Subscriber<DeliveryBatch<T>>,
  ) {
    const batch = new Batch<Delivery<T>>(options)
    this.#batch = batch
    this.#subscriber = subscriber
    this.#link = new OperatorLink({
      handleDeadline: (now) => {
        batch.handleDeadline(now)
        this.#drain()
      },
      handleLosses: () => this.#giveBack((delivery) => delivery.signal.aborted),
      handleClosing: () => this.#giveBack(() => true),
    })
  }

  subscribe(source: Observable<Delivery<T>>): () => void {
    const subscription = source.subscribe({
      next: (delivery) => this.#handleDelivered(delivery),
      error: (error: unknown) => this.#subscriber.error(error),
      complete: () => {
        this.#batch.handleEnded()
        this.#drain()
        this.#subscriber.complete()
      },
    })
    return () => {
      subscription.unsubscribe()
      this.#giveBack(() => true)
      this.#link.close()
    }
  }

  #handleDelivered(delivery: Delivery<T>): void {
    this.#link.meet(delivery)
    const { unacknowledged, windowFull: full, clock } = this.#link.host
    this.#batch.handleDelivered(delivery, { unacknowledged, full }, clock.now())
    this.#drain()
  }

  #giveBack(which: (delivery: Delivery<T>) => boolean): void {
    for (const delivery of this.#batch.take(which)) delivery.nack()
  }

  #drain(): void {
    for (let batch = this.#batch.poll(); batch !== undefined; batch = this.#batch.poll()) {
      this.#subscriber.next(deliveryBatch(batch))
    }
    this.#link.arm(this.#batch.deadline())
  }
}

/** An array like any other: what is said of all of it does not show when it is printed or spread. */
function deliveryBatch<T>(deliveries: readonly Delivery<T>[]): DeliveryBatch<T> {
  const ack: DeliveryBatch<T>['ack'] = () => {
    for (const delivery of deliveries) delivery.ack()
  }
  const nack: DeliveryBatch<T>['nack'] = (error, options) => {
    for (const delivery of deliveries) delivery.nack(error, options)
  }
  return Object.defineProperties([...deliveries], { ack: { value: ack }, nack: { value: nack } }) as never
}

export const BATCHED_OPTIONS = {
  ms: { kind: 'number', unit: 'ms', min: 1, max: 3_600_000, meaning: 'How long a batch is waited for.' },
  count: { kind: 'number', unit: 'deliveries', min: 1, max: 10_000_000, meaning: 'What a batch has at most.' },
} as const satisfies OptionsSpec
