import { TcpProxy } from '@tandem/testing'

import type { ClusterName } from '../simulation/plan.js'
import { Consumers, type Surroundings } from './lives.js'
import type { HarmedCluster, HarmedRedis } from './servers.js'
import type { SubscriberOptions } from './subscriber.js'

/** Where an instance finds everything. */
export interface Servers {
  readonly east: HarmedCluster
  readonly west: HarmedCluster
  readonly redis: HarmedRedis
}

/**
 * One of several instances of a group. It comes to the servers by ways of its own (a side entrance of each cluster, a
 * proxy before Redis), which can be cut off without anybody else's.
 */
export class Instance extends Consumers {
  /** @param place 0, 1, 2 …: which side entrance is its own. */
  static async create(
    place: number,
    servers: Servers,
    options: Omit<SubscriberOptions, 'path' | 'clusters' | 'redisUrl'>,
    surroundings: Surroundings,
  ): Promise<Instance> {
    const proxy = await TcpProxy.start({ target: servers.redis.port })
    const clusters = Object.fromEntries(
      [servers.east, servers.west].map(({ name, sideServers }) => [name, { 'bootstrap.servers': sideServers[place]! }]),
    )
    const redisUrl = `redis://127.0.0.1:${proxy.port}`
    const name = place === 0 ? options.groupId : `${options.groupId}-${LETTERS[place]!}`
    return new Instance({ ...options, clusters, redisUrl }, surroundings, { name, place, servers, proxy })
  }

  readonly #place: number
  readonly #servers: Servers
  readonly #redisProxy: TcpProxy
  readonly #cutOff = new Set<ClusterName>()
  /** Since when Redis is out of its reach. */
  #redisSinceMs: number | undefined

  private constructor(
    options: Omit<SubscriberOptions, 'path'>,
    surroundings: Surroundings,
    { name, place, servers, proxy }: { name: string; place: number; servers: Servers; proxy: TcpProxy },
  ) {
    super(options, surroundings, name)
    this.#place = place
    this.#servers = servers
    this.#redisProxy = proxy
  }

  async cutOffFrom(cluster: ClusterName): Promise<void> {
    this.tell(`${this.name} does not reach ${cluster}`, 'one-sided-reach')
    this.#cutOff.add(cluster)
    await Promise.all(this.#servers[cluster].sideProxies(this.#place).map((proxy) => proxy.refuse()))
  }

  /** What it has asked meanwhile arrives at Redis after all, when it is over. */
  cutOffFromRedis(): void {
    this.tell(`${this.name} does not reach Redis`, 'redis-away-for-one')
    this.#redisSinceMs = Date.now()
    this.#redisProxy.stall()
  }

  async restoreReach(): Promise<void> {
    if (this.#redisSinceMs !== undefined) {
      this.#redisProxy.pass()
      this.#servers.redis.handleCutOff(this.#redisSinceMs, this.lifeName)
      this.#redisSinceMs = undefined
      this.tell(`${this.name} reaches Redis again`)
    }
    for (const cluster of this.#cutOff) {
      await Promise.all(this.#servers[cluster].sideProxies(this.#place).map((proxy) => proxy.accept()))
      this.tell(`${this.name} reaches ${cluster} again`)
    }
    this.#cutOff.clear()
  }

  override async heal(): Promise<void> {
    await super.heal()
    await this.restoreReach()
  }

  override async remove(): Promise<void> {
    await super.remove()
    await this.#redisProxy.stop()
  }
}

/** What tells instances of a group apart, in names. */
const LETTERS = 'abcdefgh'
