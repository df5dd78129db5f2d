import { EndQuery } from './end-query.js'
import { OpenRecords } from './open-records.js'

/** What the arbiter knows of one feed of its partition. */
export class FeedState<R> {
  readonly open: OpenRecords<R>
  readonly end = new EndQuery()
  /** Offset of the next record to read; -1 until it is assigned. */
  nextOffset = -1
  /** Polling time of its last record, or of its last word about its end. */
  heardAt: number
  /** Polling time at which it was last asked for a sign of life. */
  askedAt = -Infinity
  /** `nextOffset` when it was last asked for its end. */
  askedOffset = -1
  /** An offset that was read up to, and since when the log has been said to end before it. */
  beyondEnd: { readonly offset: number; readonly end: number; readonly since: number } | undefined
  awaySince: number | undefined
  /**
   * Waited for in vain for `holeTimeoutMs` at this step (rules 6 and 7): counts as away until it is at an end that was
   * asked for after that, so that waits do not add up.
   */
  discountedAt: number | undefined
  /** Paused at the held bound. */
  paused = false
  heldMessages = 0
  heldBytes = 0

  constructor(feed: number, time: number) {
    this.open = new OpenRecords(feed)
    this.heardAt = time
  }

  /** Whether it is waited for. */
  get live(): boolean {
    return this.awaySince === undefined && this.discountedAt === undefined
  }
}
