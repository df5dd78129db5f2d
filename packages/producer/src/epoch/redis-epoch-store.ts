import { randomUUID } from 'node:crypto'

import {
  EpochStoreFailedError,
  InvariantError,
  isTandemError,
  printable,
  ProducerIdHeldError,
  readOptions,
  received,
  redisFailureOf,
  systemClock,
  type Clock,
  type OptionsGiven,
  type OptionsSpec,
} from '@tandem/common/internal'

import type { EpochLease, EpochRequest, EpochStore, EpochTaken, LeaseAnswer } from './epoch-store.js'
import { HolderWatch, type Holder } from './holder-watch.js'
import { RELEASE } from './lua/release-1.lua.js'
import { RENEW, RENEW_ANSWERS } from './lua/renew-1.lua.js'
import { TAKE, TAKE_ANSWERS } from './lua/take-1.lua.js'

/** What is needed of a Redis client; an ioredis `Redis` or `Cluster` fits. */
export interface EpochRedis {
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}

export type RedisEpochStoreOptions = OptionsGiven<typeof REDIS_EPOCH_STORE_OPTIONS>

/**
 * Epochs from Redis, with a lease on the producerId: a second live process is refused when it starts.
 *
 * That keeps order, and is not what keeps messages safe. Who loses the lease (stopped for long, cut off from Redis, taken
 * over from) goes on writing, with an event. After a crash the next process watches the dead holder for `leaseMs`, which
 * is measured by its own clock, and then starts; after `close()` it starts at once. Nothing in Redis expires.
 *
 * The connection is the caller's, who closes it after the producer. A Redis that is away is asked again; what it refuses
 * for good (a password, a right) ends the start at once. Epochs grow as long as Redis keeps its memory, or its
 * clock and the one before it roughly agree.
 */
export class RedisEpochStore implements EpochStore {
  readonly waitMs: number
  readonly #redis: EpochRedis
  readonly #clock: Clock
  readonly #takeOver: boolean
  /** Tells this process from another one that drew the same incarnation. */
  readonly #id = randomUUID()

  /**
   * @param options.leaseMs 3,000 to 600,000 ms; default 5,000.
   * @param options.takeOver default false.
   * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
   */
  constructor(redis: EpochRedis, options: RedisEpochStoreOptions = {}, clock: Clock = systemClock) {
    const { leaseMs, takeOver } = readOptions(REDIS_EPOCH_STORE_OPTIONS, options, 'redisEpochStore')
    this.waitMs = leaseMs
    this.#redis = redis
    this.#clock = clock
    this.#takeOver = takeOver
  }

  take(request: EpochRequest): Promise<EpochTaken> {
    return new Promise((resolve, reject) => {
      const attempt: Attempt = { request, watch: new HolderWatch(this.waitMs), failure: undefined, over: false }
      const giveUp = (): void => {
        attempt.over = true
        reject(givenUp(attempt, this.waitMs))
      }
      if (request.signal?.aborted === true) return giveUp()
      request.signal?.addEventListener('abort', giveUp, { once: true })
      this.#try(attempt).then(resolve, reject)
    })
  }

  async #try(attempt: Attempt): Promise<EpochTaken> {
    const { request, watch } = attempt
    for (;;) {
      try {
        const answer = await this.#ask(attempt)
        if (attempt.over) break
        if (answer.kind === 'taken') return { epoch: answer.epoch, lease: this.#lease(request, answer.epoch) }
        attempt.failure = undefined
        watch.handleHeld(answer.holder, this.#clock.now())
        if (watch.alive) throw held(request, answer.holder, 'and is alive')
      } catch (cause) {
        if (isTandemError(cause)) throw cause
        if (redisFailureOf(cause).permanent) throw notAnswered(request.producerId, cause)
        attempt.failure = cause
      }
      await new Promise<void>((resolve) => this.#clock.schedule(this.#clock.now() + ASK_EVERY_MS, resolve))
      if (attempt.over) break
    }
    // What was asked last may have been carried out all the same, and nobody would renew that lease.
    await this.#eval(RELEASE, request.producerId, this.#holder(request))
    throw givenUp(attempt, this.waitMs)
  }

  async #ask({ request, watch }: Attempt): Promise<TakeAnswer> {
    const { producerId, incarnation, host } = request
    const still = watch.stillAt(this.#clock.now())
    const [code, first, renewal, holderHost] = await this.#eval(
      TAKE,
      producerId,
      this.#holder(request),
      String(incarnation),
      host,
      this.#takeOver ? '1' : '0',
      still?.id ?? '',
      still === undefined ? '' : String(still.renewal),
    )
    switch (TAKE_ANSWERS[code as keyof typeof TAKE_ANSWERS]) {
      case 'taken':
        return { kind: 'taken', epoch: Number(first) }
      case 'held':
        return {
          kind: 'held',
          holder: { id: String(first), renewal: Number(renewal), host: printable(String(holderHost)) },
        }
      case 'damaged':
        throw damaged(producerId, first)
      default:
        throw new InvariantError(`The take script returned ${received(code)}`)
    }
  }

  #lease(request: EpochRequest, epoch: number): EpochLease {
    const { producerId, incarnation, host } = request
    const holder = this.#holder(request)
    let renewal = 0
    const renew = async (): Promise<LeaseAnswer> => {
      renewal++
      const numbers = [String(renewal), String(epoch), String(incarnation)]
      const [code, found] = await this.#eval(RENEW, producerId, holder, ...numbers, host)
      switch (RENEW_ANSWERS[code as keyof typeof RENEW_ANSWERS]) {
        case 'renewed':
          return { kind: 'renewed' }
        case 'taken':
          return { kind: 'taken', by: printable(String(found)) }
        case 'damaged':
          throw damaged(producerId, found)
        default:
          throw new InvariantError(`The renew script returned ${received(code)}`)
      }
    }
    const told = <T>(answer: Promise<T>): Promise<T> =>
      answer.catch((cause: unknown) => {
        throw isTandemError(cause) ? cause : notAnswered(producerId, cause)
      })
    return {
      renewEveryMs: RENEW_EVERY_MS,
      renew: () => told(renew()),
      release: () => told(this.#eval(RELEASE, producerId, holder).then(() => undefined)),
    }
  }

  async #eval(script: string, producerId: string, ...args: string[]): Promise<readonly unknown[]> {
    const answer = await this.#redis.eval(script, 1, epochKey(producerId), ...args)
    return Array.isArray(answer) ? (answer as unknown[]) : [answer]
  }

  #holder({ incarnation }: EpochRequest): string {
    return `${this.#id}:${incarnation}`
  }
}

/** In braces, so that what will stand beside it is in the same slot of a Redis Cluster. */
export function epochKey(producerId: string): string {
  return `tandem:{${producerId}}:epoch`
}

/** One call of `take()`. */
interface Attempt {
  readonly request: EpochRequest
  readonly watch: HolderWatch
  /** Why there was no answer, if the last thing that happened was that. */
  failure: unknown
  over: boolean
}

function givenUp({ request, watch, failure }: Attempt, leaseMs: number): Error {
  if (failure !== undefined || watch.holder === undefined) return notAnswered(request.producerId, failure)
  return held(request, watch.holder, `and has not been seen to stand still for ${leaseMs} ms`)
}

function held({ producerId, host }: EpochRequest, holder: Holder, state: string): ProducerIdHeldError {
  return new ProducerIdHeldError(
    `The producerId ${producerId} is held by a process on ${holder.host} ${state}; refused on ${host}. ` +
      'One live process each: stop that one, or take over with `takeOver`',
    { producerId, holder: holder.host, host },
  )
}

function notAnswered(producerId: string, error: unknown): EpochStoreFailedError {
  const { reason, permanent, cause } = redisFailureOf(error ?? new Error('it has not answered yet'))
  const verb = permanent ? 'refuses to answer' : 'did not answer'
  return new EpochStoreFailedError(`Redis ${verb} about the epoch of ${producerId}: ${reason}`, { producerId }, cause)
}

function damaged(producerId: string, stored: unknown): EpochStoreFailedError {
  const key = epochKey(producerId)
  return new EpochStoreFailedError(
    `The field epoch of the redis key ${key} holds ${printable(String(stored))}, allowed is an integer below 2^53 - 1; ` +
      'write the right one, or delete the key while no such producer runs, and the time is taken',
    { producerId, key },
  )
}

const REDIS_EPOCH_STORE_OPTIONS = {
  leaseMs: {
    kind: 'number',
    unit: 'ms',
    min: 3_000,
    max: 600_000,
    default: 5_000,
    meaning: 'How long a holder that shows no life is waited for at the start; connectTimeoutMs must be longer.',
  },
  takeOver: {
    kind: 'boolean',
    default: false,
    meaning: 'Start at once although another process holds the producerId, which is told so and goes on.',
  },
} as const satisfies OptionsSpec

type TakeAnswer =
  { readonly kind: 'taken'; readonly epoch: number } | { readonly kind: 'held'; readonly holder: Holder }

/** The same for all, whatever their `leaseMs`: a third of the shortest that anybody may watch for. */
const RENEW_EVERY_MS = 1_000
/** How soon a lease that was released is noticed, and that Redis is back; four questions a second, while one starts. */
const ASK_EVERY_MS = 250
