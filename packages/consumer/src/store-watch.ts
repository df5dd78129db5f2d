import { received, type Clock, type Telemetry } from '@tandem/common/internal'

import type { HighWaterStore } from './high-water/high-water-store.js'

export interface StoreWatchHost {
  readonly store: HighWaterStore
  readonly clock: Clock
  readonly telemetry: Telemetry
}

/**
 * Whether the store answers whoever asks it, and whether it is fit to keep what it is given; each is told once.
 */
export class StoreWatch {
  readonly #host: StoreWatchHost
  /** What was asked and is not answered. */
  readonly #unanswered = new Set<object>()
  #away: { readonly sinceMs: number; readonly reason: string } | undefined
  #hazards: readonly string[] = []
  #cancel = (): void => undefined
  #stopped = false

  constructor(host: StoreWatchHost) {
    this.#host = host
  }

  get away(): boolean {
    return this.#away !== undefined
  }

  /** What is wrong with it, in words. */
  get degraded(): string[] {
    const hazards = this.#hazards.map((reason) => `the high-water store is unsafe: ${reason}`)
    return this.#away === undefined
      ? hazards
      : [`the high-water store does not answer: ${this.#away.reason}`, ...hazards]
  }

  handleAnswered(asked: object): void {
    this.#unanswered.delete(asked)
    if (this.#away === undefined || this.#unanswered.size > 0) return
    const awayMs = Math.round(this.#host.clock.now() - this.#away.sinceMs)
    this.#away = undefined
    this.#host.telemetry.tell({ kind: 'store-returned', awayMs })
  }

  handleFailed(asked: object, error: unknown): void {
    this.#unanswered.add(asked)
    if (this.#away !== undefined) return
    const reason = messageOf(error)
    this.#away = { sinceMs: this.#host.clock.now(), reason }
    this.#host.telemetry.tell({ kind: 'store-away', reason })
  }

  /** Asks what is to be feared of it, from now on until it is stopped. */
  start(): void {
    if (this.#host.store.hazards !== undefined) void this.#look()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  async #look(): Promise<void> {
    const { store, clock, telemetry } = this.#host
    try {
      const hazards = await store.hazards!()
      for (const reason of hazards)
        if (!this.#hazards.includes(reason)) telemetry.tell({ kind: 'store-unsafe', reason })
      this.#hazards = hazards
    } catch {
      // That it does not answer is noticed by whoever needs it.
    }
    if (!this.#stopped) this.#cancel = clock.schedule(clock.now() + LOOK_EVERY_MS, () => void this.#look())
  }
}

/** Also of what is no Error: a user's store may throw anything. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : received(error)
}

/** Somebody may change its configuration, or it fails over to one that has another. */
const LOOK_EVERY_MS = 60_000
