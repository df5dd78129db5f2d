/** What is not to happen while it is measured what a producer or a consumer costs. */
import type { EventKind, TandemEvent } from '@tandem/common/internal'

export class HarmWatch {
  readonly #found = new Set<EventKind>()

  constructor({ events$ }: Watched, kinds: readonly EventKind[]) {
    events$.subscribe(({ kind }) => {
      if (kinds.includes(kind)) this.#found.add(kind)
    })
  }

  /** @throws if any of it happened: then it was an outage that was measured. */
  check(): void {
    if (this.#found.size > 0) throw new Error(`all servers were to be well, but: ${[...this.#found].join(', ')}`)
  }
}

interface Watched {
  readonly events$: { subscribe(handle: (event: TandemEvent) => void): unknown }
}

export const HARM_TO_PRODUCERS: readonly EventKind[] = [
  'circuit-opened',
  'client-discarded',
  'lane-away',
  'record-given-up',
  'journal-filled',
  'journal-failed',
]
export const HARM_TO_CONSUMERS: readonly EventKind[] = [
  'delivered-late',
  'lease-lapsed',
  'lease-lost',
  'poll-failed',
  'store-away',
  'store-behind',
]
