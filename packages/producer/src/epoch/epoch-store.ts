import { systemClock, type Clock } from '@tandem/common/internal'

/**
 * Where a producer takes its epoch from when it starts: greater than every one that this producerId took before.
 *
 * Epochs order, they do not fence. A store may lose its memory: then the time makes the next one greater.
 */
export interface EpochStore {
  /** Rejects if it cannot say; the producer then does not start. */
  take(request: EpochRequest): Promise<EpochTaken>
}

export interface EpochRequest {
  readonly producerId: string
  /** Random, tells two processes of one epoch apart. */
  readonly incarnation: number
  readonly host: string
}

export interface EpochTaken {
  /** Integer from 1, below 2^53. */
  readonly epoch: number
}

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
