import { HighWaterStoreFailedError, InvariantError, readOptions, type OptionsSpec } from '@tandem/common/internal'
import type { Redis } from 'ioredis'

import { ACQUIRE } from './acquire-script.js'
import { FLUSH, FLUSH_ANSWERS } from './flush-script.js'
import type { Claim, Flush, FlushAnswer, HighWaterStore, Holding, PartitionOfGroup } from './high-water-store.js'
import { RELEASE } from './release-script.js'

/**
 * Keeps positions in Redis: one hash a partition, one script call a flush, nothing that expires.
 *
 * The connection is the caller's, who also closes it; it may be shared. Each call is given `timeoutMs`, whatever the
 * connection itself would wait. A script that Redis has forgotten is sent again by ioredis.
 *
 * What was given up after that time, ioredis still keeps, to send it when it can. So a partition has one flush in its
 * hands at most, and what an outage of any length piles up there is bounded.
 */
export class RedisHighWaterStore implements HighWaterStore {
  readonly name = 'redis'
  readonly #redis: RedisWithScripts
  readonly #timeoutMs: number
  /** Keys of which ioredis has a flush. */
  readonly #flushing = new Set<string>()

  /**
   * @param options.timeoutMs what one call may take, ms; default 2,000.
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
   */
  constructor(redis: Redis, options: { readonly timeoutMs?: number } = {}) {
    this.#redis = redis as RedisWithScripts
    this.#timeoutMs = readOptions(OPTIONS, options, 'redisHighWaterStore').timeoutMs
    redis.defineCommand('tandemAcquire', { numberOfKeys: 1, lua: ACQUIRE })
    redis.defineCommand('tandemFlush', { numberOfKeys: 1, lua: FLUSH })
    redis.defineCommand('tandemRelease', { numberOfKeys: 1, lua: RELEASE })
  }

  async acquire(partition: PartitionOfGroup, claim: Claim): Promise<Holding> {
    const reply = await this.#answer(
      'acquire',
      this.#redis.tandemAcquireBuffer(keyOf(partition), claim.owner, String(claim.greatestSeen)),
    )
    const hash = new Map<string, Buffer>()
    for (let i = 0; i + 1 < reply.length; i += 2) hash.set(reply[i]!.toString(), reply[i + 1]!)
    const version = numberOf(hash, 'v')
    if (version !== VERSION) {
      throw new HighWaterStoreFailedError(
        `The position of ${keyOf(partition)} has format ${version}; this version of tandem reads format ${VERSION}`,
        { key: keyOf(partition), version },
      )
    }
    const fields = new Map([...hash].filter(([name]) => name.startsWith('f:') || name.startsWith('s:')))
    return { token: numberOf(hash, 'token'), number: numberOf(hash, 'rev'), bornMs: numberOf(hash, 'birth'), fields }
  }

  async flush(partition: PartitionOfGroup, flush: Flush): Promise<FlushAnswer> {
    const key = keyOf(partition)
    if (this.#flushing.has(key)) {
      throw new HighWaterStoreFailedError(`Redis has not answered the last flush of ${key} yet`, { call: 'flush' })
    }
    const fields: (string | Buffer)[] = []
    for (const [name, bytes] of flush.fields) fields.push(name, Buffer.from(bytes))
    const { owner, token, number, confirmed, whole, bornMs } = flush
    const reply = this.#redis.tandemFlush(
      key,
      owner,
      String(token),
      String(number),
      String(confirmed),
      whole ? '1' : '0',
      String(bornMs),
      ...fields,
    )
    this.#flushing.add(key)
    const over = (): boolean => this.#flushing.delete(key)
    reply.then(over, over)
    const code = await this.#answer('flush', reply)
    const answer = FLUSH_ANSWERS[code as keyof typeof FLUSH_ANSWERS]
    if (answer === undefined) throw new InvariantError(`The flush script returned ${code}`)
    return answer
  }

  async release(partition: PartitionOfGroup, holder: { owner: string; token: number }): Promise<void> {
    await this.#answer('release', this.#redis.tandemRelease(keyOf(partition), holder.owner, String(holder.token)))
  }

  async #answer<T>(call: string, reply: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.#timeoutMs} ms`)), this.#timeoutMs)
    })
    try {
      return await Promise.race([reply, timeout])
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new HighWaterStoreFailedError(`Redis did not ${call} a position: ${reason}`, { call }, cause)
    } finally {
      clearTimeout(timer)
    }
  }
}

const OPTIONS = {
  timeoutMs: { kind: 'number', unit: 'ms', min: 1, max: 600_000, default: 2_000, meaning: 'What one call may take.' },
} as const satisfies OptionsSpec

interface RedisWithScripts extends Redis {
  tandemAcquireBuffer(key: string, owner: string, greatestSeen: string): Promise<Buffer[]>
  tandemFlush(key: string, ...args: (string | Buffer)[]): Promise<number>
  tandemRelease(key: string, owner: string, token: string): Promise<number>
}

/** The braces make one slot of it in a Redis Cluster. */
function keyOf({ groupId, topic, partition }: PartitionOfGroup): string {
  return `tandem:{${groupId}/${topic}/${partition}}:p`
}

function numberOf(hash: ReadonlyMap<string, Buffer>, field: string): number {
  return Number(hash.get(field)?.toString() ?? 0)
}

/** Format of the hash. */
const VERSION = 1
