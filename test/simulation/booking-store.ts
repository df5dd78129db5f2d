import {
  MemoryHighWaterStore,
  type Acquired,
  type Claim,
  type Delivery,
  type FinishedCounters,
  type Flush,
  type FlushAnswer,
  type PartitionOfGroup,
} from '@tandem/consumer'

import type { Booked } from './checkers/history.js'

export type Booking = Pick<Delivery, 'topic' | 'partition' | 'keyRange' | 'position' | 'fence'> & {
  readonly groupId: string
}

/** `again`: an earlier attempt was executed. `fenced`: another one has the partition. `unknown`: nobody holds it as far as is known here. */
export type BookAnswer = 'booked' | 'again' | 'fenced' | 'unknown'

/** A store in the database of the effects, as examples/exactly-once has it: what is booked stays until a flush says it. */
export class BookingStore extends MemoryHighWaterStore {
  readonly effects: Booked[] = []
  readonly #booked = new Map<string, FinishedCounters[]>()

  async book(booking: Booking, text: string, atMs: number): Promise<BookAnswer> {
    const { groupId, topic, partition, keyRange, fence, position } = booking
    const { token } = await this.look({ groupId, topic, partition })
    if (token !== fence) return token > fence ? 'fenced' : 'unknown'
    const { producerId, epoch, incarnation, counter } = position
    const one = { keyRange, producerId, epoch, incarnation, first: counter, last: counter }
    const booked = this.#of(booking)
    if (booked.some((other) => covers(other, one))) return 'again'
    booked.push(one)
    this.effects.push({ groupId, text, atMs })
    return 'booked'
  }

  override async acquire(partition: PartitionOfGroup, claim: Claim): Promise<Acquired> {
    const acquired = await super.acquire(partition, claim)
    if (acquired.kind === 'held') return acquired
    return { ...acquired, holding: { ...acquired.holding, booked: [...this.#of(partition)] } }
  }

  override async flush(partition: PartitionOfGroup, wanted: Flush): Promise<FlushAnswer> {
    const answer = await super.flush(partition, wanted)
    if (answer === 'flushed') {
      const kept = this.#of(partition).filter((one) => !wanted.finished.some((run) => covers(run, one)))
      this.#booked.set(keyOf(partition), kept)
    }
    return answer
  }

  #of(partition: PartitionOfGroup): FinishedCounters[] {
    const key = keyOf(partition)
    let booked = this.#booked.get(key)
    if (booked === undefined) this.#booked.set(key, (booked = []))
    return booked
  }
}

function covers(run: FinishedCounters, one: FinishedCounters): boolean {
  return (
    run.keyRange === one.keyRange &&
    run.producerId === one.producerId &&
    run.epoch === one.epoch &&
    run.incarnation === one.incarnation &&
    run.first <= one.first &&
    one.last <= run.last
  )
}

function keyOf({ groupId, topic, partition }: PartitionOfGroup): string {
  return `${groupId}/${topic}/${partition}`
}
