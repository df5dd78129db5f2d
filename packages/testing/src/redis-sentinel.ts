import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-ports.js'
import { findProgram } from './program.js'
import type { RedisAddress } from './redis-cluster.js'
import { awaitRedis, redisCarriesOut, redisCommand } from './redis-command.js'
import { startRedisServers, type RedisServer } from './redis-server.js'
import { Service } from './service.js'

/**
 * Two Redis servers, the second one a replica of the first, and a Sentinel that makes it the master when the first has
 * not answered for half a second.
 *
 * ```ts
 * await using redis = await RedisSentinel.start()
 * const client = new Redis({ sentinels: redis.sentinels, name: redis.name })
 * await redis.servers[0].kill()
 * ```
 *
 * Replication is asynchronous, as Redis has it: `holdReplication()` makes the replica fall behind. It ends with this
 * process, however that ends.
 */
export class RedisSentinel implements AsyncDisposable {
  /**
   * Starts all three on free ports of 127.0.0.1 and waits until the Sentinel knows the replica.
   *
   * @throws ServiceMissingError `TANDEM_SERVICE_MISSING`: no redis-server on the path; says what installs it.
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: one did not come up; with the end of its log.
   */
  static async start(): Promise<RedisSentinel> {
    const [program, port] = [await findProgram('redis-server'), await freePort()]
    const servers = await startRedisServers([{}, {}])
    const service = await Service.create({ what: 'the Redis Sentinel', prefix: 'sentinel' })
    const sentinel = new RedisSentinel(servers, port, service)
    try {
      await sentinel.#run(program)
      return sentinel
    } catch (error) {
      await sentinel.stop()
      throw error
    }
  }

  /** As the Sentinel calls the master. */
  readonly name = 'tandem'
  /** The master first, as it was at the start. */
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisAddress[]
  readonly #port: number
  readonly #service: Service

  private constructor(servers: readonly RedisServer[], port: number, service: Service) {
    this.servers = servers
    this.#port = port
    this.#service = service
    this.sentinels = [{ host: '127.0.0.1', port }]
  }

  /** The server that the Sentinel tells clients to use. */
  async master(): Promise<RedisServer> {
    const answer = await redisCommand(this.#port, `SENTINEL GET-MASTER-ADDR-BY-NAME ${this.name}`)
    return this.servers.find(({ port }) => answer.endsWith(`\n${port}`))!
  }

  /**
   * From now on what the first server is told does not come to the second one, which hangs, until that is resumed; and
   * if the first one is dead by then, it never will.
   */
  async holdReplication(): Promise<void> {
    const [master, replica] = this.servers as [RedisServer, RedisServer]
    await replica.hang()
    await redisCommand(master.port, 'CLIENT KILL TYPE replica')
  }

  /** Ends all for good and removes what they stored. */
  async stop(): Promise<void> {
    await this.#service.stop()
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #run(program: string): Promise<void> {
    const [master, replica] = this.servers as [RedisServer, RedisServer]
    await redisCarriesOut(replica.port, `REPLICAOF 127.0.0.1 ${master.port}`)
    const over = AbortSignal.timeout(START_TIMEOUT_MS)
    await awaitRedis(master.port, { ask: 'INFO replication', good: (text) => text.includes('state=online'), over })
    const file = join(this.#service.folder, 'sentinel.conf')
    await writeFile(file, this.#configuration(master.port))
    await this.#service.start(
      { command: program, arguments: [file, '--sentinel'] },
      (over) => awaitRedis(this.#port, { ask: `SENTINEL MASTER ${this.name}`, good: knowsReplica, over }),
      START_TIMEOUT_MS,
    )
  }

  /** Sentinel writes into it what it learns. */
  #configuration(masterPort: number): string {
    return [
      `port ${this.#port}`,
      'bind 127.0.0.1',
      `dir ${this.#service.folder}`,
      `sentinel monitor ${this.name} 127.0.0.1 ${masterPort} 1`,
      `sentinel down-after-milliseconds ${this.name} 500`,
      `sentinel failover-timeout ${this.name} 2000`,
      '',
    ].join('\n')
  }
}

function knowsReplica(answer: string): boolean {
  return /num-slaves\r\n\$1\r\n1\r\n/.test(answer)
}

const START_TIMEOUT_MS = 30_000
