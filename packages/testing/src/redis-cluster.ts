import { ServiceFailedError } from '@tandem/common/internal'
import { freePorts } from './free-ports.js'
import { awaitRedis, redisCarriesOut } from './redis-command.js'
import { startRedisServers, type RedisServer } from './redis-server.js'

/** Where a client finds a Redis. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
}

/**
 * A Redis Cluster of three nodes without replicas: each has a third of the slots.
 *
 * ```ts
 * await using redis = await RedisCluster.start()
 * const client = new Cluster(redis.addresses)
 * await redis.nodes[0].kill()     // from 1 s later on, the others answer CLUSTERDOWN …
 * await redis.nodes[0].restart()  // … until it is back
 * ```
 *
 * It ends with this process, however that ends.
 */
export class RedisCluster implements AsyncDisposable {
  /**
   * Starts one on free ports of 127.0.0.1 and waits until each node takes all three for a whole.
   *
   * @throws ServiceMissingError `TANDEM_SERVICE_MISSING`: no redis-server on the path; says what installs it.
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: it did not come up.
   */
  static async start(): Promise<RedisCluster> {
    const busPorts = await freePorts(NODES)
    const cluster = new RedisCluster(await startRedisServers(busPorts.map((port) => ({ args: nodeArgs(port) }))))
    try {
      await cluster.#join(busPorts)
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** Each can be hung, resumed, killed and restarted by itself. */
  readonly nodes: readonly RedisServer[]

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes
  }

  get addresses(): RedisAddress[] {
    return this.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  /**
   * Waits until every node takes the cluster for whole, as it does a while after the last one is back.
   *
   * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: not so within 20 s.
   */
  async awaitWhole(): Promise<void> {
    const over = AbortSignal.timeout(WHOLE_TIMEOUT_MS)
    const asked = this.nodes.map(({ port }) => awaitRedis(port, { ask: 'CLUSTER INFO', good: isWhole, over }))
    await Promise.all(asked)
    if (over.aborted) throw new ServiceFailedError(`the Redis Cluster is not whole after ${WHOLE_TIMEOUT_MS} ms`)
  }

  /** Ends it for good and removes what it stored. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Gives each node its slots, and its number, so that none has to give way to another; then all meet the first one. */
  async #join(busPorts: readonly number[]): Promise<void> {
    const [first] = this.nodes
    for (const [index, { port }] of this.nodes.entries()) {
      const from = Math.floor((index * SLOTS) / NODES)
      const to = Math.floor(((index + 1) * SLOTS) / NODES) - 1
      await redisCarriesOut(port, `CLUSTER ADDSLOTSRANGE ${from} ${to}`)
      await redisCarriesOut(port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`)
      if (index > 0) await redisCarriesOut(port, `CLUSTER MEET 127.0.0.1 ${first!.port} ${busPorts[0]}`)
    }
    await this.awaitWhole()
  }
}

function nodeArgs(busPort: number): string[] {
  return ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '1000']
}

function isWhole(answer: string): boolean {
  return answer.includes('cluster_state:ok') && answer.includes(`cluster_known_nodes:${NODES}`)
}

/** As few as Redis calls a cluster. */
const NODES = 3
const SLOTS = 16_384
/** A node that is back takes 2 s before it serves. */
const WHOLE_TIMEOUT_MS = 20_000
