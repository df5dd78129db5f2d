import { EpochStoreFailedError, printable } from '@tandem/common/internal'

import type { EpochRequest, EpochStore, EpochTaken } from './epoch-store.js'
import { TAKE } from './lua/take-1.lua.js'

/** What is needed of a Redis client; an ioredis `Redis` or `Cluster` fits. */
export interface EpochRedis {
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** Epochs from Redis: right as long as Redis keeps its memory, or its clock and the one before it roughly agree. */
export class RedisEpochStore implements EpochStore {
  readonly #redis: EpochRedis

  constructor(redis: EpochRedis) {
    this.#redis = redis
  }

  async take({ producerId, incarnation, host }: EpochRequest): Promise<EpochTaken> {
    const answer = await this.#redis.eval(TAKE, 1, epochKey(producerId), String(incarnation), host)
    const epoch = Number(answer)
    if (typeof answer === 'string' && Number.isSafeInteger(epoch) && epoch >= 1) return { epoch }
    throw new EpochStoreFailedError(
      `redis key ${epochKey(producerId)} holds the epoch ${printable(String(answer).replace(/^-/, ''))}, ` +
        'allowed is an integer below 2^53 - 1',
      { producerId, key: epochKey(producerId) },
    )
  }
}

/** In braces, so that what will stand beside it is in the same slot of a Redis Cluster. */
export function epochKey(producerId: string): string {
  return `tandem:{${producerId}}:epoch`
}
