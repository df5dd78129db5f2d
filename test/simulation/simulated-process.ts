import type { Clock } from '@tandem/common/internal'

import type { Prng } from './prng.js'
import type { Timeline } from './timeline.js'

/**
 * An operating-system process of the world: what runs in it can be killed, or stopped and continued.
 *
 * Everything that calls into it comes through `deliver`: timers, answers, batches. Killed, nothing does any more.
 * Stopped, it waits; on SIGCONT what waited comes at once, in any order but that of each channel (one connection, or
 * the timers), and the clock has jumped. The machine's clock can be moved; the monotonic one cannot.
 */
export type ProcessState = 'running' | 'stopped' | 'dead'

/** What keeps its own order across a stop. */
export interface Channel {
  readonly name: string
}

export class SimulatedProcess {
  readonly name: string
  readonly clock: Clock
  readonly #timeline: Timeline
  readonly #prng: Prng
  readonly #timers: Channel = { name: 'timers' }
  #state: ProcessState = 'running'
  #wallOffsetMs: number
  /** What came while it was stopped; a channel that is not caught up with goes on waiting here. */
  #waiting = new Map<Channel, (() => void)[]>()

  constructor(options: { name: string; timeline: Timeline; prng: Prng; wallMs: number }) {
    const { timeline } = options
    this.name = options.name
    this.#timeline = timeline
    this.#prng = options.prng
    this.#wallOffsetMs = options.wallMs
    this.clock = {
      now: () => timeline.now,
      wall: () => timeline.now + this.#wallOffsetMs,
      schedule: (atMs, task) => this.#schedule(atMs, task),
    }
  }

  get state(): ProcessState {
    return this.#state
  }

  /** Calls into the process: now, when it is continued, or never. */
  deliver(channel: Channel, task: () => void): void {
    if (this.#state === 'dead') return
    const waiting = this.#waiting.get(channel)
    if (waiting !== undefined) waiting.push(task)
    else if (this.#state === 'stopped') this.#waiting.set(channel, [task])
    else task()
  }

  /** SIGKILL. */
  kill(): void {
    this.#state = 'dead'
    this.#waiting = new Map()
  }

  /** SIGSTOP. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped'
  }

  /** SIGCONT. */
  continue(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'running'
    this.#timeline.after(0, () => this.#catchUp())
  }

  /** The machine's clock is set forward, or back if `ms` is negative. */
  moveClock(ms: number): void {
    this.#wallOffsetMs += ms
  }

  /** One of the things that waited, of a channel drawn by lot; then the next. */
  #catchUp(): void {
    if (this.#state !== 'running' || this.#waiting.size === 0) return
    const [channel, tasks] = this.#prng.pick([...this.#waiting])
    const task = tasks.shift()!
    if (tasks.length === 0) this.#waiting.delete(channel)
    task()
    this.#timeline.after(0, () => this.#catchUp())
  }

  #schedule(atMs: number, task: () => void): () => void {
    let wanted = true
    const cancel = this.#timeline.schedule(atMs, () => {
      this.deliver(this.#timers, () => {
        if (wanted) task()
      })
    })
    return () => {
      wanted = false
      cancel()
    }
  }
}
