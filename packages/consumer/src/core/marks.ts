/**
 * By which a log is known again: digests of all that was read up to some offsets, the newest one just before where the feed
 * resumes, older ones ever further apart: of 2 to 3 records' distance two, of 4 to 7, of 8 to 15 and so on.
 *
 * After a power failure a log may have lost its end, and may have filled it again with something else. Then the newest
 * mark does not agree any more; up to the newest one that does, nothing has changed (log-check.ts).
 * Source: position.md, Damaged logs.
 */
export interface Mark {
  /** Of the last record of it; -1, or one below the log's start, for nothing. */
  readonly offset: number
  /** Of this record (key, value, headers with the stamp) and of all before it that were read. */
  readonly digest: number
}

/** The digest of what was read, when one more record is; 0 is that of nothing. */
export function chained(before: number, record: number): number {
  let digest = (Math.imul(before, 31) + record) | 0
  digest = Math.imul(digest ^ (digest >>> 16), 0x85ebca6b)
  digest = Math.imul(digest ^ (digest >>> 13), 0xc2b2ae35)
  return (digest ^ (digest >>> 16)) >>> 0
}

export class Marks {
  #marks: Mark[] = []

  constructor(marks: readonly Mark[] = []) {
    for (const mark of marks) this.add(mark)
  }

  /** Ascending. */
  get all(): readonly Mark[] {
    return this.#marks
  }

  get newest(): Mark | undefined {
    return this.#marks.at(-1)
  }

  /** One further on; older ones are thinned. */
  add(mark: Mark): void {
    if (mark.offset <= (this.newest?.offset ?? -2)) return
    // The oldest of each level, since that is the one that goes over to the next, and the newest.
    const levelOf = (one: Mark | undefined): number => Math.floor(Math.log2(mark.offset - (one?.offset ?? mark.offset)))
    this.#marks = this.#marks.filter((one, index, all) => {
      const level = levelOf(one)
      const between = level === levelOf(all[index - 1]) && level === levelOf(all[index + 1])
      return mark.offset - one.offset <= DISTANCE_MAX && !between
    })
    this.#marks.push(mark)
  }

  /** The log is read again from here on. */
  rewind(offset: number): void {
    this.#marks = this.#marks.filter((mark) => mark.offset < offset)
  }
}

/** Further back than any flush lies behind. */
const DISTANCE_MAX = 2 ** 15
