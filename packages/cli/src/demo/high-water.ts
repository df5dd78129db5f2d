import { MemoryHighWaterStore, RedisHighWaterStore, type HighWaterStore } from '@tandem/consumer'
import { RedisServer } from '@tandem/testing'
import { Redis } from 'ioredis'

import type { Teardown } from './teardown.js'

/** Where the demo keeps its high water. */
export interface HighWater {
  readonly kind: 'redis' | 'memory'
  readonly store: HighWaterStore
  /** For the reader: which Redis, or why none. */
  readonly where: string
}

/** A Redis of our own. @throws if there is no `redis-server` on the path. */
export async function privateHighWater(teardown: Teardown): Promise<HighWater> {
  const server = await RedisServer.start()
  teardown.add(() => server.stop())
  return onRedis(connect(server.url, teardown), 'a redis-server of its own')
}

/** The Redis at REDIS_URL if it answers, else one of our own, else the process's memory. */
export async function anyHighWater(teardown: Teardown, keysPrefix: string): Promise<HighWater> {
  const url = process.env['REDIS_URL']
  const notes: string[] = []
  if (url !== undefined && url !== '') {
    const redis = connect(url, teardown)
    if (await answers(redis)) {
      // It is somebody's: nothing of the demo stays there.
      teardown.add(() => removeKeys(redis, keysPrefix))
      return onRedis(redis, 'the Redis at REDIS_URL')
    }
    notes.push('the Redis at REDIS_URL does not answer')
  }
  try {
    const own = await privateHighWater(teardown)
    return { ...own, where: [own.where, ...notes].join('; ') }
  } catch (error) {
    notes.push(error instanceof Error ? error.message : String(error))
  }
  return { kind: 'memory', store: new MemoryHighWaterStore(), where: `memory (${notes.join('; ')})` }
}

function onRedis(redis: Redis, where: string): HighWater {
  return { kind: 'redis', store: new RedisHighWaterStore(redis), where }
}

function connect(url: string, teardown: Teardown): Redis {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: ANSWER_MS })
  // ioredis prints errors that nobody listens to; whoever waits for an answer hears of it anyway.
  redis.on('error', () => undefined)
  teardown.add(() => redis.disconnect())
  return redis
}

async function answers(redis: Redis): Promise<boolean> {
  try {
    await Promise.race([
      redis.ping(),
      new Promise((_, reject) => setTimeout(reject, ANSWER_MS, new Error('no answer')).unref()),
    ])
    return true
  } catch {
    redis.disconnect()
    return false
  }
}

async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  const pages = redis.scanStream({ match: `${prefix}*`, count: 1000 }) as AsyncIterable<string[]>
  for await (const keys of pages) {
    if (keys.length > 0) await redis.del(...keys)
  }
}

const ANSWER_MS = 2000
