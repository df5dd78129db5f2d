import type { Timeline } from './timeline.js'

/**
 * What is handed over in one moment happens in one event later, in order: as ioredis writes the commands of one turn of
 * the loop at once, and reads their replies at once. Thousands of calls are as cheap as one then.
 */
export class Bundle {
  readonly #timeline: Timeline
  readonly #schedule: (task: () => void) => void
  #open: { readonly atMs: number; readonly tasks: (() => void)[] } | undefined

  /** @param schedule has something happen later; called once for all of a moment. */
  constructor(timeline: Timeline, schedule: (task: () => void) => void) {
    this.#timeline = timeline
    this.#schedule = schedule
  }

  add(task: () => void): void {
    const atMs = this.#timeline.now
    if (this.#open?.atMs === atMs) {
      this.#open.tasks.push(task)
      return
    }
    const bundle = { atMs, tasks: [task] }
    this.#open = bundle
    this.#schedule(() => {
      if (this.#open === bundle) this.#open = undefined
      for (const one of bundle.tasks) one()
    })
  }
}
