import { systemClock, type Clock } from '@tandem/common/internal'

import type { Claim, Flush, FlushAnswer, HighWaterStore, Holding, PartitionOfGroup } from './high-water-store.js'
import { acquire, flush, type StoredRecord } from './stored-record.js'

/** Keeps positions in this process: for tests, and for one instance that may begin again from the logs. */
export class MemoryHighWaterStore implements HighWaterStore {
  readonly name = 'memory'
  readonly #records = new Map<string, StoredRecord>()
  readonly #fields = new Map<string, Map<string, Uint8Array>>()
  readonly #clock: Clock

  /** @param clock stands in for the store's own; for the simulator. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  acquire(partition: PartitionOfGroup, claim: Claim): Promise<Holding> {
    const key = keyOf(partition)
    const record = acquire(this.#records.get(key), claim, this.#clock.wall())
    this.#records.set(key, record)
    const { token, number, bornMs } = record
    return Promise.resolve({ token, number, bornMs, fields: new Map(this.#fields.get(key)) })
  }

  flush(partition: PartitionOfGroup, wanted: Flush): Promise<FlushAnswer> {
    const key = keyOf(partition)
    const { answer, record } = flush(this.#records.get(key), wanted)
    if (record !== undefined) {
      this.#records.set(key, record)
      const kept = wanted.whole ? [] : (this.#fields.get(key) ?? [])
      this.#fields.set(key, new Map([...kept, ...wanted.fields]))
    }
    return Promise.resolve(answer)
  }

  /** Forgets everything. */
  clear(): void {
    this.#records.clear()
    this.#fields.clear()
  }

  release(partition: PartitionOfGroup, holder: { owner: string; token: number }): Promise<void> {
    const record = this.#records.get(keyOf(partition))
    if (record?.owner === holder.owner && record.token === holder.token) record.owner = ''
    return Promise.resolve()
  }
}

function keyOf({ groupId, topic, partition }: PartitionOfGroup): string {
  return `${groupId}/${topic}/${partition}`
}
