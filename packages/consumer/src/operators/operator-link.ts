import { Agenda } from '@tandem/common/internal'

import { hostOf, type DeliveryHost } from '../delivery-host.js'
import type { Delivery } from '../delivery.js'

export interface OperatorLinkHandler {
  /** It may be time for something. */
  handleDeadline(now: number): void
  /** A partition was lost: the signal of its deliveries is aborted. */
  handleLosses(): void
  /** The consumer closes: nothing new begins. */
  handleClosing(): void
}

/** Between an operator that keeps deliveries for a while and the consumer that they come from. */
export class OperatorLink {
  readonly #handler: OperatorLinkHandler
  /** Of partitions that may be lost. */
  readonly #signals = new WeakSet<AbortSignal>()
  #known: { readonly host: DeliveryHost; readonly agenda: Agenda } | undefined
  readonly #handleClosing = (): void => this.#handler.handleClosing()

  constructor(handler: OperatorLinkHandler) {
    this.#handler = handler
  }

  /** Of the first delivery: an operator has one consumer. */
  get host(): DeliveryHost {
    return this.#known!.host
  }

  /** To be told of each delivery first. */
  meet(delivery: Delivery): void {
    if (this.#known === undefined) this.#connect(hostOf(delivery))
    const { signal } = delivery
    if (signal.aborted || this.#signals.has(signal)) return
    this.#signals.add(signal)
    signal.addEventListener('abort', () => this.#handler.handleLosses(), { once: true })
  }

  arm(deadline: number | undefined): void {
    this.#known?.agenda.arm(deadline)
  }

  /** There is no deadline any more, and nobody to be told of anything. */
  close(): void {
    this.#known?.agenda.close()
    this.#known?.host.closing.removeEventListener('abort', this.#handleClosing)
  }

  #connect(host: DeliveryHost): void {
    const agenda = new Agenda(host.clock, () => this.#handler.handleDeadline(host.clock.now()))
    this.#known = { host, agenda }
    host.closing.addEventListener('abort', this.#handleClosing, { once: true })
  }
}
