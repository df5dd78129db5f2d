import { fork, type ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { invariant, ServiceFailedError } from '@tandem/common/internal'
import { GuardedProcess } from './guarded-process.js'
import type { Command, GuardianReport, GuardianRequest, ProcessSignal } from './guardian-message.js'

type Request = GuardianRequest extends infer R ? (R extends unknown ? Omit<R, 'request'> : never) : never
/** A command; with this process's environment, and without a channel, unless it says otherwise. */
export type Spawn = Omit<Command, 'environment' | 'talks'> & Partial<Command>

interface Answer {
  readonly folder?: string | undefined
  readonly guarded?: GuardedProcess | undefined
}

interface Pending {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/**
 * This process's side of its guardian (`guardian-process.ts`): starts servers and makes folders that
 * cannot outlive it. One guardian serves all; it starts with the first use and never keeps this process alive.
 */
export class Guardian {
  static #shared: Guardian | undefined

  /** The guardian of this process; a new one if the last one is gone. */
  static shared(): Guardian {
    const shared = Guardian.#shared
    if (shared !== undefined && shared.#process.connected) return shared
    return (Guardian.#shared = new Guardian())
  }

  readonly #process: ChildProcess
  readonly #pending = new Map<number, Pending>()
  readonly #guarded = new Map<number, GuardedProcess>()
  #requests = 0
  #holds = 0

  private constructor() {
    this.#process = fork(fileURLToPath(new URL('guardian-process.js', import.meta.url)), [], {
      cwd: tmpdir(),
      detached: true,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#process.on('message', (message) => this.#handleReport(message as GuardianReport))
    this.#process.once('disconnect', () => this.#handleGone())
    this.#process.once('error', () => this.#handleGone())
    this.#process.unref()
    this.#process.channel?.unref()
  }

  /** A new folder that goes with this process at the latest. */
  async makeFolder(prefix: string, parent: string = tmpdir()): Promise<string> {
    const { folder } = await this.#ask({ kind: 'make-folder', parent, prefix })
    invariant(folder !== undefined, 'a folder was made but has no name')
    return folder
  }

  async removeFolder(folder: string): Promise<void> {
    await this.#ask({ kind: 'remove-folder', folder })
  }

  async spawn(command: Spawn): Promise<GuardedProcess> {
    const { guarded } = await this.#ask({ kind: 'spawn', talks: false, environment: process.env, ...command })
    invariant(guarded !== undefined, 'a process was started but has no number')
    return guarded
  }

  /** Keeps this process alive for as long as `work` takes: an unheeded channel would let it end in the middle. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#holds += 1
    this.#process.channel?.ref()
    try {
      return await work
    } finally {
      this.#holds -= 1
      if (this.#holds === 0) this.#process.channel?.unref()
    }
  }

  #ask(request: Request): Promise<Answer> {
    this.#requests += 1
    const number = this.#requests
    return this.hold(
      new Promise<Answer>((resolve, reject) => {
        if (!this.#process.connected) return reject(guardianGone())
        this.#pending.set(number, { resolve, reject })
        this.#process.send({ request: number, ...request })
      }),
    )
  }

  #handleReport(report: GuardianReport): void {
    switch (report.kind) {
      case 'done':
        this.#take(report.request)?.resolve({
          folder: report.folder,
          guarded: report.pid === undefined ? undefined : this.#guard(report.pid),
        })
        return
      case 'refused':
        this.#take(report.request)?.reject(new ServiceFailedError(report.reason))
        return
      case 'exited':
        this.#guarded.get(report.pid)?.handleExit(report.exit)
        this.#guarded.delete(report.pid)
        return
      case 'said':
        this.#guarded.get(report.pid)?.handleMessage(report.message)
        return
      default:
        invariant(false, 'a guardian says what it should not', { report: report satisfies never })
    }
  }

  #guard(pid: number): GuardedProcess {
    const ask = async (signal: ProcessSignal): Promise<void> => {
      await this.#ask({ kind: 'signal', pid, signal })
    }
    const guarded = new GuardedProcess(pid, { ask, hold: (work) => this.hold(work) })
    this.#guarded.set(pid, guarded)
    return guarded
  }

  #take(request: number): Pending | undefined {
    const pending = this.#pending.get(request)
    this.#pending.delete(request)
    return pending
  }

  /** Somebody killed the guardian: nobody watches its children any more, so they go too. */
  #handleGone(): void {
    for (const pending of this.#pending.values()) pending.reject(guardianGone())
    this.#pending.clear()
    for (const [pid, guarded] of this.#guarded) {
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        // It has ended already.
      }
      guarded.handleExit({ code: null, signal: 'SIGKILL' })
    }
    this.#guarded.clear()
  }
}

function guardianGone(): ServiceFailedError {
  return new ServiceFailedError('the process that watches the servers of this one has ended')
}
