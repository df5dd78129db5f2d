import { chown, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTandemError, readOptions, ServiceFailedError, type OptionsGiven } from '@tandem/common/internal'
import { firstAnswer } from './first-answer.js'
import { expectFree, freePort } from './free-ports.js'
import type { SystemUser } from './guardian-message.js'
import { listenerOptions } from './listener-options.js'
import { findProgram } from './program.js'
import { Service } from './service.js'
import type { ServiceState } from './test-cluster.js'

export const POSTGRES_SERVER_OPTIONS = listenerOptions('postgres', '`-c`, `max_connections=200`')

export type PostgresServerOptions = OptionsGiven<typeof POSTGRES_SERVER_OPTIONS>

/**
 * A PostgreSQL of one's own, from the programs on the path or where Debian puts them, on a private port of 127.0.0.1.
 *
 * What it committed survives `kill()` (not a power failure: nothing is synchronised, unless `args` say otherwise). It
 * lets everybody in who reaches it, as the user `postgres`, who may do everything. PostgreSQL does not run as root: for
 * root it runs as the system's user `postgres`, whom Debian's package brings along.
 *
 * ```ts
 * await using postgres = await PostgresServer.start()
 * const client = new Client(postgres.url)
 * ```
 *
 * It ends with this process, however that ends.
 */
export class PostgresServer implements AsyncDisposable {
  /**
   * Makes an empty database, starts it and waits until it answers.
   *
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`.
   * @throws ServiceMissingError `TANDEM_SERVICE_MISSING`: no PostgreSQL on this machine; says what installs it.
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: it did not come up; with the end of its log.
   */
  static async start(given: PostgresServerOptions = {}): Promise<PostgresServer> {
    const options = readOptions(POSTGRES_SERVER_OPTIONS, given, 'postgresServer')
    const [initdb, postgres] = await Promise.all([findProgram('initdb'), findProgram('postgres')])
    const user = process.getuid?.() === 0 ? await systemUser() : undefined
    const port = options.port ?? (await freePort())
    const service = await Service.create({ what: 'PostgreSQL', prefix: 'postgres' })
    const server = new PostgresServer({ service, program: postgres, user, port, args: options.args })
    try {
      await server.#make(initdb)
      await server.#run()
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  readonly port: number
  /** `postgresql://postgres@127.0.0.1:<port>/postgres`; the same over restarts. */
  readonly url: string
  readonly #service: Service
  readonly #program: string
  readonly #user: SystemUser | undefined
  readonly #args: readonly string[]

  private constructor(parts: {
    readonly service: Service
    readonly program: string
    readonly user: SystemUser | undefined
    readonly port: number
    readonly args: readonly string[]
  }) {
    this.#service = parts.service
    this.#program = parts.program
    this.#user = parts.user
    this.#args = parts.args
    this.port = parts.port
    this.url = `postgresql://postgres@127.0.0.1:${parts.port}/postgres`
  }

  get state(): ServiceState {
    return this.#service.state
  }

  /** SIGKILL. What it committed is in its files; what was not, is rolled back. */
  kill(): Promise<void> {
    return this.#service.kill()
  }

  /** Starts it again at the same port; kills it first if it runs. */
  async restart(): Promise<void> {
    await this.#service.kill()
    await this.#run()
  }

  /** Ends it for good and removes what it stored. */
  stop(): Promise<void> {
    return this.#service.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get #data(): string {
    return join(this.#service.folder, 'data')
  }

  async #make(initdb: string): Promise<void> {
    const user = this.#user
    if (user !== undefined) await chown(this.#service.folder, user.uid, user.gid)
    const settings = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
    await this.#service.run({ command: initdb, arguments: ['--pgdata', this.#data, ...settings], user })
  }

  async #run(): Promise<void> {
    await expectFree(this.port)
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      fsync: 'off',
    }
    const command = {
      command: this.#program,
      arguments: [
        ...['-D', this.#data],
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
        ...this.#args,
      ],
      user: this.#user,
    }
    for (let attempts = 1; ; attempts++) {
      try {
        return await this.#service.start(command, (over) => awaitWelcome(this.port, over), START_TIMEOUT_MS)
      } catch (error) {
        if (attempts === START_ATTEMPTS_MAX || !isStillInUse(error)) throw error
        await sleep(START_AGAIN_AFTER_MS)
      }
    }
  }
}

/** The processes of one that was killed notice it by themselves, and no other starts on its data before they have ended. */
function isStillInUse(error: unknown): boolean {
  return isTandemError(error, 'TANDEM_SERVICE_FAILED') && error.message.includes('is still in use')
}

/** While it recovers from a kill it accepts connections and answers each with an error. */
async function awaitWelcome(port: number, over: AbortSignal): Promise<void> {
  while (!over.aborted && (await firstAnswer(port, STARTUP_MESSAGE)).at(0) !== WELCOME) await sleep(ASK_AGAIN_AFTER_MS)
}

/** Whom Debian's package brings along. */
async function systemUser(): Promise<SystemUser> {
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(await readFile('/etc/passwd', 'utf8'))
  if (line === null) throw new ServiceFailedError('PostgreSQL does not run as root, and there is no user postgres')
  return { uid: Number(line[1]), gid: Number(line[2]) }
}

/** PostgreSQL's documentation, Message Formats, StartupMessage: length, protocol 3.0, parameters. */
const STARTUP_MESSAGE = ((): Buffer => {
  const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0')
  const head = Buffer.alloc(8)
  head.writeInt32BE(head.length + parameters.length)
  head.writeInt32BE(3 << 16, 4)
  return Buffer.concat([head, parameters])
})()
/** Of AuthenticationOk; an error is an E. */
const WELCOME = 'R'.charCodeAt(0)
const ASK_AGAIN_AFTER_MS = 20
const START_TIMEOUT_MS = 30_000
const START_ATTEMPTS_MAX = 50
const START_AGAIN_AFTER_MS = 100
