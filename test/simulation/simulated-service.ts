import { inKeyOrder, type Delivery, type InKeyOrderOptions } from '@tandem/consumer/internal'
import type { Observable } from 'rxjs'

import type { Handled } from './checkers/history.js'
import type { Channel, SimulatedProcess } from './simulated-process.js'
import type { Timeline } from './timeline.js'

/** How one call of a handler, or of whatever publishes dead letters, is to end: resolved, or rejected with `error`. */
export interface Fate {
  readonly afterMs: number
  readonly error?: Error | undefined
}

export interface SimulatedServiceOptions {
  readonly process: SimulatedProcess
  readonly timeline: Timeline
  readonly handle: (text: string) => Fate
  /** Writes the effect, once the handler has come to it; throws if it is not written. */
  readonly book?: ((delivery: Delivery, text: string) => Promise<void>) | undefined
  /** Keeps a dead letter, instead of what the options may say. */
  readonly bury?: ((text: string) => Fate) | undefined
  readonly options: InKeyOrderOptions
}

/** What a user builds on `inKeyOrder`: a handler, a classifier, dead letters; it writes down all that is asked of it. */
export class SimulatedService {
  readonly handled: Writable<Handled>[] = []
  /** Messages whose dead letters were kept, in order. */
  readonly letters: string[] = []
  readonly #options: SimulatedServiceOptions
  readonly #channel: Channel = { name: 'service' }

  constructor(options: SimulatedServiceOptions) {
    this.#options = options
  }

  /** Emits what is finished. */
  readonly operate = (deliveries$: Observable<Delivery<Buffer | null>>): Observable<Delivery<Buffer | null>> => {
    const { options, bury } = this.#options
    const deadLetter =
      bury === undefined
        ? options.deadLetter
        : (delivery: Delivery): Promise<void> => this.#bury(textOf(delivery), bury)
    return deliveries$.pipe(inKeyOrder((delivery) => this.#handle(delivery), { ...options, deadLetter }))
  }

  async #handle(delivery: Delivery): Promise<void> {
    const text = textOf(delivery)
    const { fence } = delivery
    const fromMs = this.#options.timeline.now
    const handled: Writable<Handled> = { text, fence, fromMs, toMs: undefined, failed: false }
    this.handled.push(handled)
    try {
      await this.#await(this.#options.handle(text))
      await this.#options.book?.(delivery, text)
    } catch (error) {
      handled.failed = true
      throw error
    } finally {
      handled.toMs = this.#options.timeline.now
    }
  }

  async #bury(text: string, bury: (text: string) => Fate): Promise<void> {
    await this.#await(bury(text))
    this.letters.push(text)
  }

  /** The answer comes to the process, if it is there. */
  #await({ afterMs, error }: Fate): Promise<void> {
    const { timeline, process } = this.#options
    return new Promise((resolve, reject) => {
      timeline.after(afterMs, () => {
        process.deliver(this.#channel, () => (error === undefined ? resolve() : reject(error)))
      })
    })
  }
}

function textOf({ bytes }: Delivery): string {
  return bytes?.toString() ?? ''
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
