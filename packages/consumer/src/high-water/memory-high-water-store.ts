import { systemClock, type Clock } from '@tandem/common/internal'

import type { LeaseRecord } from '../core/lease.js'
import type { Member } from '../core/shares.js'
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
import { Roster } from './roster.js'
import { acquire, flush, leaseOf, release, renew, want, type StoredRecord } from './stored-record.js'

/** Keeps positions in this process: for tests, and for instances of one process that may begin again from the logs. */
export class MemoryHighWaterStore implements HighWaterStore {
  readonly name = 'memory'
  readonly volatile: boolean = true
  readonly #records = new Map<string, StoredRecord>()
  readonly #fields = new Map<string, Map<string, Uint8Array>>()
  readonly #roster = new Roster()
  readonly #clock: Clock

  /** @param clock stands in for the store's own; for the simulator. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  look(partition: PartitionOfGroup): Promise<LeaseRecord> {
    return Promise.resolve(leaseOf(this.#records.get(keyOf(partition))))
  }

  acquire(partition: PartitionOfGroup, claim: Claim): Promise<Acquired> {
    const key = keyOf(partition)
    const known = this.#records.get(key)
    const record = acquire(known, claim, this.#clock.wall())
    if (record === undefined) return Promise.resolve({ kind: 'held', lease: leaseOf(known) })
    this.#records.set(key, record)
    const { token, number, bornMs } = record
    const holding = { token, number, bornMs, fields: new Map(this.#fields.get(key)) }
    return Promise.resolve({ kind: 'acquired', holding })
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

  renew(partition: PartitionOfGroup, renewal: Renewal): Promise<Renewed> {
    const { answer, record } = renew(this.#records.get(keyOf(partition)), renewal)
    this.#keep(partition, record)
    return Promise.resolve(answer)
  }

  want(partition: PartitionOfGroup, wish: Wish): Promise<void> {
    this.#keep(partition, want(this.#records.get(keyOf(partition)), wish))
    return Promise.resolve()
  }

  release(partition: PartitionOfGroup, given: Release): Promise<void> {
    this.#keep(partition, release(this.#records.get(keyOf(partition)), given))
    return Promise.resolve()
  }

  meet(groupId: string, roll: Roll): Promise<ReadonlyMap<string, Member>> {
    return Promise.resolve(this.#roster.meet(groupId, roll))
  }

  /** Forgets everything. */
  clear(): void {
    this.#records.clear()
    this.#fields.clear()
    this.#roster.clear()
  }

  #keep(partition: PartitionOfGroup, record: StoredRecord | undefined): void {
    if (record !== undefined) this.#records.set(keyOf(partition), record)
  }
}

function keyOf({ groupId, topic, partition }: PartitionOfGroup): string {
  return `${groupId}/${topic}/${partition}`
}
