/**
 * What has to be ended, in the reverse order of its beginning; once, and all of it, whatever fails on the way.
 */
export class Teardown {
  readonly #tasks: (() => unknown)[] = []

  add(task: () => unknown): void {
    this.#tasks.push(task)
  }

  /** Ends everything; the failures are returned, since nothing is left to do about them. */
  async run(): Promise<unknown[]> {
    const failures: unknown[] = []
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      try {
        await task()
      } catch (error) {
        failures.push(error)
      }
    }
    return failures
  }
}
