/**
 * A process that takes epochs, for tests with several of them: `node epoch-taker.js '{"path": …}'`.
 *
 * It begins when it reads a line, so that many can begin at once, and writes what it gets as a line each: an epoch, or
 * the code of the error. With a lease it then stays, and writes the events of its renewal, until it is killed.
 */
import { once } from 'node:events'

import { systemClock } from '@tandem/common/internal'
import { FileEpochStore, RedisEpochStore } from '@tandem/producer'
import { LeaseRenewal, takeEpoch } from '@tandem/producer/internal'
import { Redis } from 'ioredis'

export interface EpochTakerOptions {
  /** Of a file store; else there is a Redis. */
  readonly path?: string
  readonly redisUrl?: string
  readonly leaseMs?: number
  readonly takeOver?: boolean
  readonly producerId: string
  readonly host: string
  readonly count: number
  /** To stay, and renew the lease. */
  readonly stay?: boolean
}

export type EpochTakerLine =
  | { readonly kind: 'ready' }
  | { readonly kind: 'taken'; readonly epoch: number }
  | { readonly kind: 'refused'; readonly code: string; readonly holder?: string }
  | { readonly kind: 'event'; readonly event: string; readonly by?: string }

const options = JSON.parse(process.argv[2]!) as EpochTakerOptions
const write = (line: EpochTakerLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const redis = options.redisUrl === undefined ? undefined : new Redis(options.redisUrl)
const { leaseMs, takeOver } = options
const store =
  redis === undefined ? new FileEpochStore(options.path!) : new RedisEpochStore(redis, { leaseMs, takeOver })

process.stdin.once('end', () => process.exit()) // whoever started it is gone
await redis?.ping()
write({ kind: 'ready' })
await once(process.stdin, 'data')

for (let incarnation = 1; incarnation <= options.count; incarnation++) {
  const { producerId, host } = options
  try {
    const request = { producerId, incarnation, host }
    const { epoch, lease } = await takeEpoch(store, request, { timeoutMs: 60_000, clock: systemClock })
    write({ kind: 'taken', epoch })
    if (lease !== undefined && options.stay === true) {
      const tell = (fact: { kind: string; by?: string }): void =>
        write({ kind: 'event', event: fact.kind, ...(fact.by === undefined ? {} : { by: fact.by }) })
      new LeaseRenewal({ lease, clock: systemClock, tell })
    }
  } catch (error) {
    const { code, details } = error as { code: string; details: { holder?: string } }
    write({ kind: 'refused', code, ...(details.holder === undefined ? {} : { holder: details.holder }) })
  }
}
if (options.stay === true) await new Promise(() => undefined)
process.stdin.destroy()
redis?.disconnect()
