import { setTimeout as sleep } from 'node:timers/promises'
import type { Exit, ProcessSignal } from './guardian-message.js'

/** What the guardian does for a process. */
interface Watch {
  ask(signal: ProcessSignal): Promise<void>
  hold<T>(work: Promise<T>): Promise<T>
}

/** One server's process, which can be hung, resumed and killed, and cannot outlive this one. */
export class GuardedProcess {
  readonly pid: number
  /** Resolves when it has ended. Waiting for it does not keep this process alive. */
  readonly exited: Promise<Exit>
  /** The first thing that it says, if it is one that talks. */
  readonly firstMessage: Promise<unknown>
  readonly #watch: Watch
  #settleExited!: (exit: Exit) => void
  #settleFirstMessage!: (message: unknown) => void
  #exit: Exit | undefined
  #hung = false

  constructor(pid: number, watch: Watch) {
    this.pid = pid
    this.#watch = watch
    this.exited = new Promise((resolve) => (this.#settleExited = resolve))
    this.firstMessage = new Promise((resolve) => (this.#settleFirstMessage = resolve))
  }

  get state(): 'running' | 'hung' | 'ended' {
    if (this.#exit !== undefined) return 'ended'
    return this.#hung ? 'hung' : 'running'
  }

  /** How it ended, if it has. */
  get exit(): Exit | undefined {
    return this.#exit
  }

  /** Stops every thread of it, as on a machine that froze: its connections stay open and say nothing. */
  async hang(): Promise<void> {
    await this.#watch.ask('hang')
    this.#hung = true
  }

  async resume(): Promise<void> {
    await this.#watch.ask('resume')
    this.#hung = false
  }

  /** SIGKILL; resolves when it is gone. Harmless if it is gone already. */
  async kill(): Promise<void> {
    await this.#askUnlessEnded('kill')
    await this.#watch.hold(this.exited)
  }

  /** SIGTERM, and SIGKILL if that has not ended it after `timeoutMs`. */
  async end(timeoutMs: number): Promise<void> {
    if (this.#hung) return this.kill() // it would not heed a request
    await this.#askUnlessEnded('end')
    await this.#watch.hold(Promise.race([this.exited, sleep(timeoutMs, undefined, { ref: false })]))
    await this.kill()
  }

  handleExit(exit: Exit): void {
    this.#exit = exit
    this.#settleExited(exit)
  }

  handleMessage(message: unknown): void {
    this.#settleFirstMessage(message)
  }

  async #askUnlessEnded(signal: ProcessSignal): Promise<void> {
    if (this.#exit !== undefined) return
    try {
      await this.#watch.ask(signal)
    } catch (error) {
      if (this.#exit === undefined) throw error
    }
  }
}

export function exitText({ code, signal }: Exit): string {
  return signal === null ? `ended with exit status ${code}` : `ended by ${signal}`
}
