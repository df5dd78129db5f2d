import { FEEDS, type FeedIndex, type Feed } from './feed.js'
import type { Sequence } from './sequence.js'
import type { Stream } from './stream.js'

/**
 * Rules 6 and 7 of protocol.md, Arbitration: whom delivery waits for at a hole, and before a newer sequence begins.
 *
 * A feed is **past** a hole when it has read beyond it in its sequence, has shown a newer epoch of the stream, or is at
 * an end that was asked for after something beyond the hole was seen. With `late` a hole is waited for until every live
 * feed is past it, and a little more while one of their lanes may still write it, but never for longer than
 * `holeTimeoutMs` in all. With `strict` no time ends the wait: each feed must have voided it, have shown a newer epoch, or
 * be read from above it. Nothing is changed here.
 */
export interface HoleRules {
  readonly order: 'late' | 'strict'
  readonly gapTimeoutMs: number
  readonly holeTimeoutMs: number
}

export type Verdict =
  | Wait
  /** These were waited for as long as any is. */
  | { readonly kind: 'in-vain'; readonly feeds: readonly FeedIndex[] }
  /** Delivery goes past everything up to `to`, which shares its reasons. */
  | { readonly kind: 'go-past'; readonly to: number }
  | { readonly kind: 'begin' }

export interface Wait {
  readonly kind: 'wait'
  /** Then it is judged anew; Infinity if no time ends the wait. */
  readonly until: number
  /** The hole ends here, as far as it shares its reasons; one below where it begins if it is no hole that is waited for. */
  readonly to: number
  /** Those whose word is missing … */
  readonly feeds: readonly FeedIndex[]
  /** … and of these, those that have not read so far. */
  readonly unread: readonly FeedIndex[]
  /** An end of a log counts if it was asked for after this. */
  readonly step: number
}

type Feeds<R> = readonly [Feed<R>, Feed<R>]

/** What one feed has of the hole. */
interface Word {
  /** Since when it is past it or has voided it; undefined if it is neither. */
  readonly since: number | undefined
  /** Up to where the same may be said. */
  readonly to: number
  /** Whether its lane can be expected to write it no more. */
  readonly final: boolean
}

/** For the hole at the frontier of a sequence, beyond which something was seen. */
export function judgeHole<R>(
  rules: HoleRules,
  feeds: Feeds<R>,
  stream: Stream<R>,
  sequence: Sequence<R>,
  time: number,
): Verdict {
  const hole = sequence.frontier + 1
  const seen = sequence.sightings.beyond(hole)
  if (seen === undefined) return forNothing(sequence)
  const holeUntil = seen.time + rules.holeTimeoutMs
  const missing: FeedIndex[] = []
  const unread: FeedIndex[] = []
  let to = seen.high - 1
  let provenAt = 0
  let mayStillCome = false
  for (const index of FEEDS) {
    to = Math.min(to, (sequence.held[index].front?.first ?? Infinity) - 1, sequence.scanned[index].nextFrom(hole) - 1)
    if (rules.order === 'late' && !feeds[index].live) continue
    const word = wordOf(index, feeds[index], stream, sequence, hole, seen.step)
    const below = rules.order === 'strict' && hole < sequence.readFrom[index]
    to = Math.min(to, word.to, below ? sequence.readFrom[index] - 1 : Infinity)
    if (word.final || below) {
      provenAt = Math.max(provenAt, word.since ?? 0)
      continue
    }
    if (word.since === undefined) unread.push(index)
    else provenAt = Math.max(provenAt, word.since)
    if (word.since === undefined || rules.order === 'strict') missing.push(index)
    mayStillCome = true
  }
  if (missing.length > 0) {
    if (rules.order === 'late' && time >= holeUntil) return { kind: 'in-vain', feeds: missing }
    const endsAt = rules.order === 'strict' ? stallsAt(rules, feeds, unread, holeUntil) : holeUntil
    return { kind: 'wait', until: time < endsAt ? endsAt : Infinity, to, feeds: missing, unread, step: seen.step }
  }
  const until = mayStillCome ? Math.min(provenAt + rules.gapTimeoutMs, holeUntil) : 0
  return time < until ? { ...forNothing(sequence), until, to } : { kind: 'go-past', to }
}

/** What a feed has just gone back for is not missing, though it may have been seen long ago. */
function stallsAt<R>(rules: HoleRules, feeds: Feeds<R>, unread: readonly FeedIndex[], holeUntil: number): number {
  let at = holeUntil
  for (const index of unread) at = Math.max(at, feeds[index].soughtBackAt + rules.holeTimeoutMs)
  return at
}

function wordOf<R>(
  index: FeedIndex,
  feed: Feed<R>,
  stream: Stream<R>,
  sequence: Sequence<R>,
  hole: number,
  seenStep: number,
): Word {
  const voided = sequence.voids[index].at(hole)
  if (voided !== undefined) return { since: voided.time, to: voided.last, final: true }
  const beyond = sequence.sightingsOf[index].beyond(hole)
  const newer = stream.epochsOf[index].beyond(sequence.epoch)
  const since = Math.min(beyond?.time ?? Infinity, newer?.time ?? Infinity, feed.end.reachedAfter(seenStep) ?? Infinity)
  const to = Math.min(sequence.voids[index].nextFrom(hole), beyond?.high ?? Infinity) - 1
  return { since: since === Infinity ? undefined : since, to, final: newer !== undefined }
}

/** For a sequence that has not begun. Two incarnations of one epoch do not wait for each other. */
export function judgeBeginning<R>(
  rules: HoleRules,
  feeds: Feeds<R>,
  stream: Stream<R>,
  sequence: Sequence<R>,
  time: number,
): Verdict {
  for (const older of stream.sequences) {
    // What stands in the way has a verdict of its own.
    if (older.epoch < sequence.epoch && (!older.begun || older.holds)) return forNothing(sequence)
  }
  const { firstSeen } = sequence
  const missing = FEEDS.filter((index) => {
    if (rules.order === 'late' && !feeds[index].live) return false
    return stream.epochsOf[index].high < sequence.epoch && feeds[index].end.reachedAfter(firstSeen.step) === undefined
  })
  if (missing.length === 0) return { kind: 'begin' }
  const until = firstSeen.time + rules.holeTimeoutMs
  if (rules.order === 'late' && time >= until) return { kind: 'in-vain', feeds: missing }
  const to = sequence.frontier
  const { step } = firstSeen
  return { kind: 'wait', until: time < until ? until : Infinity, to, feeds: missing, unread: missing, step }
}

/** For nothing that anybody could be asked for. */
export function forNothing<R>({ frontier }: Sequence<R>): Wait {
  return { kind: 'wait', until: Infinity, to: frontier, feeds: [], unread: [], step: 0 }
}
