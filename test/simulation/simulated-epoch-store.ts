import {
  ClockEpochs,
  RedisEpochStore,
  type EpochRedis,
  type EpochRequest,
  type EpochStore,
  type EpochTaken,
  type RedisEpochStoreOptions,
} from '@tandem/producer'
import { epochKey, RELEASE, RENEW, TAKE } from '@tandem/producer/internal'

import type { Prng } from './prng.js'
import type { Channel, SimulatedProcess } from './simulated-process.js'
import type { Timeline } from './timeline.js'

/**
 * Epochs from one memory that all processes share, as from Redis: `max(stored + 1, its own time)`.
 *
 * With a lease it is the shipped RedisEpochStore, by the clock of its process, on a Redis that knows the three scripts.
 * What a process has sent is carried out even if that process is killed or stopped meanwhile; what was sent while the
 * store was away, when it is back.
 */
export class SimulatedEpochStore {
  readonly #timeline: Timeline
  readonly #prng: Prng
  readonly #latencyMs: readonly [low: number, high: number]
  readonly #wallMs: number
  #hashes = new Map<string, Hash>()
  #away = false
  #queued: (() => void)[] = []

  constructor(options: { timeline: Timeline; prng: Prng; latencyMs: readonly [number, number]; wallMs: number }) {
    this.#timeline = options.timeline
    this.#prng = options.prng
    this.#latencyMs = options.latencyMs
    this.#wallMs = options.wallMs
  }

  /** Answers nobody. */
  goAway(): void {
    this.#away = true
  }

  comeBack(): void {
    this.#away = false
    const queued = this.#queued
    this.#queued = []
    for (const carryOut of queued) carryOut()
  }

  /** Forgets everything. */
  empty(): void {
    this.#hashes = new Map()
  }

  /** What it knows now, and how to have it know no more than that again: a failover to a replica that was behind. */
  snapshot(): () => void {
    const kept = [...this.#hashes].map(([key, hash]) => [key, { ...hash }] as const)
    return () => (this.#hashes = new Map(kept.map(([key, hash]) => [key, { ...hash }])))
  }

  /** The store as one process sees it; with a lease on the producerId if its options are given. */
  connection(process: SimulatedProcess, lease?: RedisEpochStoreOptions): EpochStore {
    const channel: Channel = { name: 'epoch store' }
    if (lease !== undefined) return new RedisEpochStore(this.#redis(process, channel), lease, process.clock)
    return { take: (request) => this.#take(request, process, channel) }
  }

  #take({ producerId }: EpochRequest, process: SimulatedProcess, channel: Channel): Promise<EpochTaken> {
    return this.#carryOut(process, channel, () => ({ epoch: this.#next(this.#hash(epochKey(producerId))) }))
  }

  #redis(process: SimulatedProcess, channel: Channel): EpochRedis {
    return {
      eval: (script, _keys, key = '', ...args) => {
        const transition = this.#transitions.get(script)
        if (transition === undefined) throw new Error('a script that is not simulated')
        return this.#carryOut(process, channel, () => transition(this.#hash(key), args))
      },
    }
  }

  #carryOut<T>(process: SimulatedProcess, channel: Channel, transition: () => T): Promise<T> {
    return new Promise((resolve) => {
      const carryOut = (): void => {
        const answer = transition()
        this.#timeline.after(this.#prng.between(...this.#latencyMs), () => {
          process.deliver(channel, () => resolve(answer))
        })
      }
      this.#timeline.after(this.#prng.between(...this.#latencyMs), () => {
        if (this.#away) this.#queued.push(carryOut)
        else carryOut()
      })
    })
  }

  /** As in take-1, renew-1 and release-1, line by line. */
  readonly #transitions = new Map<string, (hash: Hash, args: string[]) => unknown[]>([
    [
      TAKE,
      (hash, [holder = '', , host = '', takeOver, stillHolder, stillRenewal]) => {
        if (hash.holder === holder) return [1, String(hash.epoch)]
        const still = hash.holder === stillHolder && String(hash.renewal) === stillRenewal
        if (hash.holder !== '' && takeOver !== '1' && !still) {
          return [2, hash.holder, String(hash.renewal), hash.host]
        }
        Object.assign(hash, { epoch: this.#next(hash), holder, renewal: 0, host })
        return [1, String(hash.epoch)]
      },
    ],
    [
      RENEW,
      (hash, [holder = '', renewal, epochText, , host = '']) => {
        const epoch = Number(epochText)
        if (hash.epoch > epoch || (hash.epoch === epoch && hash.holder !== '' && hash.holder !== holder)) {
          return [2, hash.host]
        }
        if (hash.holder !== holder || hash.renewal < Number(renewal)) {
          Object.assign(hash, { epoch, holder, renewal: Number(renewal), host })
        }
        return [1]
      },
    ],
    [
      RELEASE,
      (hash, [holder]) => {
        if (hash.holder !== holder) return [0]
        hash.holder = ''
        return [1]
      },
    ],
  ])

  #next(hash: Hash): number {
    hash.epoch = Math.max(hash.epoch + 1, this.#timeline.now + this.#wallMs)
    return hash.epoch
  }

  #hash(key: string): Hash {
    const hash = this.#hashes.get(key) ?? { epoch: 0, holder: '', renewal: 0, host: '' }
    this.#hashes.set(key, hash)
    return hash
  }
}

/** What Redis keeps of a producer. */
interface Hash {
  epoch: number
  holder: string
  renewal: number
  host: string
}

/** Epochs by the clock of the process: no memory, nothing shared. */
export function clockEpochs(process: SimulatedProcess): EpochStore {
  return new ClockEpochs(process.clock)
}
