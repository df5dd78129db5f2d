import {
  HighWaterStoreFailedError,
  HighWaterStoreUnusableError,
  InvariantError,
  isTandemError,
  readOptions,
  received,
  redisFailureOf,
  type OptionsSpec,
  type TandemError,
} from '@tandem/common/internal'
import type { Cluster, Redis } from 'ioredis'

import { NO_LEASE, type LeaseRecord } from '../core/lease.js'
import type { Member } from '../core/shares.js'
import { ACQUIRE } from './acquire-script.js'
import { FLUSH, FLUSH_ANSWERS } from './flush-script.js'
import type {
  Acquired,
  Claim,
  Flush,
  FlushAnswer,
  HighWaterStore,
  PartitionOfGroup,
  Release,
  Renewal,
  Renewed,
  Roll,
  Wish,
} from './high-water-store.js'
import { decodeMember, encodeMember } from './member-codec.js'
import { checkFormat } from './record-format.js'
import { RELEASE } from './release-script.js'
import { RENEW } from './renew-script.js'
import { WANT } from './want-script.js'

/**
 * Keeps positions in Redis: one hash a partition, one script call a flush, nothing that expires.
 *
 * The connection is the caller's, who also closes it: an ioredis `Redis`, also one with `sentinels`, or a `Cluster`; it
 * may be shared. Each call is given `timeoutMs`, whatever the connection itself would wait. A script that Redis has
 * forgotten is sent again by ioredis. What Redis refuses for good (a password, a right) is
 * `TANDEM_HIGH_WATER_STORE_UNUSABLE`, anything else `TANDEM_HIGH_WATER_STORE_FAILED`.
 *
 * What was given up after that time, ioredis still keeps, to send it when it can. So of one kind it has one call of a
 * partition in its hands at most, and what an outage of any length piles up there is bounded.
 */
export class RedisHighWaterStore implements HighWaterStore {
  readonly name = 'redis'
  readonly #redis: RedisWithScripts
  readonly #timeoutMs: number
  /** Calls that ioredis has, by name and key. */
  readonly #open = new Set<string>()
  /** What a node of a cluster said since one was last heard: a `Cluster` that finds no node tells nobody why. */
  #heard: unknown

  /**
   * @param options.timeoutMs what one call may take, ms; default 2,000.
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
   */
  constructor(redis: Redis | Cluster, options: { readonly timeoutMs?: number } = {}) {
    this.#redis = redis as unknown as RedisWithScripts
    this.#timeoutMs = readOptions(OPTIONS, options, 'redisHighWaterStore').timeoutMs
    redis.on('node error', (error: unknown) => (this.#heard = error))
    redis.defineCommand('tandemAcquire', { numberOfKeys: 1, lua: ACQUIRE })
    redis.defineCommand('tandemFlush', { numberOfKeys: 1, lua: FLUSH })
    redis.defineCommand('tandemRenew', { numberOfKeys: 1, lua: RENEW })
    redis.defineCommand('tandemWant', { numberOfKeys: 1, lua: WANT })
    redis.defineCommand('tandemRelease', { numberOfKeys: 1, lua: RELEASE })
  }

  async look(partition: PartitionOfGroup): Promise<LeaseRecord> {
    const key = keyOf(partition)
    const [format, ...lease] = await this.#call('look', key, () => this.#redis.hmget(key, 'v', ...LEASE_FIELDS))
    if (format !== null) checkFormat(key, Number(format))
    return leaseOf(key, lease)
  }

  async acquire(partition: PartitionOfGroup, { owner, greatestSeen, seen }: Claim): Promise<Acquired> {
    const key = keyOf(partition)
    const numbers = [seen.token, seen.number, seen.beat].map(String)
    const [code, ...rest] = await this.#call('acquire', key, () =>
      this.#redis.tandemAcquireBuffer(key, owner, String(greatestSeen), seen.owner, ...numbers),
    )
    if (code === 2) return { kind: 'held', lease: leaseOf(key, rest.map(String)) }
    if (code === 3) checkFormat(key, Number(String(rest[0])))
    const hash = new Map<string, Buffer>()
    const pairs = rest[0] as Buffer[]
    for (let i = 0; i + 1 < pairs.length; i += 2) hash.set(pairs[i]!.toString(), pairs[i + 1]!)
    const number = (field: string): number => readNumber(key, field, hash.get(field)?.toString())
    const fields = new Map([...hash].filter(([name]) => name.startsWith('f:') || name.startsWith('s:')))
    return {
      kind: 'acquired',
      holding: { token: number('token'), number: number('rev'), bornMs: number('birth'), fields },
    }
  }

  async flush(partition: PartitionOfGroup, flush: Flush): Promise<FlushAnswer> {
    const key = keyOf(partition)
    const fields: (string | Buffer)[] = []
    for (const [name, bytes] of flush.fields) fields.push(name, Buffer.from(bytes))
    const { owner, token, number, confirmed, whole, bornMs } = flush
    const numbers = [token, number, confirmed].map(String)
    const code = await this.#call('flush', key, () =>
      this.#redis.tandemFlush(key, owner, ...numbers, whole ? '1' : '0', String(bornMs), ...fields),
    )
    if (Array.isArray(code)) checkFormat(key, Number(code[1]))
    const answer = FLUSH_ANSWERS[code as keyof typeof FLUSH_ANSWERS]
    if (answer === undefined) throw new InvariantError(`The flush script returned ${received(code)}`)
    return answer
  }

  async renew(partition: PartitionOfGroup, { owner, token, beat }: Renewal): Promise<Renewed> {
    const key = keyOf(partition)
    const [code, ...rest] = await this.#call('renew', key, () =>
      this.#redis.tandemRenew(key, owner, String(token), String(beat)),
    )
    if (code === 4) checkFormat(key, Number(rest[0]))
    switch (code) {
      case 1:
        return { kind: 'renewed', want: rest[0]!, number: readNumber(key, 'rev', rest[1]) }
      case 2:
        return { kind: 'lesser', lease: leaseOf(key, rest) }
      case 3:
        return { kind: 'fenced' }
      default:
        throw new InvariantError(`The renew script returned ${code}`)
    }
  }

  async want(partition: PartitionOfGroup, { owner, token, by }: Wish): Promise<void> {
    const key = keyOf(partition)
    await this.#call('want', key, () => this.#redis.tandemWant(key, owner, String(token), by))
  }

  async release(partition: PartitionOfGroup, { owner, token, keptFor }: Release): Promise<void> {
    const key = keyOf(partition)
    await this.#call('release', key, () => this.#redis.tandemRelease(key, owner, String(token), keptFor))
  }

  async meet(groupId: string, { instance, member, gone }: Roll): Promise<ReadonlyMap<string, Member>> {
    const key = `tandem:{${groupId}}:members`
    const struck = member === undefined ? [...gone, instance] : gone
    const hash = await this.#call('meet', key, async () => {
      if (struck.length > 0) await this.#redis.hdel(key, ...struck)
      if (member !== undefined) await this.#redis.hset(key, instance, encodeMember(member))
      return this.#redis.hgetall(key)
    })
    const members = new Map<string, Member>()
    for (const [id, text] of Object.entries(hash)) {
      const read = decodeMember(text)
      if (read !== undefined) members.set(id, read)
    }
    return members
  }

  /**
   * Nothing of ours expires, so `volatile-…` policies leave it alone, and managed ones often have one of those;
   * `allkeys-…` takes whatever it likes. Without an append-only file a restart loses what came since the last snapshot,
   * and a master that restarts empty empties its replicas as well. Read from INFO, since where others run Redis, CONFIG is
   * mostly refused; whether there are snapshots does not stand in it.
   */
  async hazards(): Promise<readonly string[]> {
    const nodes = this.#redis.isCluster ? (this.#redis as unknown as Cluster).nodes('master') : [this.#redis]
    try {
      const infos = await this.#call('read', 'INFO', () => Promise.all(nodes.map((node) => node.info())))
      const hazards: string[] = []
      const policies = infos.map((info) => /^maxmemory_policy:(allkeys-\S+)/m.exec(info)?.[1])
      const evicting = policies.find((policy) => policy !== undefined)
      if (evicting !== undefined) {
        hazards.push(`its maxmemory-policy is ${evicting}, which evicts positions; set noeviction`)
      }
      if (infos.some((info) => /^aof_enabled:0/m.test(info))) {
        hazards.push('it has no append-only file, so a restart loses positions; set appendonly yes')
      }
      return hazards
    } catch (error) {
      if (!isTandemError(error, 'TANDEM_HIGH_WATER_STORE_UNUSABLE')) throw error
      return [`whether it keeps positions is not known: ${error.message}`]
    }
  }

  async #call<T>(name: string, key: string, send: () => Promise<T>): Promise<T> {
    const open = `${name} ${key}`
    if (this.#open.has(open)) {
      throw new HighWaterStoreFailedError(`Redis has not answered the last ${name} of ${key} yet`, { call: name })
    }
    this.#open.add(open)
    const reply = send()
    const over = (): boolean => this.#open.delete(open)
    reply.then(over, over)
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(this.#heard ?? new Error(`no answer within ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      )
    })
    try {
      const answer = await Promise.race([reply, timeout])
      this.#heard = undefined
      return answer
    } catch (error) {
      throw failed(name, key, error)
    } finally {
      clearTimeout(timer)
    }
  }
}

const OPTIONS = {
  timeoutMs: { kind: 'number', unit: 'ms', min: 1, max: 600_000, default: 2_000, meaning: 'What one call may take.' },
} as const satisfies OptionsSpec

interface RedisWithScripts extends Redis {
  tandemAcquireBuffer(key: string, owner: string, ...args: string[]): Promise<[number, ...(Buffer | Buffer[])[]]>
  tandemFlush(key: string, ...args: (string | Buffer)[]): Promise<number | [number, string]>
  tandemRenew(key: string, owner: string, token: string, beat: string): Promise<[number, ...string[]]>
  tandemWant(key: string, owner: string, token: string, by: string): Promise<number>
  tandemRelease(key: string, owner: string, token: string, keptFor: string): Promise<number>
}

function failed(name: string, key: string, error: unknown): TandemError {
  const { reason, permanent, cause } = redisFailureOf(error)
  const details = { call: name, key }
  return permanent
    ? new HighWaterStoreUnusableError(`Redis refuses to ${name} (${key}): ${reason}`, details, cause)
    : new HighWaterStoreFailedError(`Redis did not ${name} (${key}): ${reason}`, details, cause)
}

/** The braces make one slot of it in a Redis Cluster. */
function keyOf({ groupId, topic, partition }: PartitionOfGroup): string {
  return `tandem:{${groupId}/${topic}/${partition}}:p`
}

/** Of `LEASE_FIELDS`, in their order. */
function leaseOf(key: string, values: readonly (string | null)[]): LeaseRecord {
  const [owner, token, rev, beat, want, keptFor] = values
  if (!token) return NO_LEASE
  return {
    owner: owner ?? '',
    token: readNumber(key, 'token', token),
    number: readNumber(key, 'rev', rev),
    beat: readNumber(key, 'beat', beat),
    want: want ?? '',
    keptFor: keptFor ?? '',
  }
}

function readNumber(key: string, field: string, text: string | null | undefined): number {
  const number = Number(text ?? 0)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new HighWaterStoreUnusableError(`${field} of ${key}: received ${received(text)}, allowed is a number`, {
    key,
    field,
  })
}

const LEASE_FIELDS = ['owner', 'token', 'rev', 'beat', 'want', 'keptFor'] as const
