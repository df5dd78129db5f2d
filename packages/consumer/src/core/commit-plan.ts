/**
 * What of a group's position one cluster is told as commits, and when.
 *
 * Tools that show lag read commits, and so does a group whose store is lost. Only what the store has confirmed is
 * committed. One commit is under way at a time: a cluster that hangs holds nothing up, and is told the newest when it is
 * back. Kafka forgets commits of a group that nobody subscribes for, so they are repeated.
 * Source: position.md, What is finished 5.
 */
export interface CommitPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

interface Entry {
  readonly position: CommitPosition
  /** When it was committed, or is being committed. */
  committedAt: number
}

export class CommitPlan {
  readonly #entries = new Map<string, Entry>()
  #underWay: readonly Entry[] | undefined

  /** The store has this as the place where the feed resumes. */
  handleConfirmed(position: CommitPosition): void {
    const name = nameOf(position)
    if (this.#entries.get(name)?.position.offset === position.offset) return
    this.#entries.set(name, { position, committedAt: -Infinity })
  }

  /** The partition is not ours any more: what was not committed is its next holder's business. */
  handleEnded(partition: { readonly topic: string; readonly partition: number }): void {
    this.#entries.delete(nameOf(partition))
  }

  /** What to commit now; `handleCommitted` is to follow. Nothing while a commit is under way. */
  poll(now: number): readonly CommitPosition[] {
    if (this.#underWay !== undefined) return []
    const due = [...this.#entries.values()].filter(({ committedAt }) => now - committedAt >= REPEAT_MS)
    if (due.length === 0) return []
    for (const entry of due) entry.committedAt = now
    this.#underWay = due
    return due.map(({ position }) => position)
  }

  handleCommitted(ok: boolean): void {
    if (!ok) for (const entry of this.#underWay ?? []) entry.committedAt = -Infinity
    this.#underWay = undefined
  }
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}

/** Well below the day after which the shortest retention that anybody sets for commits is over. */
const REPEAT_MS = 12 * 3_600_000
