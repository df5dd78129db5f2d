/**
 * The next counter of each sequence, and the sequence of each message.
 *
 * One producer has one epoch, so that a sequence is a key range of a topic here: `Sequence` is what is counted, and
 * what orders its records. Counters are given out without holes; what can be refused is refused before it is given
 * one (protocol.md, Numbering).
 *
 * A topic is pinned when a cluster first tells its partition count: both counts stay as they are for the epoch, since
 * the key range of a key, and with it its order, hangs on them. Messages without a key take the key ranges in turn,
 * and begin at one that differs from process to process, so that many short-lived producers do not all begin with
 * the same partition.
 */
import { invariant, keyRangeOf, partitionOf, StampEncoder } from '@tandem/common/internal'

import type { Framing } from './framer.js'

export interface ProducerIdentity {
  readonly producerId: string
  readonly epoch: number
  readonly incarnation: number
}

export class Sequencer {
  readonly #identity: ProducerIdentity
  readonly #topics = new Map<string, PinnedTopic>()

  constructor(identity: ProducerIdentity) {
    this.#identity = identity
  }

  /** Topics that are pinned. */
  get names(): IterableIterator<string> {
    return this.#topics.keys()
  }

  topic(name: string): PinnedTopic | undefined {
    return this.#topics.get(name)
  }

  /** `keyRanges` is a multiple of `partitions`. */
  pin(topic: TopicToPin): PinnedTopic {
    invariant(!this.#topics.has(topic.name), 'a topic is pinned once per epoch', { topic: topic.name })
    invariant(topic.partitions >= 1 && topic.keyRanges % topic.partitions === 0, 'key ranges fit the partitions', {
      ...topic,
    })
    const pinned = new PinnedTopic(topic, this.#identity)
    this.#topics.set(topic.name, pinned)
    return pinned
  }
}

export interface TopicToPin {
  readonly name: string
  readonly partitions: number
  readonly keyRanges: number
  readonly framing?: Framing | undefined
}

export class PinnedTopic {
  readonly name: string
  readonly partitions: number
  readonly keyRanges: number
  readonly #identity: ProducerIdentity
  readonly #framing: Framing | undefined
  readonly #sequences: (Sequence | undefined)[] = []
  #turn: number
  /** Messages that the key range whose turn it is still gets. */
  #turnsLeft = 0

  constructor(topic: TopicToPin, identity: ProducerIdentity) {
    this.name = topic.name
    this.partitions = topic.partitions
    this.keyRanges = topic.keyRanges
    this.#framing = topic.framing
    this.#identity = identity
    this.#turn = (identity.incarnation + topic.keyRanges - 1) % topic.keyRanges
  }

  sequenceOf(key: Uint8Array): Sequence {
    return this.#sequence(keyRangeOf(key, this.keyRanges))
  }

  /** For a message without a key. Where messages share records, so many at a time that there is something to share. */
  sequenceInTurn(): Sequence {
    if (this.#turnsLeft === 0) {
      this.#turn = (this.#turn + 1) % this.keyRanges
      this.#turnsLeft = this.#framing === undefined ? 1 : FRAMED_IN_TURN
    }
    this.#turnsLeft--
    return this.#sequence(this.#turn)
  }

  #sequence(keyRange: number): Sequence {
    return (this.#sequences[keyRange] ??= new Sequence(
      { topic: this.name, keyRange, partition: partitionOf(keyRange, this.partitions), framing: this.#framing },
      this.#identity,
    ))
  }
}

/** Sequences of any life of a producerId, one object for each. */
export class KnownSequences {
  readonly #producerId: string
  readonly #sequences = new Map<string, Sequence>()

  constructor(producerId: string) {
    this.#producerId = producerId
  }

  of({
    topic,
    keyRange,
    partition,
    epoch,
    incarnation,
  }: {
    readonly topic: string
    readonly keyRange: number
    readonly partition: number
    readonly epoch: number
    readonly incarnation: number
  }): Sequence {
    const name = `${partition}/${keyRange}/${epoch}/${incarnation}/${topic}`
    let sequence = this.#sequences.get(name)
    if (sequence === undefined) {
      const identity = { producerId: this.#producerId, epoch, incarnation }
      this.#sequences.set(name, (sequence = new Sequence({ topic, keyRange, partition }, identity)))
    }
    return sequence
  }
}

interface SequenceParts {
  readonly topic: string
  readonly keyRange: number
  readonly partition: number
  readonly framing?: Framing | undefined
}

export class Sequence {
  readonly topic: string
  readonly keyRange: number
  readonly partition: number
  /** The life that stamps it: this one, or for what the journal has, one of before. */
  readonly identity: ProducerIdentity
  readonly stamps: StampEncoder
  /** If its messages may share records. */
  readonly framing: Framing | undefined
  #last = 0

  constructor({ topic, keyRange, partition, framing }: SequenceParts, identity: ProducerIdentity) {
    this.framing = framing
    this.topic = topic
    this.keyRange = keyRange
    this.partition = partition
    this.identity = identity
    this.stamps = new StampEncoder({ ...identity, keyRange })
  }

  /** Last counter that was given out; 0 if none was. */
  get last(): number {
    return this.#last
  }

  /** Gives out `count` counters; returns the first. */
  take(count: number): number {
    const first = this.#last + 1
    this.#last += count
    return first
  }
}

/** Of messages without a key, as many as one key range gets before it is the turn of the next one. */
const FRAMED_IN_TURN = 64
