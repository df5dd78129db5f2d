import { chained, type Mark } from './marks.js'

/**
 * Compares a log with marks of what was read of it: is it still the same?
 *
 * A single record proves little, since what was not acknowledged is written again as the same bytes and may come to stand
 * where it stood, behind others that are gone. So a run of records is read again, from an older mark up to the newest one,
 * and each mark on the way has to agree. If one does not, what is the same ends behind the last one that did; if none
 * did, the run before is read, and so on.
 */
export type CheckVerdict =
  | { readonly kind: 'same' }
  /** It is to be read again from here on; undefined: from its start. */
  | { readonly kind: 'changed'; readonly from: number | undefined }
  /** Too little is left of what was read; from here on it is to be read again, since that is little, too. */
  | { readonly kind: 'unknown'; readonly from: number }

export class LogCheck {
  /** Where the log ends, as far as was known. */
  readonly end: number
  /** From where a run can be read, ascending; the last one is the newest mark. */
  readonly #marks: readonly Mark[]
  /** Index of the mark that the run began behind. */
  #from: number
  /** Index of the mark that is come to next. */
  #next: number
  /** Up to the record that was read last. */
  #digest = 0
  #offset = 0
  #seeks = false
  /** The log ends before what was read of it. */
  readonly #isShorter: boolean
  /** A later run did not agree from its beginning. */
  #isBefore = false
  #verdict: CheckVerdict | undefined

  /** @param log where it begins and ends, as far as is known. */
  constructor(marks: readonly Mark[], log: { readonly start?: number; readonly end?: number } = {}) {
    const { start = 0, end = Infinity } = log
    this.end = end
    this.#isShorter = (marks.at(-1)?.offset ?? -1) >= end
    this.#marks = marks.filter(({ offset }) => offset >= start - 1 && offset < end)
    const newest = this.#marks.at(-1)
    const near = this.#marks.findIndex(({ offset }) => newest!.offset - offset <= RUN_MAX)
    this.#from = Math.max(0, Math.min(near, this.#marks.length - 2))
    this.#next = this.#from + 1
    if (this.#marks.length >= 2) this.#begin()
    else if (this.#isShorter) this.#verdict = { kind: 'changed', from: undefined }
    else if (marks.length >= 2 && newest !== undefined && newest.offset >= start)
      this.#verdict = { kind: 'unknown', from: start }
    else this.#verdict = { kind: 'same' }
  }

  /** Undefined as long as there is something to be read. */
  get verdict(): CheckVerdict | undefined {
    return this.#verdict
  }

  /** Which record is to be read next. */
  get offset(): number {
    return this.#offset
  }

  /** Where to go on reading, if that is not just behind what was read. */
  takeSeek(): number | undefined {
    const seeks = this.#seeks
    this.#seeks = false
    return seeks ? this.#offset : undefined
  }

  /** The record at `offset` or the first one behind it. */
  handleRecord(offset: number, digest: number): void {
    if (this.#verdict !== undefined) return
    this.#digest = chained(this.#digest, digest)
    this.#offset = offset + 1
    const mark = this.#marks[this.#next]!
    if (offset < mark.offset) return
    if (offset > mark.offset || this.#digest !== mark.digest) return this.#disagree()
    this.#next++
    const isLast = this.#next === this.#marks.length
    // A run before the first one shows where what is the same ends, and no more.
    if (this.#isBefore || (isLast && this.#isShorter)) this.#verdict = { kind: 'changed', from: mark.offset + 1 }
    else if (isLast) this.#verdict = { kind: 'same' }
  }

  /** The log ends here. */
  handleEnd(end: number): void {
    if (this.#verdict === undefined && end <= this.#marks.at(-1)!.offset) this.#disagree()
  }

  #begin(): void {
    const { offset, digest } = this.#marks[this.#from]!
    this.#next = this.#from + 1
    this.#digest = digest
    this.#offset = offset + 1
    this.#seeks = true
  }

  #disagree(): void {
    if (this.#next > this.#from + 1) {
      this.#verdict = { kind: 'changed', from: this.#marks[this.#next - 1]!.offset + 1 }
    } else if (this.#from === 0) this.#verdict = { kind: 'changed', from: undefined }
    else {
      this.#isBefore = true
      this.#from--
      this.#begin()
    }
  }
}

/** More than are under way at a time, and so may be written again as they were. */
const RUN_MAX = 1_024
