/**
 * The servers of a run, and what is done to them: every verb says which fault it is, by the protocol's names.
 */

import {
  KafkaCluster,
  PostgresServer,
  RedisServer,
  type KafkaNode,
  type TcpProxy,
  type TopicOptions,
} from '@tandem/testing'

import type { StoreTrouble } from '../simulation/checkers/history.js'
import type { FaultKind } from '../simulation/plan.js'

/** Told of each fault as it begins, and in words of all that is done. */
export type Tell = (text: string, fault?: FaultKind) => void

/** How many nodes the clusters have. */
export interface NodeCounts {
  readonly east: 1 | 3
  readonly west: 1 | 3
}

/** Real servers, started when they are first needed and used by one scenario after the other. */
export class Servers implements AsyncDisposable {
  readonly #clusters = new Map<string, Promise<KafkaCluster>>()
  #redis: Promise<RedisServer> | undefined
  #postgres: Promise<PostgresServer> | undefined

  /** Two clusters and a Redis. */
  async start({ east: eastNodes, west: westNodes }: NodeCounts): Promise<{
    east: KafkaCluster
    west: KafkaCluster
    redis: RedisServer
  }> {
    const [east, west, redis] = await Promise.all([
      this.#cluster('east', eastNodes),
      this.#cluster('west', westNodes),
      this.startRedis(),
    ])
    return { east, west, redis }
  }

  startRedis(): Promise<RedisServer> {
    this.#redis ??= RedisServer.start()
    return this.#redis
  }

  startPostgres(): Promise<PostgresServer> {
    this.#postgres ??= PostgresServer.start({ args: ['-c', 'max_connections=200'] })
    return this.#postgres
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const starting of [...this.#clusters.values(), this.#redis, this.#postgres]) {
      const server = await starting?.catch(() => undefined) // what did not start left nothing
      await server?.stop()
    }
  }

  #cluster(name: string, nodes: 1 | 3): Promise<KafkaCluster> {
    const key = `${name}-${nodes}`
    const cluster =
      this.#clusters.get(key) ?? KafkaCluster.start({ name, nodes, proxied: true, sideEntrances: INSTANCES_MAX })
    this.#clusters.set(key, cluster)
    return cluster
  }
}

/** A cluster, as a scenario harms it. */
export class HarmedCluster {
  readonly name: string
  readonly bootstrapServers: string
  readonly #cluster: KafkaCluster
  readonly #tell: Tell

  constructor(name: string, cluster: KafkaCluster, tell: Tell) {
    this.name = name
    this.bootstrapServers = cluster.bootstrapServers
    this.#cluster = cluster
    this.#tell = tell
  }

  get nodes(): readonly KafkaNode[] {
    return this.#cluster.nodes
  }

  /** Side entrances: one for each instance of a group. */
  get sideServers(): readonly string[] {
    return this.#cluster.sideServers
  }

  /** Of one side entrance, at each node. */
  sideProxies(side: number): readonly TcpProxy[] {
    return this.nodes.map(({ sideProxies }) => sideProxies[side]!)
  }

  get #proxies(): readonly TcpProxy[] {
    return this.nodes.flatMap(({ proxy, sideProxies }) => [proxy!, ...sideProxies])
  }

  createTopic(topic: string, options: TopicOptions): Promise<void> {
    return this.#cluster.createTopic(topic, options)
  }

  leaders(topic: string): Promise<readonly (KafkaNode | undefined)[]> {
    return this.#cluster.leaders(topic)
  }

  async kill(): Promise<void> {
    this.#tell(`${this.name} is killed`, 'cluster-dead')
    await this.#cluster.kill()
  }

  async restart(): Promise<void> {
    await this.#cluster.restart()
    this.#tell(`${this.name} is back`)
  }

  async dump(): Promise<void> {
    await this.#cluster.dump()
    this.#tell(`the logs of ${this.name} are copied`)
  }

  /** Back from a kill with what its logs had when they were copied: as after a power failure. */
  async restartFromDump(): Promise<void> {
    await this.#cluster.restart({ from: 'dump' })
    this.#tell(`${this.name} is back with the copy of its logs`, 'tail-refilled')
  }

  async hang(): Promise<void> {
    this.#tell(`${this.name} hangs`, 'cluster-hung')
    await this.#cluster.hang()
  }

  async resume(): Promise<void> {
    await this.#cluster.resume()
    this.#tell(`${this.name} goes on`)
  }

  slow(delayMs: number): void {
    this.#tell(`${this.name} is ${delayMs} ms slow each way`, 'cluster-slow')
    for (const proxy of this.#proxies) proxy.slow(delayMs)
  }

  /** Connections stand and nothing passes: as good as hung. */
  stall(): void {
    this.#tell(`connections to ${this.name} stand still`, 'cluster-hung')
    for (const proxy of this.#proxies) proxy.stall()
  }

  pass(): void {
    for (const proxy of this.#proxies) proxy.pass()
    this.#tell(`connections to ${this.name} are as quick as ever`)
  }

  /** Ends all connections; new ones are let in. */
  cut(): void {
    this.#tell(`connections to ${this.name} are reset`, 'cluster-flap')
    for (const proxy of this.#proxies) proxy.cut()
  }

  async refuse(fault: FaultKind = 'cluster-dead'): Promise<void> {
    this.#tell(`connections to ${this.name} are reset and refused`, fault)
    await Promise.all(this.#proxies.map((proxy) => proxy.refuse()))
  }

  async accept(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.accept()))
    this.#tell(`${this.name} takes connections again`)
  }

  /** Its partitions have no leader until the others have noticed; those that nobody else has none before it is back. */
  async killNode(node: KafkaNode): Promise<void> {
    this.#tell(`node ${node.nodeId} of ${this.name} is killed`, 'partition-leaderless')
    await node.kill()
  }

  async hangNode(node: KafkaNode): Promise<void> {
    this.#tell(`node ${node.nodeId} of ${this.name} hangs`, 'partition-leaderless')
    await node.hang()
  }

  async healNode(node: KafkaNode): Promise<void> {
    if (node.state === 'hung') await node.resume()
    if (node.state === 'killed') await node.restart()
    await this.#cluster.awaitInSync()
    this.#tell(`node ${node.nodeId} of ${this.name} is in sync`)
  }

  /** One node after the other, each when the one before is in sync. */
  async restartInTurn(): Promise<void> {
    for (const node of this.nodes) {
      await this.killNode(node)
      await this.healNode(node)
    }
  }

  /** Whatever was done to it: it is as it was. */
  async heal(): Promise<void> {
    for (const proxy of this.#proxies) {
      proxy.pass()
      await proxy.accept()
    }
    for (const node of this.nodes) if (node.state === 'hung') await node.resume()
    await Promise.all(this.nodes.filter(({ state }) => state === 'killed').map((node) => node.restart()))
    await this.#cluster.awaitInSync()
    this.#tell(`${this.name} is well`)
  }
}

/** Redis, as a scenario harms it. */
export class HarmedRedis {
  readonly url: string
  readonly port: number
  readonly troubles: StoreTrouble[] = []
  readonly #redis: RedisServer
  readonly #tell: Tell
  #awaySinceMs: number | undefined
  #dumpedAtMs = -Infinity

  constructor(redis: RedisServer, tell: Tell) {
    this.url = redis.url
    this.port = redis.port
    this.#redis = redis
    this.#tell = tell
  }

  async kill(): Promise<void> {
    this.#tell('Redis is killed', 'redis-away')
    this.#awaySinceMs = Date.now()
    await this.#redis.kill()
  }

  async hang(): Promise<void> {
    this.#tell('Redis hangs', 'redis-away')
    this.#awaySinceMs = Date.now()
    await this.#redis.hang()
  }

  /** Keeps a copy of what it has. */
  async dump(): Promise<void> {
    this.#dumpedAtMs = Date.now()
    await this.#redis.dump()
    this.#tell('Redis is copied')
  }

  /** Back from a kill without anything. */
  restartEmpty(): Promise<void> {
    this.#tell('Redis has forgotten everything', 'redis-emptied')
    return this.#return(-Infinity, () => this.#redis.restart({ empty: true }))
  }

  /** Back from a kill with what it had when it was copied. */
  restartFromDump(): Promise<void> {
    this.#tell('Redis falls back to the copy', 'redis-rolled-back')
    return this.#return(this.#dumpedAtMs, () => this.#redis.restart({ from: 'dump' }))
  }

  /** With all that it had answered. */
  async heal(): Promise<void> {
    if (this.#awaySinceMs === undefined) return
    await this.#return(Infinity, () => (this.#redis.state === 'hung' ? this.#redis.resume() : this.#redis.restart()))
  }

  /** One consumer's process could not reach it, since then and until now. */
  handleCutOff(fromMs: number, name: string): void {
    this.troubles.push({ fromMs, toMs: Date.now(), forgotSinceMs: Infinity, names: [name] })
  }

  async #return(forgotSinceMs: number, start: () => Promise<void>): Promise<void> {
    await start()
    // Its clients are back a little later; what matters of that is far below the checkers' margin.
    this.troubles.push({ fromMs: this.#awaySinceMs!, toMs: Date.now(), forgotSinceMs })
    this.#awaySinceMs = undefined
    this.#tell('Redis is back')
  }
}

/** How many instances a group may have: each has a side entrance of its own. */
export const INSTANCES_MAX = 4
