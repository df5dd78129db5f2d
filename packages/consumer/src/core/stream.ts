import { compareSequences } from '@tandem/common/internal'

import type { FeedIndex } from './feed.js'
import type { Sequence } from './sequence.js'
import { Sightings } from './sightings.js'

/** One stream of a partition: its sequences, oldest first, and which epochs each feed has shown. */
export class Stream<R> {
  readonly key: string
  readonly keyRange: number
  readonly producerId: string
  readonly sequences: Sequence<R>[] = []
  /** Epochs as each feed showed them, in `high`. */
  readonly epochsOf: readonly [Sightings, Sightings] = [new Sightings(), new Sightings()]
  /** Nothing of it was stored or delivered before: with `from: 'latest'` what came before is not owed (rule 8). */
  fresh: boolean
  /** Whether it is on the arbiter's list of streams that wait for something. */
  unsettled = false
  /** Feeds that have not read as far as what it waits for. */
  unread: readonly FeedIndex[] = []
  /** Polling time at which that wait ends if nothing else happens. */
  deadline = Infinity
  /** Whether it is on the arbiter's list of streams with something to store. */
  changed = false

  constructor(id: { readonly key: string; readonly keyRange: number; readonly producerId: string }, fresh: boolean) {
    this.key = id.key
    this.keyRange = id.keyRange
    this.producerId = id.producerId
    this.fresh = fresh
  }

  find(epoch: number, incarnation: number): Sequence<R> | undefined {
    const sequences = this.sequences
    for (let i = sequences.length - 1; i >= 0; i--) {
      const sequence = sequences[i]!
      if (sequence.epoch === epoch && sequence.incarnation === incarnation) return sequence
      if (sequence.epoch < epoch) return undefined
    }
    return undefined
  }

  insert(sequence: Sequence<R>): void {
    let at = this.sequences.length
    while (at > 0 && compareSequences(this.sequences[at - 1]!, sequence) > 0) at--
    this.sequences.splice(at, 0, sequence)
  }

  /** The newest epoch that has begun: older sequences have lost their claim to come first. */
  get begunEpoch(): number {
    for (let i = this.sequences.length - 1; i >= 0; i--) {
      if (this.sequences[i]!.begun) return this.sequences[i]!.epoch
    }
    return -1
  }

  /** Settles what each sequence may store; to be called before a flush looks. */
  updateStorable(): void {
    let olderInFlight = false
    let epochInFlight = false
    let epoch = -1
    for (const sequence of this.sequences) {
      if (sequence.epoch !== epoch) {
        olderInFlight ||= epochInFlight
        epochInFlight = false
        epoch = sequence.epoch
      }
      sequence.storable = !olderInFlight
      epochInFlight ||= sequence.inOrderInFlight > 0
    }
  }
}
