/**
 * Where one feed's log ends, asked in time: rules 6 and 7 believe an end only if it was asked for after the hole (or
 * the newer epoch) was seen, since an older answer says nothing of what was written in between.
 *
 * One query is in flight and one more is wanted at most; its answer serves every hole seen before it was asked. An
 * end counts from when the feed has read up to it. Queries that fail are asked again after `RETRY_MS`.
 */
export interface Reached {
  readonly askedStep: number
  readonly time: number
}

export interface Answer {
  readonly askedStep: number
  readonly end: number
}

export class EndQuery {
  #wantedAfter = -2
  #askedStep = -1
  #inFlight: number | undefined
  #notBefore = 0
  #answers: Answer[] = []
  #reached: Reached[] = []

  /** An answer is wanted that was asked for after `step`. */
  want(step: number): void {
    if (step > this.#wantedAfter) this.#wantedAfter = step
  }

  /** Whether to ask now. */
  due(time: number): boolean {
    return this.#inFlight === undefined && this.#wantedAfter >= this.#askedStep && time >= this.#notBefore
  }

  /** When `due` becomes true if nothing else happens. */
  get deadline(): number | undefined {
    return this.#inFlight === undefined && this.#wantedAfter >= this.#askedStep ? this.#notBefore : undefined
  }

  handleAsked(step: number): void {
    this.#askedStep = step
    this.#inFlight = step
  }

  /** @returns false for an answer to a query that is no longer ours. */
  handleAnswer(step: number, end: number, nextOffset: number, time: number): boolean {
    if (this.#inFlight !== step) return false
    this.#inFlight = undefined
    this.#notBefore = time + INTERVAL_MS
    this.handleProven({ askedStep: step, end }, nextOffset, time)
    return true
  }

  /** An answer that was put off turns out to count. */
  handleProven(answer: Answer, nextOffset: number, time: number): void {
    this.#answers.push(answer)
    if (this.#answers.length > ANSWERS_MAX) this.#answers.splice(1, 1)
    this.handleOffset(nextOffset, time)
  }

  /** @returns false as above. */
  handleFailed(step: number, time: number): boolean {
    if (this.#inFlight !== step) return false
    this.#inFlight = undefined
    this.#askedStep = -1
    this.#notBefore = time + RETRY_MS
    return true
  }

  /** The feed has read up to (not including) `nextOffset`. */
  handleOffset(nextOffset: number, time: number): void {
    while (this.#answers.length > 0 && this.#answers[0]!.end <= nextOffset) {
      this.#reached.push({ askedStep: this.#answers.shift()!.askedStep, time })
      if (this.#reached.length > REACHED_MAX) this.#reached.shift()
    }
  }

  /** What was known of the end no longer holds: the log lost its tail. */
  clear(): void {
    this.#answers = []
    this.#reached = []
  }

  /** Since when the feed has been at an end asked for after `step`, or undefined. */
  reachedAfter(step: number): number | undefined {
    let low = 0
    let high = this.#reached.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#reached[middle]!.askedStep > step) high = middle
      else low = middle + 1
    }
    return this.#reached[low]?.time
  }
}

/** Between two queries of one feed: a hole waits seconds, so a tenth of one costs nothing. */
const INTERVAL_MS = 100
/** After a query that brought no answer. */
const RETRY_MS = 500
/** Ends read up to: at one a tenth of a second, far more than any hole is waited for by default. */
const REACHED_MAX = 1_000
/** Answers not yet read up to; of a longer row the oldest and the newest tell enough. */
const ANSWERS_MAX = 1_000
