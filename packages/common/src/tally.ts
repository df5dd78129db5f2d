/**
 * Facts that come by the thousand, told at most once a second each, with their count.
 *
 * The first one is told at once. A subscriber that answers a `message-shed` event by sending something, which is shed
 * in its turn, hears of that a second later: it cannot set off an endless run of events.
 */
export class Tally {
  readonly #counts = new Map<string, { count: number; toldAt: number }>()
  #deadline = Infinity
  #told: { label: string; count: number }[] = []

  /** `label` is one of few. */
  handle(label: string, count: number, now: number): void {
    let entry = this.#counts.get(label)
    if (entry === undefined) this.#counts.set(label, (entry = { count: 0, toldAt: -Infinity }))
    entry.count += count
    if (now - entry.toldAt >= TELL_EVERY_MS) this.#tell(label, entry, now)
    else this.#deadline = Math.min(this.#deadline, entry.toldAt + TELL_EVERY_MS)
  }

  poll(): { readonly label: string; readonly count: number } | undefined {
    return this.#told.shift()
  }

  deadline(): number | undefined {
    return this.#deadline === Infinity ? undefined : this.#deadline
  }

  handleDeadline(now: number): void {
    if (now < this.#deadline) return
    this.#deadline = Infinity
    for (const [label, entry] of this.#counts) {
      if (entry.count === 0) continue
      if (now - entry.toldAt >= TELL_EVERY_MS) this.#tell(label, entry, now)
      else this.#deadline = Math.min(this.#deadline, entry.toldAt + TELL_EVERY_MS)
    }
  }

  /** Everything that was not told yet. */
  close(now: number): void {
    for (const [label, entry] of this.#counts) if (entry.count > 0) this.#tell(label, entry, now)
  }

  #tell(label: string, entry: { count: number; toldAt: number }, now: number): void {
    this.#told.push({ label, count: entry.count })
    entry.count = 0
    entry.toldAt = now
  }
}

const TELL_EVERY_MS = 1_000
