/**
 * When a counter was first known to have something beyond it.
 *
 * Each hole has its own clocks, "from when something beyond it was first seen", and rule 6 also asks since when one
 * feed has been past it. Both are answered by remembering when the highest counter seen rose: entries ascend in
 * counter, time and step alike, and those at or below the frontier are dropped.
 *
 * A step counts the arbiter's events. It orders a query after a sighting where milliseconds would tie.
 */
export interface Sighting {
  /** Counters below this one were known to have something beyond them. */
  readonly high: number
  readonly time: number
  readonly step: number
  /** Where it was seen; of sightings on one feed. */
  readonly offset?: number
}

export class Sightings {
  #entries: Sighting[] = []

  /** A data record up to `last` makes high = last; a void does so too, but is itself a hole: high = last + 1. */
  note(sighting: Sighting): void {
    if (sighting.high <= this.high) return
    this.#entries.push(sighting)
    // Two as one: the holes of the first are taken for as young as those of the second.
    if (this.#entries.length > ENTRIES_MAX) this.#entries = this.#entries.filter((_, index) => index % 2 === 0)
  }

  /** The feed goes back: what it showed at or above `offset` it has not shown. */
  rewind(offset: number): void {
    this.#entries = this.#entries.filter((entry) => entry.offset! < offset)
  }

  get high(): number {
    return this.#entries.length === 0 ? 0 : this.#entries[this.#entries.length - 1]!.high
  }

  beyond(counter: number): Sighting | undefined {
    const entries = this.#entries
    if (this.high <= counter) return undefined
    let low = 0
    let high = entries.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (entries[middle]!.high > counter) high = middle
      else low = middle + 1
    }
    return entries[low]
  }

  /** Forgets what only concerns counters below `frontier`. */
  prune(frontier: number): void {
    const entries = this.#entries
    if (entries.length === 0 || entries[0]!.high > frontier + 1) return
    let kept = 0
    while (kept < entries.length && entries[kept]!.high <= frontier + 1) kept++
    if (kept === entries.length) this.#entries = []
    else if (kept > PRUNE_MIN || kept * 2 > entries.length) this.#entries = entries.slice(kept)
  }
}

/** A hole is waited for for seconds, and beyond it may lie far more messages than are held. */
const ENTRIES_MAX = 4_096
/** Slicing costs what is kept, so it waits until that is worth it. */
const PRUNE_MIN = 1_024
