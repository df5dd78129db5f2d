import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readOptions, type OptionsGiven } from '@tandem/common/internal'
import { expectFree, freePort } from './free-ports.js'
import { listenerOptions } from './listener-options.js'
import { findProgram } from './program.js'
import { awaitRedis } from './redis-command.js'
import { Service } from './service.js'
import type { ServiceState } from './test-cluster.js'

export const REDIS_SERVER_OPTIONS = listenerOptions('redis-server', '`--appendfsync`, `always`')

export type RedisServerOptions = OptionsGiven<typeof REDIS_SERVER_OPTIONS>

/**
 * A Redis of one's own, from the `redis-server` on the path, on a private port of 127.0.0.1.
 *
 * It evicts nothing and appends every write to a file before it answers, so that what was answered survives `kill()`
 * (not a power failure: the file is synchronised once a second, unless `args` say otherwise).
 *
 * ```ts
 * await using redis = await RedisServer.start()
 * const client = new Redis(redis.url)
 * ```
 *
 * It ends with this process, however that ends.
 */
export class RedisServer implements AsyncDisposable {
  /**
   * Starts one and waits until it answers.
   *
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`.
   * @throws ServiceMissingError `TANDEM_SERVICE_MISSING`: no redis-server on the path; says what installs it.
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: it did not come up; with the end of its log.
   */
  static async start(given: RedisServerOptions = {}): Promise<RedisServer> {
    const options = readOptions(REDIS_SERVER_OPTIONS, given, 'redisServer')
    const program = await findProgram('redis-server')
    const port = options.port ?? (await freePort())
    const service = await Service.create({ what: 'Redis', prefix: 'redis' })
    const server = new RedisServer(service, program, port, options.args)
    try {
      await server.#run()
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  readonly port: number
  /** `redis://127.0.0.1:<port>`; the same over restarts. */
  readonly url: string
  readonly #service: Service
  readonly #program: string
  readonly #args: readonly string[]

  private constructor(service: Service, program: string, port: number, args: readonly string[]) {
    this.#service = service
    this.#program = program
    this.#args = args
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  get state(): ServiceState {
    return this.#service.state
  }

  /** Stops every thread of it: connections stay open and nothing is answered. */
  hang(): Promise<void> {
    return this.#service.hang()
  }

  /** Takes a hang back. */
  resume(): Promise<void> {
    return this.#service.resume()
  }

  /** SIGKILL. What it answered is in its file. */
  kill(): Promise<void> {
    return this.#service.kill()
  }

  /** Keeps a copy of what is stored now, for `restart({ from: 'dump' })`. */
  async dump(): Promise<void> {
    await rm(this.#file(DUMP), { recursive: true, force: true })
    await cp(this.#file(STORED), this.#file(DUMP), { recursive: true })
  }

  /**
   * Starts it again at the same port; kills it first if it runs.
   *
   * @param options.empty `true`: as if its disk had been lost.
   * @param options.from `'dump'`: with what it had at the last `dump()`, which must have been.
   */
  async restart(options: { readonly empty?: boolean; readonly from?: 'dump' } = {}): Promise<void> {
    await this.#service.kill()
    if (options.empty === true) await this.#clear()
    if (options.from === 'dump') {
      await rm(this.#file(STORED), { recursive: true })
      await cp(this.#file(DUMP), this.#file(STORED), { recursive: true })
    }
    await this.#run()
  }

  /** Ends it for good and removes what it stored. */
  stop(): Promise<void> {
    return this.#service.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #run(): Promise<void> {
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.#service.folder,
      daemonize: 'no',
      save: '',
      appendonly: 'yes',
      appenddirname: STORED,
      'maxmemory-policy': 'noeviction',
    }
    const command = {
      command: this.#program,
      arguments: [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]), ...this.#args],
    }
    await expectFree(this.port)
    const ready = (over: AbortSignal): Promise<void> => awaitRedis(this.port, { ask: 'PING', good: isUp, over })
    await this.#service.start(command, ready, START_TIMEOUT_MS)
  }

  #file(name: string): string {
    return join(this.#service.folder, name)
  }

  async #clear(): Promise<void> {
    const { folder, logFile } = this.#service
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      if (path !== logFile) await rm(path, { recursive: true })
    }
  }
}

/** Starts several, or none. */
export async function startRedisServers(all: readonly RedisServerOptions[]): Promise<RedisServer[]> {
  const started = await Promise.allSettled(all.map((options) => RedisServer.start(options)))
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find((one) => one.status === 'rejected')
  if (failed === undefined) return servers
  await Promise.all(servers.map((server) => server.stop()))
  throw failed.reason
}

/**
 * While Redis reads its file it accepts connections and answers every command with `-LOADING`; one that wants a password
 * says so to everything.
 */
function isUp(answer: string): boolean {
  return answer !== '' && !answer.startsWith('-LOADING')
}

/** Folders, in that of the server. */
const STORED = 'stored'
const DUMP = 'dump'
const START_TIMEOUT_MS = 30_000
