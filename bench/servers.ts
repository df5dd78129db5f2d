/** The two real clusters and the Redis of a suite that reads. */
import { RedisServer } from '@tandem/testing'
import { Redis } from 'ioredis'

import { Clusters, versionOf, versions, type ClustersOptions } from './clusters.js'
import type { Stage } from './suite.js'

export class Servers implements AsyncDisposable {
  /** All of them, or an error and none. */
  static async start(options: ClustersOptions = {}): Promise<Servers> {
    const clusters = await Clusters.start(options)
    try {
      const redis = await RedisServer.start()
      return new Servers(clusters, redis, { ...(await versions()), ioredis: versionOf('ioredis') })
    } catch (error) {
      await clusters[Symbol.asyncDispose]()
      throw error
    }
  }

  readonly clusters: Clusters
  readonly redis: RedisServer
  readonly versions: Stage['versions']

  private constructor(clusters: Clusters, redis: RedisServer, versions: Stage['versions']) {
    this.clusters = clusters
    this.redis = redis
    this.versions = versions
  }

  /** Redis is as empty as at the start. */
  async forgetAll(): Promise<void> {
    const redis = new Redis(this.redis.url)
    await redis.flushall()
    redis.disconnect()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.clusters[Symbol.asyncDispose](), this.redis.stop()])
  }
}
