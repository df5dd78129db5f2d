import type { FeedIndex } from '@tandem/consumer/internal'

import { type Answered, type Delivered, type Life, FEEDS, LONG_MS, SHORT_MS, TIMES } from './life.js'
import { bitOf, count, dataOf, held, rejected, SEQUENCES, showBits, type Entry } from './log.js'

/** What is wrong with a life in which everything was read, waited for and acknowledged; or undefined. */
export function wrongInLife(life: Life): string | undefined {
  const { logs, delivered, arbiter, told } = life
  const given = bitsOf(delivered)
  const wanted = held(logs)
  if (given !== wanted) return `delivered ${showBits(given)}, the logs hold ${showBits(wanted)}`
  return (
    wrongInOrder(life) ??
    wrongInLateness(life) ??
    different(
      'a feed resumes',
      `${arbiter.resumeOffset(0)} and ${arbiter.resumeOffset(1)}`,
      `${logs[0].length} and ${logs[1].length}`,
    ) ??
    different('positions told of as rejected', told.rejected, count(rejected(logs))) ??
    different('messages held', arbiter.feeds[0].heldMessages + arbiter.feeds[1].heldMessages, 0) ??
    wrongInAccounts(life)
  )
}

/** Once each (I2), and what is not late in order (I3). */
export function wrongInOrder({ delivered }: Life): string | undefined {
  if (count(bitsOf(delivered)) !== delivered.length) return 'something came twice in one life'
  return ascends(delivered) ? undefined : 'out of order without being late'
}

function wrongInLateness(life: Life): string | undefined {
  const early = life.delivered.find((one) => one.late && !mayBePast(life, one))
  return early && `${showBits(early.bit)} came late, and nothing allowed to go past it`
}

function different(what: string, is: number | string, wanted: number | string): string | undefined {
  return is === wanted ? undefined : `${what}: ${is}, not ${wanted}`
}

export function bitsOf(delivered: readonly Delivered[]): number {
  let bits = 0
  for (const { bit } of delivered) bits |= bit
  return bits
}

/** Each message that was read was delivered, dropped as a duplicate, or stood behind a void: nothing vanishes. */
function wrongInAccounts({ reads, delivered, arbiter, told }: Life): string | undefined {
  let messages = 0
  const furthest = [-1, -1]
  for (const { feed, offset, entry } of reads) {
    if (offset <= furthest[feed]!) return undefined // of what was read again nothing is counted
    furthest[feed] = offset
    if (entry.stamp.kind === 'data') messages++
    // Frames never overlap in part, since they are written again as the same bytes: that such a part is dropped is not
    // counted, and here some do.
    else if (entry.stamp.kind === 'frame') return undefined
  }
  return different('messages accounted for', delivered.length + arbiter.duplicatesDropped + told.afterVoid, messages)
}

function ascends(delivered: readonly Delivered[]): boolean {
  const counters = SEQUENCES.map(() => 0)
  let newest = 0
  for (const { sequence, counter, late } of delivered) {
    if (late) continue
    const { epoch } = SEQUENCES[sequence]!
    if (epoch < newest || counter < counters[sequence]!) return false
    newest = epoch
    counters[sequence] = counter
  }
  return true
}

/**
 * Whether delivery may have gone past this position before it came: the rules 6 and 7, read from what happened.
 *
 * Something beyond it was seen, and each feed had been past it by then (voided it, showed a higher counter or a newer
 * epoch, was at an end asked for afterwards) or was not waited for, and the gap was given its time; or the time was over
 * for which anything is waited for. Without time, only voids, newer epochs, and ends where a newer epoch waits.
 */
function mayBePast(life: Life, { sequence, counter, at }: Delivered): boolean {
  const bit = bitOf(sequence, counter)
  const { epoch } = SEQUENCES[sequence]!
  const newer = ({ stamp }: Entry): boolean => stamp.epoch > epoch
  const voids = ({ isVoid, bits }: Entry): boolean => isVoid && (bits & bit) !== 0
  const beyond = (entry: Entry): boolean =>
    newer(entry) || voids(entry) || (entry.sequence === sequence && entry.stamp.first + entry.stamp.count - 1 > counter)
  const seenAt = firstRead(life, beyond)
  const newerAt = firstRead(life, newer)
  // The record that brought it changed nothing before it was read.
  const before = at - 1
  const atOnce = (feed: FeedIndex, place: number): boolean =>
    showed(life, feed, place, (entry) => voids(entry) || newer(entry)) ||
    ended(life, feed, place, newerAt) ||
    absent(life, feed, place)
  for (let place = seenAt; place <= before; place++) if (FEEDS.every((feed) => atOnce(feed, place))) return true
  return life.silences.some((silence) => {
    if (silence.at > before || silence.at < seenAt) return false
    if (silence.ms >= LONG_MS) return true
    const past = (feed: FeedIndex): boolean =>
      showed(life, feed, silence.at, beyond) || ended(life, feed, silence.at, seenAt) || absent(life, feed, silence.at)
    return silence.ms >= SHORT_MS && FEEDS.every(past)
  })
}

/** How many records were read when the first of these had been; Infinity if none was. */
function firstRead({ reads }: Life, is: (entry: Entry) => boolean): number {
  const index = reads.findIndex(({ entry }) => is(entry))
  return index < 0 ? Infinity : index + 1
}

function showed({ reads }: Life, feed: FeedIndex, place: number, is: (entry: Entry) => boolean): boolean {
  return reads.slice(0, place).some((one) => one.feed === feed && is(one.entry))
}

/** The feed had read up to an end that was asked for at or after `since`. */
function ended(life: Life, feed: FeedIndex, place: number, since: number): boolean {
  return life.answered.some((one) => one.askedAt >= since && one.answeredAt <= place && reached(life, feed, place, one))
}

function reached({ start, reads }: Life, feed: FeedIndex, place: number, answer: Answered): boolean {
  if (answer.feed !== feed) return false
  const read = reads.slice(0, place).filter((one) => one.feed === feed)
  return answer.end <= Math.max(start[feed], ...read.map(({ offset }) => offset + 1))
}

/** Away; or discounted, since something was waited for in vain, and not at an end asked for since. */
function absent(life: Life, feed: FeedIndex, place: number): boolean {
  if (life.absences.some((one) => one.feed === feed && one.from <= place && place <= one.until)) return true
  return life.silences.some(({ at, fromMs, ms }) => {
    if (at === 0 || at > place || ms < LONG_MS) return false
    return !life.answered.some((one) => {
      // At an end in this silence, so nothing was waited for; or at one asked for after the wait was over.
      if (one.askedAt === at && one.answeredAt === at && reached(life, feed, at, one)) return true
      if (one.askedMs < fromMs + TIMES.holeTimeoutMs) return false
      // An answer that came with the record of this place came after it.
      return (one.answeredAt < place || one.answeredAt === at) && reached(life, feed, place, one)
    })
  })
}

/** After a silence longer than whatever is waited for, all that was read must be out. */
export function wrongAfterSilence(life: Life): string | undefined {
  const { logs, next, delivered } = life
  const readable = dataOf(logs[0], next[0]) | dataOf(logs[1], next[1])
  const missing = readable & ~bitsOf(delivered)
  return missing === 0 ? undefined : `${showBits(missing)} was read, and nothing came of it in ${LONG_MS} ms`
}
