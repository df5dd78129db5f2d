import {
  isTandemError,
  readOptions,
  systemClock,
  type Clock,
  type OptionsGiven,
  type OptionsSpec,
} from '@tandem/common/internal'

import { ClockEpochs, type EpochRequest, type EpochStore, type EpochTaken } from './epoch-store.js'
import { takeEpoch } from './take-epoch.js'

export type FallbackEpochsOptions = OptionsGiven<typeof FALLBACK_EPOCHS_OPTIONS>

/**
 * Epochs from a store, and from the machine's clock if that store fails: to start without Redis, where that is worth
 * more than that nobody else is writing under this producerId. It shows as the event `epoch-substituted`.
 *
 * A producerId that is held stays refused.
 */
export class FallbackEpochs implements EpochStore {
  readonly waitMs: number
  readonly #store: EpochStore
  readonly #fallback: ClockEpochs
  readonly #clock: Clock

  /**
   * @param options.afterMs 100 to 600,000 ms; default 2,000.
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
   */
  constructor(store: EpochStore, options: FallbackEpochsOptions = {}, clock: Clock = systemClock) {
    this.#store = store
    this.#fallback = new ClockEpochs(clock)
    this.#clock = clock
    this.waitMs = (store.waitMs ?? 0) + readOptions(FALLBACK_EPOCHS_OPTIONS, options, 'fallbackEpochs').afterMs
  }

  async take(request: EpochRequest): Promise<EpochTaken> {
    try {
      return await takeEpoch(this.#store, request, { timeoutMs: this.waitMs, clock: this.#clock })
    } catch (error) {
      if (request.signal?.aborted === true || !isTandemError(error, 'TANDEM_EPOCH_STORE_FAILED')) throw error
      return { ...(await this.#fallback.take()), substituted: error.message }
    }
  }
}

const FALLBACK_EPOCHS_OPTIONS = {
  afterMs: {
    kind: 'number',
    unit: 'ms',
    min: 100,
    max: 600_000,
    default: 2_000,
    meaning: 'How long the store may fail, beyond what it waits for a holder that may be dead.',
  },
} as const satisfies OptionsSpec
