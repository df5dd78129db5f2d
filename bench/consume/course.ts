/**
 * The run of every subject: both logs, from their beginning to their end. The first tenth of the records does not count:
 * V8 has compiled what is hot by then, and both clients have their connections.
 */
export interface CourseResult {
  /** Records of both logs that were done in the time that counts. */
  readonly records: number
  readonly ms: number
  readonly cpuMicros: number
  /** Commands that were sent to Redis meanwhile. */
  readonly redisCommands: number
}

export class Course {
  /** When all records are done. */
  readonly result: Promise<CourseResult>
  readonly #total: number
  readonly #countCommands: () => number
  readonly #countCpuMicros: () => number
  #resolve!: (result: CourseResult) => void
  #begun:
    { readonly done: number; readonly at: number; readonly cpuMicros: number; readonly commands: number } | undefined
  #done = 0

  /**
   * @param total records of both logs together.
   * @param countCommands how many commands Redis has been sent.
   * @param countCpuMicros what those that do it have taken; this process, if nobody says otherwise.
   */
  constructor(total: number, countCommands = () => 0, countCpuMicros = cpuMicros) {
    this.#total = total
    this.#countCommands = countCommands
    this.#countCpuMicros = countCpuMicros
    this.result = new Promise((resolve) => (this.#resolve = resolve))
  }

  get over(): boolean {
    return this.#done >= this.#total
  }

  /** So many records are done by now. */
  handleDone(done: number): void {
    if (this.over) return
    this.#done = done
    const begun = this.#begun
    if (begun === undefined) {
      if (done < this.#total * WARM_UP_PART) return
      this.#begun = { done, at: performance.now(), cpuMicros: this.#countCpuMicros(), commands: this.#countCommands() }
    } else if (this.over) {
      this.#resolve({
        records: done - begun.done,
        ms: performance.now() - begun.at,
        cpuMicros: this.#countCpuMicros() - begun.cpuMicros,
        redisCommands: this.#countCommands() - begun.commands,
      })
    }
  }
}

/** Of this process so far. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

const WARM_UP_PART = 0.1
