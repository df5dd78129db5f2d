import { Intervals, type Stamp } from '@tandem/common/internal'
import {
  Arbiter,
  decodePosition,
  encodeStream,
  storedStream,
  type Deliver,
  type FeedIndex,
} from '@tandem/consumer/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import { stamp } from './hostile.js'
import { target, within } from './target.js'

/**
 * An arbiter that is fed with any well-formed stamps in any order, while time jumps, ends are told and believed, and
 * subscribers acknowledge when they like. Nothing makes it throw, deliver a counter twice or one that nobody sent; and
 * what it keeps is bounded by its options and by the number of records, never by the counters that these speak of.
 */
type Step =
  | { readonly kind: 'record'; readonly feed: FeedIndex; readonly stamp: Stamp; readonly skip: number }
  | { readonly kind: 'foreign'; readonly feed: FeedIndex; readonly skip: number }
  | { readonly kind: 'end'; readonly feed: FeedIndex }
  | { readonly kind: 'answer'; readonly feed: FeedIndex; readonly beyond: number }
  | { readonly kind: 'start'; readonly feed: FeedIndex; readonly start: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'finish'; readonly which: number }
  | { readonly kind: 'store' }

const feed = fc.constantFrom<FeedIndex>(0, 1)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('record' as const), feed, stamp, skip: fc.nat({ max: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('foreign' as const), feed, skip: fc.nat({ max: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), feed }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('answer' as const),
        feed,
        beyond: fc.constantFrom(0, 0, 5, 20, -3),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('start' as const), feed, start: fc.constantFrom(0, 2, 50) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 30, 60, 120, 1e9) }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('finish' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('store' as const) }) },
  ),
  { maxLength: 60, size: 'max' },
)

const HELD_MESSAGES_MAX = 10
const HELD_BYTES_MAX = 200
const RECORD_BYTES = 30
const CLUSTERS = ['east', 'west'] as const
const OPTIONS = {
  topic: 't',
  partition: 0,
  clusters: CLUSTERS,
  gapTimeoutMs: 50,
  holeTimeoutMs: 100,
  feedAwayAfterMs: 80,
  heldMessagesMax: HELD_MESSAGES_MAX,
  heldBytesMax: HELD_BYTES_MAX,
  intervalsMax: 100_000,
}

class Bench {
  readonly arbiter: Arbiter<Stamp>
  /** Steps that have been taken. */
  taken = 0
  #time = 0
  #records = 0
  readonly #offsets = [0, 0]
  readonly #asked: [number | undefined, number | undefined] = [undefined, undefined]
  readonly #startAsked = [false, false]
  readonly #paused = [false, false]
  readonly #open: Deliver<Stamp>[] = []
  /** By sequence. */
  readonly #sent = new Map<string, Intervals>()
  readonly #delivered = new Map<string, Intervals>()
  readonly #inOrder = new Map<string, number>()

  constructor(from: 'earliest' | 'latest', order: 'late' | 'strict') {
    this.arbiter = new Arbiter<Stamp>({ ...OPTIONS, from, order }, 0)
    for (const each of [0, 1] as const) this.arbiter.handleAssigned(each, { offset: 0 })
  }

  take(step: Step): void {
    const { arbiter } = this
    switch (step.kind) {
      case 'record': {
        const { feed, stamp, skip } = step
        if (this.#paused[feed]) break // nothing is read of it
        this.#records++
        setOf(this.#sent, nameOf(stamp)).add(stamp.first, stamp.first + stamp.count - 1)
        const offset = (this.#offsets[feed]! += skip)
        this.#offsets[feed]!++
        const digest = stamp.first % 7
        const wholeDigest = stamp.first % 3
        arbiter.handleRecord(
          { feed, offset, stamp, bytes: RECORD_BYTES, digest, wholeDigest, wallMs: 0, record: stamp },
          this.#time,
        )
        break
      }
      case 'foreign':
        arbiter.handleForeign(
          { feed: step.feed, offset: (this.#offsets[step.feed]! += step.skip), wholeDigest: 0 },
          this.#time,
        )
        this.#offsets[step.feed]!++
        break
      case 'end':
        arbiter.handleEndReached(step.feed, this.#offsets[step.feed]!, this.#time)
        break
      case 'answer': {
        const asked = this.#asked[step.feed]
        if (asked === undefined) break
        this.#asked[step.feed] = undefined
        const end = Math.max(0, this.#offsets[step.feed]! + step.beyond)
        if (step.beyond === 5) arbiter.handleEndFailed(step.feed, asked, this.#time)
        else arbiter.handleEnd({ feed: step.feed, step: asked, end }, this.#time)
        break
      }
      case 'start':
        if (!this.#startAsked[step.feed]) break
        this.#startAsked[step.feed] = false
        arbiter.handleStart({ feed: step.feed, start: step.start }, this.#time)
        break
      case 'pass':
        this.#time += step.ms
        if (arbiter.deadline() <= this.#time) arbiter.handleDeadline(this.#time)
        break
      case 'finish': {
        const [delivery] = this.#open.splice(step.which % Math.max(1, this.#open.length), 1)
        if (delivery !== undefined) arbiter.handleFinished(delivery, delivery.first, delivery.last)
        break
      }
      case 'store':
        for (const stream of arbiter.takeChanged()) {
          const stored = storedStream(stream, CLUSTERS)
          if (stored !== undefined) this.#restore(encodeStream(stored))
        }
        for (const each of [0, 1] as const) {
          expect(arbiter.resumeOffset(each)).to.be.within(0, arbiter.feeds[each].nextOffset)
        }
        break
      default:
        step satisfies never
    }
    this.taken++
    this.#drain()
    this.#check()
  }

  /** Another arbiter begins with what is stored. */
  #restore(encoded: Uint8Array): void {
    const other = new Arbiter<Stamp>({ ...OPTIONS, from: 'earliest', order: 'late' }, 0)
    for (const stream of decodePosition(new Map([['s:x', encoded]])).streams) other.restore(stream)
    other.handleDeadline(1_000)
  }

  #drain(): void {
    let commands = 0
    for (let command = this.arbiter.poll(this.#time); command !== undefined; command = this.arbiter.poll(this.#time)) {
      expect(commands++, 'commands of one step').to.be.below(20 * (this.#records + 10))
      switch (command.kind) {
        case 'deliver':
          this.#handleDelivered(command)
          break
        case 'ask-end':
          this.#asked[command.feed] = command.step
          break
        case 'ask-start':
          this.#startAsked[command.feed] = true
          break
        case 'pause':
          this.#paused[command.feed] = true
          break
        case 'resume':
          this.#paused[command.feed] = false
          break
        case 'seek':
          this.#offsets[command.feed] = command.offset
          break
        case 'tell':
          break
        default:
          command satisfies never
      }
    }
  }

  #handleDelivered(delivery: Deliver<Stamp>): void {
    const { stream, sequence, first, last, late } = delivery
    const name = nameOf({ ...stream, ...sequence, epoch: sequence.epoch, incarnation: sequence.incarnation })
    const run = `${first} to ${last} of ${name}`
    expect(first, run).to.be.within(1, last)
    expect(setOf(this.#sent, name).covers(first, last), `nobody sent ${run}`).to.equal(true)
    const delivered = setOf(this.#delivered, name)
    const [fresh] = delivered.missing(first, last)
    expect(fresh, `delivered again: ${run}`).to.deep.equal({ first, last })
    delivered.add(first, last)
    if (!late) {
      expect(first, `out of order: ${run}`).to.be.above(this.#inOrder.get(name) ?? 0)
      this.#inOrder.set(name, last)
    }
    this.#open.push(delivery)
  }

  #check(): void {
    expect(this.arbiter.deadline())
      .to.be.a('number')
      .that.satisfies((time: number) => !Number.isNaN(time))
    let kept = 0
    for (const each of [0, 1] as const) {
      const { heldBytes, paused } = this.arbiter.feeds[each]
      let held = 0
      for (const { sequences } of this.arbiter.streams.values()) {
        for (const sequence of sequences) {
          held += sequence.held[each].size
          kept += sequence.voids[each].size + sequence.delivered.size + sequence.finished.size + sequence.rejected.size
        }
      }
      expect(heldBytes).to.equal(held * RECORD_BYTES)
      expect(held, 'held records').to.be.at.most(Math.min(HELD_MESSAGES_MAX, HELD_BYTES_MAX / RECORD_BYTES + 1))
      expect(paused).to.equal(this.#paused[each])
    }
    expect(kept, 'intervals').to.be.at.most(20 * (this.#records + 1))
  }
}

function nameOf(of: Pick<Stamp, 'producerId' | 'keyRange' | 'epoch' | 'incarnation'>): string {
  return `${of.keyRange}/${of.producerId}/${of.epoch}/${of.incarnation}`
}

function setOf(sets: Map<string, Intervals>, name: string): Intervals {
  let set = sets.get(name)
  if (set === undefined) sets.set(name, (set = new Intervals()))
  return set
}

/** Garbage of sixty steps and of the arbiters that are restored meanwhile, each with 64 KiB of digests. */
const RUN_BYTES = 32 << 20

export const ARBITERS = [
  target(
    'arbiter: any stamps in any order',
    4,
    fc.property(fc.constantFrom('earliest', 'latest'), fc.constantFrom('late', 'strict'), steps, (from, order, all) => {
      const bench = new Bench(from, order)
      within(RUN_BYTES, () => {
        for (const step of all) bench.take(step)
      })
      expect(bench.taken).to.equal(all.length)
    }),
  ),
]
