import type { ClusterDescription } from '@tandem/common/internal'

import type { FeedPartition } from './feed-client.js'

/**
 * What a cluster is asked next about its logs, and how long an answer is waited for.
 *
 * A question is Kafka's ListOffsets: of some partitions, the first offset at or after a time of each; START and END are
 * such times. It holds a libuv thread until all of them have answered or its time is up, so few may be under way, and
 * one broker that hangs must not delay what the others have to say. So there are two lines, with one question under way
 * in each.
 *
 * The first is for partitions that answered, or were not asked before: all that wait are asked at once, else those of a
 * cluster that is far would take turns until it counts as away. If there is no answer, they go over to the second line,
 * and with them the other partitions of their leaders, as far as those were known at the start. There each leader is
 * asked alone: with each question in vain about half as many of its partitions, so that one without a leader is told
 * apart from the others, and for twice as long. The one asked in vain least often comes first. Each partition is back
 * in the first line once it has answered.
 */
export class Questions {
  readonly #put: Put
  #waiting: Waiting[] = []
  /** Names of partitions whose last question was in vain. */
  readonly #silent = new Set<string>()
  /** Questions in vain since the last answer, of leaders in the second line. */
  readonly #inVain = new Map<string, number>()
  /** The leader of a partition, by the name of the first that it leads. */
  readonly #leaders = new Map<string, string>()
  readonly #ledBy = new Map<string, string[]>()
  readonly #underWay: Record<Line, boolean> = { well: false, silent: false }

  /** @param put puts a question to the cluster. */
  constructor(put: Put) {
    this.#put = put
  }

  handleDescribed({ topics }: ClusterDescription): void {
    const firstOf = new Map<number, string>()
    for (const { name, partitions } of topics) {
      for (const { partition, leader } of partitions) {
        if (leader < 0) continue
        const partitionName = nameOf({ topic: name, partition })
        const first = firstOf.get(leader) ?? partitionName
        firstOf.set(leader, first)
        this.#leaders.set(partitionName, first)
        const led = this.#ledBy.get(first)
        if (led === undefined) this.#ledBy.set(first, [partitionName])
        else led.push(partitionName)
      }
    }
  }

  askStart(partition: FeedPartition, done: Waiting['done']): void {
    this.#ask(partition, START, done)
  }

  askEnd(partition: FeedPartition, done: Waiting['done']): void {
    this.#ask(partition, END, done)
  }

  /** @param timeMs ms since 1970. @param done is told the end of the log if no record is at or after that. */
  askTime(partition: FeedPartition, timeMs: number, done: Waiting['done']): void {
    // The end first: a record that is written between the two answers may be the first at or after the time.
    this.askEnd(partition, (end) => {
      if (end === undefined) done(undefined)
      else this.#ask(partition, Math.max(timeMs, 0), (offset) => done(offset === NONE ? end : offset))
    })
  }

  #ask({ topic, partition }: FeedPartition, timeMs: number, done: Waiting['done']): void {
    const name = nameOf({ topic, partition })
    this.#waiting.push({ name, leader: this.#leaders.get(name) ?? name, topic, partition, timeMs, done })
    this.#next()
  }

  #next(): void {
    if (!this.#underWay.well) {
      const asked = this.#take(({ name }) => !this.#silent.has(name))
      this.#begin('well', asked, PATIENCE_MS_MAX)
    }
    if (!this.#underWay.silent && this.#silent.size > 0) {
      const leader = this.#leastInVain()
      const inVain = this.#inVain.get(leader ?? '') ?? 0
      const part = 1 / 2 ** inVain
      const asked = this.#take((one) => this.#silent.has(one.name) && one.leader === leader, part)
      this.#begin('silent', asked, Math.min(PATIENCE_MS_MIN * 2 ** inVain, PATIENCE_MS_MAX))
    }
  }

  /** Takes those that wait and fulfil the condition, or a part of them, the first ones: one of each partition. */
  #take(wanted: (one: Waiting) => boolean, part = 1): readonly Waiting[] {
    const found = new Map<string, Waiting>()
    for (const one of this.#waiting) if (!found.has(one.name) && wanted(one)) found.set(one.name, one)
    const taken = [...found.values()].slice(0, Math.ceil(found.size * part))
    const gone = new Set(taken)
    if (gone.size > 0) this.#waiting = this.#waiting.filter((one) => !gone.has(one))
    return taken
  }

  #leastInVain(): string | undefined {
    let least: string | undefined
    let times = Infinity
    for (const { name, leader } of this.#waiting) {
      const inVain = this.#inVain.get(leader) ?? 0
      if (inVain >= times || !this.#silent.has(name)) continue
      least = leader
      times = inVain
    }
    return least
  }

  #begin(line: Line, asked: readonly Waiting[], patienceMs: number): void {
    if (asked.length === 0) return
    this.#underWay[line] = true
    this.#put(asked, patienceMs, (offsets) => {
      if (offsets === undefined) this.#handleInVain(line, asked)
      else this.#handleAnswered(asked)
      for (const [index, { done }] of asked.entries()) done(offsets?.[index])
      // What they ask for next goes together.
      this.#underWay[line] = false
      this.#next()
    })
  }

  #handleAnswered(asked: readonly Waiting[]): void {
    for (const { name, leader } of asked) {
      this.#silent.delete(name)
      this.#inVain.delete(leader)
    }
  }

  #handleInVain(line: Line, asked: readonly Waiting[]): void {
    for (const { name, leader } of asked) {
      this.#silent.add(name)
      // Those in the second line have been told apart already, or will be.
      if (line === 'well') for (const sibling of this.#ledBy.get(leader) ?? []) this.#silent.add(sibling)
    }
    const { leader } = asked[0]!
    if (line === 'silent') this.#inVain.set(leader, (this.#inVain.get(leader) ?? 0) + 1)
  }
}

/** One partition, and what is asked of it. */
export interface Asked extends FeedPartition {
  readonly timeMs: number
}

/** Puts one question; `over` gets an offset for each of `asked`, or undefined when `patienceMs` were over. */
export type Put = (
  asked: readonly Asked[],
  patienceMs: number,
  over: (offsets: readonly number[] | undefined) => void,
) => void

type Line = 'well' | 'silent'

interface Waiting extends Asked {
  readonly name: string
  readonly leader: string
  /** Is told an offset, or undefined if no answer came in time. */
  readonly done: (offset: number | undefined) => void
}

function nameOf({ topic, partition }: FeedPartition): string {
  return `${topic}/${partition}`
}

/** Times of ListOffsets: where a log begins, and where the next record will be. */
export const START = -2
export const END = -1
/** The answer about a time that no record is at or after. */
export const NONE = -1

/** For a leader that was in vain: answers take a few ms, and most that take long never come. */
const PATIENCE_MS_MIN = 500
/** Below the default of `feedAwayAfterMs`, so that a feed whose answers take this long may yet count as live. */
const PATIENCE_MS_MAX = 4_000
