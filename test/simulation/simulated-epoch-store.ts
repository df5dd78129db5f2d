import { ClockEpochs, type EpochRequest, type EpochStore, type EpochTaken } from '@tandem/producer'

import type { Prng } from './prng.js'
import type { Channel, SimulatedProcess } from './simulated-process.js'
import type { Timeline } from './timeline.js'

/** Epochs from one memory that all processes share, as from Redis: `max(stored + 1, its own time)`. */
export class SimulatedEpochStore {
  readonly #timeline: Timeline
  readonly #prng: Prng
  readonly #latencyMs: readonly [low: number, high: number]
  readonly #wallMs: number
  readonly #taken = new Map<string, number>()

  constructor(options: { timeline: Timeline; prng: Prng; latencyMs: readonly [number, number]; wallMs: number }) {
    this.#timeline = options.timeline
    this.#prng = options.prng
    this.#latencyMs = options.latencyMs
    this.#wallMs = options.wallMs
  }

  connection(process: SimulatedProcess): EpochStore {
    const channel: Channel = { name: 'epoch store' }
    return { take: (request) => this.#take(request, process, channel) }
  }

  #take({ producerId }: EpochRequest, process: SimulatedProcess, channel: Channel): Promise<EpochTaken> {
    return new Promise((resolve) => {
      this.#timeline.after(this.#prng.between(...this.#latencyMs), () => {
        const epoch = Math.max((this.#taken.get(producerId) ?? 0) + 1, this.#timeline.now + this.#wallMs)
        this.#taken.set(producerId, epoch)
        this.#timeline.after(this.#prng.between(...this.#latencyMs), () => {
          process.deliver(channel, () => resolve({ epoch }))
        })
      })
    })
  }
}

/** Epochs by the clock of the process: no memory, nothing shared. */
export function clockEpochs(process: SimulatedProcess): EpochStore {
  return new ClockEpochs(process.clock)
}
