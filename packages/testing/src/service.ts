import { ClosedError, ServiceFailedError } from '@tandem/common/internal'
import { exitText, type GuardedProcess } from './guarded-process.js'
import { Guardian } from './guardian.js'
import type { SystemUser } from './guardian-message.js'
import { logTail } from './log-tail.js'
import type { ServiceState } from './test-cluster.js'

export interface ServiceOptions {
  /** For messages: `Redis`, `the Kafka node 1 of east`. */
  readonly what: string
  /** Beginning of the data folder's name. */
  readonly prefix: string
}

export interface ServiceCommand {
  readonly command: string
  readonly arguments: readonly string[]
  /** Whether it is a Node process that talks back over a channel. */
  readonly talks?: boolean
  /** Whose process it is to be, if not this one's. */
  readonly user?: SystemUser | undefined
}

/**
 * A server with a data folder of its own under the system's temporary folder: what the clusters and Redis have in
 * common. Knows which of hang, resume, kill and stop make sense when.
 */
export class Service {
  static async create(options: ServiceOptions): Promise<Service> {
    const guardian = Guardian.shared()
    return new Service(options.what, guardian, await guardian.makeFolder(`tandem-${options.prefix}-`))
  }

  readonly #what: string
  readonly #guardian: Guardian
  /** Its files; goes with `stop()`, or with this process. */
  readonly folder: string
  #process: GuardedProcess | undefined
  #stopped: Promise<void> | undefined

  private constructor(what: string, guardian: Guardian, folder: string) {
    this.#what = what
    this.#guardian = guardian
    this.folder = folder
  }

  get state(): ServiceState {
    if (this.#stopped !== undefined) return 'stopped'
    const state = this.#process?.state ?? 'ended'
    return state === 'ended' ? 'killed' : state
  }

  get logFile(): string {
    return `${this.folder}/log`
  }

  /**
   * Starts the server and waits until it serves.
   *
   * @param ready resolves when it serves; it is not waited for any longer than `timeoutMs`, or than the server lives.
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: ended or not ready in time; with the end of its log.
   */
  async start<T>(command: ServiceCommand, ready: Ready<T>, timeoutMs: number): Promise<T> {
    this.#notStopped('start')
    const process = await this.#guardian.spawn({ ...command, folder: this.folder, logFile: this.logFile })
    this.#process = process
    const given = new AbortController()
    try {
      return await this.#guardian.hold(
        Promise.race([ready(given.signal, process), this.#failure(process, timeoutMs, given.signal)]),
      )
    } catch (error) {
      await process.kill()
      throw await this.#failed('start', error)
    } finally {
      given.abort()
    }
  }

  /**
   * Runs a program in the data folder to its end; the server may be running meanwhile.
   *
   * @param verb what it is for, to say that this was not done.
   */
  async run(command: ServiceCommand, verb = 'start'): Promise<void> {
    this.#notStopped(verb)
    const process = await this.#guardian.spawn({ ...command, folder: this.folder, logFile: this.logFile })
    const exit = await this.#guardian.hold(process.exited)
    if (exit.code !== 0) throw await this.#failed(verb, new ServiceFailedError(exitText(exit)))
  }

  async hang(): Promise<void> {
    await this.#alive('hang').hang()
  }

  async resume(): Promise<void> {
    await this.#alive('resume').resume()
  }

  async kill(): Promise<void> {
    this.#notStopped('kill')
    await this.#process?.kill()
  }

  /** SIGTERM, then SIGKILL after `timeoutMs`. */
  async end(timeoutMs: number): Promise<void> {
    this.#notStopped('end')
    await this.#process?.end(timeoutMs)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    await this.#process?.kill()
    await this.#guardian.removeFolder(this.folder)
  }

  #alive(verb: string): GuardedProcess {
    this.#notStopped(verb)
    if (this.#process?.state === 'running' || this.#process?.state === 'hung') return this.#process
    const exit = this.#process?.exit
    throw new ServiceFailedError(
      `cannot ${verb} ${this.#what}: it is not running${exit === undefined ? '' : ` (${exitText(exit)})`}`,
    )
  }

  #notStopped(verb: string): void {
    if (this.#stopped !== undefined) throw new ClosedError(`cannot ${verb} ${this.#what}: it was stopped for good`)
  }

  #failure(process: GuardedProcess, timeoutMs: number, over: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      const timer = setTimeout(
        () => reject(new ServiceFailedError(`not ready after ${timeoutMs} ms`, { timeoutMs })),
        timeoutMs,
      )
      over.addEventListener('abort', () => clearTimeout(timer))
      void process.exited.then((exit) => reject(new ServiceFailedError(exitText(exit))))
    })
  }

  async #failed(verb: string, cause: unknown): Promise<ServiceFailedError> {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const tail = await logTail(this.logFile)
    return new ServiceFailedError(
      `${this.#what} did not ${verb}: ${reason}` + (tail === '' ? '' : `\nThe end of its log:\n${tail}`),
      { log: tail },
      cause,
    )
  }
}

/** Resolves when the server serves; stops trying when `over` is aborted. */
export type Ready<T> = (over: AbortSignal, process: GuardedProcess) => Promise<T>
