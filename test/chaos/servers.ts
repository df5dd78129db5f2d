/**
 * The servers of a run, and what is done to them: every verb says which fault it is, by the protocol's names.
 */

import { KafkaCluster, RedisServer, type KafkaNode, type TopicOptions } from '@tandem/testing'

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

  /** Two clusters and a Redis. */
  async start({ east: eastNodes, west: westNodes }: NodeCounts): Promise<{
    east: KafkaCluster
    west: KafkaCluster
    redis: RedisServer
  }> {
    this.#redis ??= RedisServer.start()
    const [east, west, redis] = await Promise.all([
      this.#cluster('east', eastNodes),
      this.#cluster('west', westNodes),
      this.#redis,
    ])
    return { east, west, redis }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const starting of [...this.#clusters.values(), this.#redis]) {
      const server = await starting?.catch(() => undefined) // what did not start left nothing
      await server?.stop()
    }
  }

  #cluster(name: string, nodes: 1 | 3): Promise<KafkaCluster> {
    const key = `${name}-${nodes}`
    const cluster = this.#clusters.get(key) ?? KafkaCluster.start({ name, nodes, proxied: true })
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
    for (const { proxy } of this.nodes) proxy!.slow(delayMs)
  }

  /** Connections stand and nothing passes: as good as hung. */
  stall(): void {
    this.#tell(`connections to ${this.name} stand still`, 'cluster-hung')
    for (const { proxy } of this.nodes) proxy!.stall()
  }

  pass(): void {
    for (const { proxy } of this.nodes) proxy!.pass()
    this.#tell(`connections to ${this.name} are as quick as ever`)
  }

  /** Ends all connections; new ones are let in. */
  cut(): void {
    this.#tell(`connections to ${this.name} are reset`, 'cluster-flap')
    for (const { proxy } of this.nodes) proxy!.cut()
  }

  async refuse(fault: FaultKind = 'cluster-dead'): Promise<void> {
    this.#tell(`connections to ${this.name} are reset and refused`, fault)
    await Promise.all(this.nodes.map(({ proxy }) => proxy!.refuse()))
  }

  async accept(): Promise<void> {
    await Promise.all(this.nodes.map(({ proxy }) => proxy!.accept()))
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
    for (const { proxy } of this.nodes) {
      proxy!.pass()
      await proxy!.accept()
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
  readonly troubles: StoreTrouble[] = []
  readonly #redis: RedisServer
  readonly #tell: Tell
  #awaySinceMs: number | undefined

  constructor(redis: RedisServer, tell: Tell) {
    this.url = redis.url
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

  /** With all that it had answered. */
  async heal(): Promise<void> {
    if (this.#awaySinceMs === undefined) return
    if (this.#redis.state === 'hung') await this.#redis.resume()
    else await this.#redis.restart()
    // Its clients are back a little later; what matters of that is far below the checkers' margin.
    this.troubles.push({ fromMs: this.#awaySinceMs, toMs: Date.now(), forgotSinceMs: Infinity })
    this.#awaySinceMs = undefined
    this.#tell('Redis is back')
  }
}
