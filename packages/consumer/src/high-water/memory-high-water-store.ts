import { systemClock, type Clock } from '@tandem/common/internal'

import type {
  Claim,
  Fields,
  Flush,
  FlushAnswer,
  HighWaterStore,
  Holding,
  PartitionOfGroup,
} from './high-water-store.js'

/**
 * Keeps positions in this process: for tests, and for one instance that may begin again from the logs.
 *
 * The rules are those of the Redis scripts, step by step, so that the two can be held to one suite.
 */
export class MemoryHighWaterStore implements HighWaterStore {
  readonly name = 'memory'
  readonly #records = new Map<string, StoredRecord>()
  readonly #clock: Clock

  /** @param clock stands in for the store's own; for the simulator. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  acquire(partition: PartitionOfGroup, claim: Claim): Promise<Holding> {
    const key = keyOf(partition)
    const wall = this.#clock.wall()
    const record = this.#records.get(key) ?? { owner: '', token: 0, number: 0, bornMs: wall, fields: new Map() }
    const again = record.owner === claim.owner && record.token > claim.greatestSeen
    if (!again) record.token = Math.max(record.token + 1, wall * 1_000, claim.greatestSeen + 1)
    record.owner = claim.owner
    this.#records.set(key, record)
    const { token, number, bornMs } = record
    return Promise.resolve({ token, number, bornMs, fields: new Map(record.fields) })
  }

  flush(partition: PartitionOfGroup, flush: Flush): Promise<FlushAnswer> {
    const key = keyOf(partition)
    const record = this.#records.get(key)
    if (record === undefined) {
      if (!flush.whole) return Promise.resolve('behind')
      const { owner, token, number, bornMs, fields } = flush
      this.#records.set(key, { owner, token, number, bornMs, fields: new Map(fields) })
      return Promise.resolve('flushed')
    }
    return Promise.resolve(execute(record, flush))
  }

  /** Forgets everything. */
  clear(): void {
    this.#records.clear()
  }

  release(partition: PartitionOfGroup, holder: { owner: string; token: number }): Promise<void> {
    const record = this.#records.get(keyOf(partition))
    if (record?.owner === holder.owner && record.token === holder.token) record.owner = ''
    return Promise.resolve()
  }
}

interface StoredRecord {
  owner: string
  token: number
  number: number
  bornMs: number
  fields: Map<string, Uint8Array>
}

function execute(record: StoredRecord, flush: Flush): FlushAnswer {
  if (flush.token < record.token) return 'fenced'
  if (flush.token === record.token && flush.owner !== record.owner) return 'fenced'
  if (flush.token > record.token) {
    if (!flush.whole) return 'behind'
    record.token = flush.token
    record.owner = flush.owner
  } else {
    if (flush.number === record.number) return 'flushed'
    if (flush.number < record.number) return 'stale'
    if (record.number < flush.confirmed && !flush.whole) return 'behind'
  }
  if (flush.whole) record.fields = new Map(flush.fields)
  else setFields(record.fields, flush.fields)
  record.number = flush.number
  return 'flushed'
}

function setFields(target: Map<string, Uint8Array>, fields: Fields): void {
  for (const [name, bytes] of fields) target.set(name, bytes)
}

function keyOf({ groupId, topic, partition }: PartitionOfGroup): string {
  return `${groupId}/${topic}/${partition}`
}
