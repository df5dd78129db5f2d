import type { RequestKind, SimulatedCluster } from './cluster.js'
import type { Channel, SimulatedProcess } from './simulated-process.js'

/**
 * What a Kafka client of either kind has: a process that it runs in, a cluster that it asks, and an end after which
 * nothing calls back any more.
 */
export class SimulatedConnection {
  readonly cluster: SimulatedCluster
  readonly #process: SimulatedProcess
  readonly #channel: Channel
  #closed = false

  constructor(cluster: SimulatedCluster, process: SimulatedProcess, name: string) {
    this.cluster = cluster
    this.#process = process
    this.#channel = { name }
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Calls into the process, unless this is closed by then. */
  deliver(task: () => void): void {
    this.#process.deliver(this.#channel, () => {
      if (!this.#closed) task()
    })
  }

  after(ms: number, task: () => void): () => void {
    return this.cluster.timeline.after(ms, () => this.deliver(task))
  }

  /** Asks the cluster. `done` is told the answer, or undefined if the connection broke; a hung cluster says nothing. */
  ask<T>(kind: RequestKind, execute: () => T, done: (answer: T | undefined) => void): void {
    this.cluster.request({
      kind,
      from: this.#process,
      execute,
      handle: (answer) => this.deliver(() => done(answer.kind === 'answered' ? answer.value : undefined)),
      abandoned: () => this.#closed,
    })
  }

  /** Tries until the cluster has said something or the time is up; then calls back once. */
  contact(timeoutMs: number, done: (reached: boolean) => void): void {
    let open = true
    const finish = (reached: boolean): void => {
      if (!open) return
      open = false
      cancelTimeout()
      done(reached)
    }
    const attempt = (): void => {
      this.ask(
        'query',
        () => true,
        (answer) => {
          if (answer !== undefined) finish(true)
          else if (open) this.after(RECONNECT_MS, attempt)
        },
      )
    }
    const cancelTimeout = this.after(timeoutMs, () => finish(false))
    attempt()
  }

  /** Closes; `done` is called although. librdkafka's disconnect waits for threads that wait for the cluster. */
  close(done: () => void): void {
    this.#closed = true
    const ms = this.cluster.state === 'hung' ? CLOSE_HUNG_MS : CLOSE_MS
    this.cluster.timeline.after(ms, () => this.#process.deliver(this.#channel, done))
  }
}

/** librdkafka's `reconnect.backoff.ms`. */
export const RECONNECT_MS = 100
const CLOSE_MS = 2
const CLOSE_HUNG_MS = 10_000
