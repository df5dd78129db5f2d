import { isTandemError, type Position } from '@tandem/common'
import type { Clock } from '@tandem/common/internal'

import type { Acknowledgement } from '../judge/acknowledgements.js'
import type { Transfer } from '../judge/transfer.js'
import type { TransferSource } from './transfer-source.js'

/** What the load needs of a receipt. */
export interface Receipt {
  readonly position: Position
  readonly keyRange: number
}

export interface LoadOptions {
  readonly messages: number
  /** Messages per second. */
  readonly rate: number
  readonly source: TransferSource
  readonly send: (transfer: Transfer) => Promise<Receipt>
  /** Called for each `send()` that resolved, before anything else is done about it. */
  readonly acknowledge: (acknowledgement: Acknowledgement) => void
  readonly clock: Clock
}

/**
 * Sends transfers at a steady rate, and notes which were acknowledged.
 *
 * Each message goes when it is due, whatever became of those before: a cluster that is away must not slow the load
 * down, or the demo would show less than it claims. Only when very many sends are open does it wait.
 */
export class Load {
  readonly #options: LoadOptions
  readonly #refusals = new Map<string, number>()
  #sent = 0
  #acknowledged = 0
  #refused = 0
  #broken: unknown

  constructor(options: LoadOptions) {
    this.#options = options
  }

  get sent(): number {
    return this.#sent
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Sends that are neither resolved nor rejected. */
  get open(): number {
    return this.#sent - this.#acknowledged - this.#refused
  }

  /** Why sends were rejected, and how many. */
  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals
  }

  /**
   * Sends everything; resolves when the last `send()` was called, not when it was answered.
   *
   * @param sent called after each message with their number so far.
   */
  async run(signal: AbortSignal, sent: (count: number) => void): Promise<void> {
    const { messages, rate, clock } = this.#options
    const startedAt = clock.now()
    while (this.#sent < messages) {
      signal.throwIfAborted()
      if (this.#broken !== undefined) throw this.#broken
      const due = Math.min(messages, Math.floor(((clock.now() - startedAt) / 1000) * rate))
      // In slices, so that answers are heard between them after a pause of the process.
      for (let slice = 0; slice < SLICE && this.#sent < due && this.open < OPEN_MAX; slice++) {
        this.#send(this.#options.source.next())
        sent(this.#sent)
      }
      await new Promise<void>((resolve) => clock.schedule(clock.now() + TICK_MS, resolve))
    }
  }

  #send(transfer: Transfer): void {
    this.#sent++
    this.#options.send(transfer).then(
      ({ position, keyRange }) => {
        try {
          this.#options.acknowledge({ ...transfer, ...position, keyRange })
          this.#acknowledged++
        } catch (error) {
          // Without this line in the file nothing can be judged: end the run, not only this message.
          this.#broken = error
        }
      },
      (error: unknown) => {
        this.#refused++
        const reason = isTandemError(error) ? `${error.code}: ${error.message}` : String(error)
        this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
      },
    )
  }
}

const TICK_MS = 5
/** At 100,000 messages a second a tick has 500; after a pause the backlog is worked off in twice the time. */
const SLICE = 1000
const OPEN_MAX = 20_000
