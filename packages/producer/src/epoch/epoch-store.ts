import { systemClock, type Clock } from '@tandem/common/internal'

/**
 * Where a producer takes its epoch from when it starts: greater than every one that this producerId took before.
 *
 * Epochs order, they do not fence. A store may lose its memory: then the time makes the next one greater. Two processes
 * under one producerId write two sequences, and both are delivered; a store may refuse the second one at its start, and
 * does so by a lease. Losing that is an event, never an error: what the producer has taken on it goes on writing.
 */
export interface EpochStore {
  /** How long `take()` may wait for a holder that is dead; 0 if left out. `connectTimeoutMs` must be longer. */
  readonly waitMs?: number
  /**
   * Takes the next epoch. What may pass by itself (no connection, a holder that may be dead) it goes on trying until
   * `signal` says that it is enough, and then rejects with the reason; what will not pass, it rejects at once.
   *
   * Rejects with
   * - ProducerIdHeldError: another live process has the producerId.
   * - EpochStoreFailedError: the store cannot say. The producer then does not start.
   */
  take(request: EpochRequest): Promise<EpochTaken>
}

export interface EpochRequest {
  readonly producerId: string
  /** Random, tells two processes of one epoch apart. */
  readonly incarnation: number
  readonly host: string
  /** Ends the attempt. Without one it goes on for as long as it takes. */
  readonly signal?: AbortSignal
}

export interface EpochTaken {
  /** Integer from 1, below 2^53. */
  readonly epoch: number
  /** If the store refuses a second live process. */
  readonly lease?: EpochLease
  /** Why the epoch is from elsewhere than it should be. */
  readonly substituted?: string
}

/** The sign by which others see that this process is alive. Nothing expires by itself. */
export interface EpochLease {
  readonly renewEveryMs: number
  /**
   * To be called again once the last call is settled, not before: one renewal may be left behind by a dead process,
   * two prove life. Rejects with EpochStoreFailedError if no answer came; that loses nothing, call it again later.
   */
  renew(): Promise<LeaseAnswer>
  /** Lets the next one start at once. Rejects with EpochStoreFailedError if no answer came. */
  release(): Promise<void>
}

/** `taken`: a greater epoch was given out meanwhile; `by` is the host. There is no lease any more. */
export type LeaseAnswer = { readonly kind: 'renewed' } | { readonly kind: 'taken'; readonly by: string }

/** The machine's clock as an epoch: no store, and no protection against a clock that is set back between two starts. */
export class ClockEpochs implements EpochStore {
  readonly #clock: Clock
  #last = 0

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  take(): Promise<EpochTaken> {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#clock.wall()))
    return Promise.resolve({ epoch: this.#last })
  }
}
