import type { Checker } from './checker.js'
import type { Delivered, History, SentMessage, StoreTrouble } from './history.js'
import { tenuresOf, type Tenure } from './tenures.js'

/**
 * I2: within one life of a consumer, and under one lease, nothing comes twice unless it is asked for. Later only that comes again which may not
 * have been flushed: not acknowledged, or shortly before the end, or while something of another life of its producer was
 * unacknowledged, or while the store was in trouble, or if it forgot a moment before the end, or when nobody lived. What was
 * said to be `not-written` never comes, nor what was not sent.
 */
export const noDuplicate: Checker = {
  promise: 'I2 no duplicate',
  check(history) {
    const tenures = tenuresOf(history)
    return [...unwanted(history), ...tenures.flatMap(twiceInOneTenure), ...again(history, tenures)]
  },
}

function unwanted({ messages, lives }: History): string[] {
  const sent = new Map(messages.map((message) => [message.text, message]))
  const wrong: string[] = []
  for (const { name, deliveries } of lives) {
    for (const { text } of deliveries) {
      const message = sent.get(text)
      if (message === undefined) wrong.push(`${text} was delivered to ${name} and never sent`)
      else if (message.answer === 'not-written') wrong.push(`${text} was not-written and is delivered to ${name}`)
    }
  }
  return wrong
}

function twiceInOneTenure({ name, deliveries }: Tenure): string[] {
  const seen = new Map<string, Delivered>()
  const wrong: string[] = []
  for (const one of deliveries) {
    const { text, redelivered, atMs } = one
    const before = seen.get(text)
    seen.set(text, one)
    if (before === undefined) continue
    if (!redelivered) wrong.push(`${text} was delivered twice to ${name}`)
    else if (before.refused === false) wrong.push(`${text} came again to ${name}, which had not asked for it`)
    else if ((before.acknowledgedAtMs ?? Infinity) < atMs)
      wrong.push(`${text} came again to ${name}, which had it done`)
  }
  return wrong
}

/** What had been flushed and came later, all the same. */
function again({ messages, groups, storeTroubles }: History, tenures: readonly Tenure[]): string[] {
  const sent = new Map(messages.map((message) => [message.text, message]))
  return groups.flatMap((groupId) => {
    const wrong: string[] = []
    /** What is stored as finished, with the tenure that saw to it. */
    const stored = new Map<string, Tenure>()
    for (const tenure of tenures) {
      if (tenure.groupId !== groupId) continue
      for (const { text, atMs, redelivered } of tenure.deliveries) {
        const before = stored.get(text)
        // Two at a time, because one was taken for dead: either may be the one that is fenced off.
        if (redelivered || before === undefined || atMs < before.endedAtMs! || forgotten(before, atMs, storeTroubles))
          continue
        wrong.push(`${text} came again to ${tenure.name}: ${before.name} had it acknowledged and flushed`)
      }
      const next = tenures.find((one) => {
        return one.groupId === groupId && one.keyRange === tenure.keyRange && one.fromMs > tenure.fromMs
      })
      for (const text of flushed(tenure, next, sent, storeTroubles)) stored.set(text, tenure)
    }
    return wrong
  })
}

/** What a tenure that has ended must have flushed; once the next one has begun, that one's word counts. */
function flushed(
  tenure: Tenure,
  next: Tenure | undefined,
  sent: ReadonlyMap<string, SentMessage>,
  troubles: readonly StoreTrouble[],
): string[] {
  const { endedAtMs, deliveries, stops, name } = tenure
  if (endedAtMs === undefined) return []
  const byMs = Math.min(endedAtMs, next?.fromMs ?? Infinity) - FLUSHED_MS
  const disturbed = [...stops, ...troubles.filter(({ names }) => names?.includes(name) ?? true)]
  // What a store forgets it is told again with a flush or a renewal of the partition, once it has answered for a while.
  const forgot = troubles.some(({ fromMs, forgotSinceMs }) => forgotSinceMs < Infinity && fromMs <= endedAtMs)
  const quietFromMs = forgot ? byMs - NOTICED_MS : byMs
  if (disturbed.some(({ fromMs, toMs }) => fromMs <= endedAtMs && toMs >= quietFromMs)) return []
  const acknowledged = (one: Delivered): boolean => one.acknowledgedAtMs !== undefined && one.acknowledgedAtMs < byMs
  const done = new Set(deliveries.filter(acknowledged).map(({ text }) => text))
  // While something of one epoch is in flight, nothing is stored of a newer one.
  const open = new Map<string, Set<number>>()
  for (const one of deliveries) {
    const message = sent.get(one.text)
    if (done.has(one.text) || message === undefined) continue
    const lives = open.get(streamOf(message)) ?? new Set()
    open.set(streamOf(message), lives.add(message.life))
  }
  return [...done].filter((text) => {
    const message = sent.get(text)
    if (message === undefined) return false
    if (message.imported === true) return false // its epoch is another one, perhaps
    const lives = open.get(streamOf(message))
    return lives === undefined || [...lives].every((one) => one === message.life)
  })
}

/** The store forgot it, and who knew it could not say so again before its time was over. */
function forgotten({ endedAtMs, name, stops }: Tenure, atMs: number, troubles: readonly StoreTrouble[]): boolean {
  const away = troubles.filter(({ names, fromMs, toMs }) => toMs > fromMs && (names?.includes(name) ?? true))
  return troubles.some(({ fromMs, toMs, forgotSinceMs }) => {
    if (forgotSinceMs >= endedAtMs! || fromMs > atMs) return false
    const cutOff = [...away, ...stops].filter((span) => span.fromMs <= toMs && span.toMs >= fromMs)
    return Math.max(toMs, ...cutOff.map((span) => span.toMs + RESTORED_MS)) >= endedAtMs!
  })
}

function streamOf({ producerId, keyRange }: SentMessage): string {
  return `${keyRange}/${producerId}`
}

/** Many times the flush interval and what a store needs. */
export const FLUSHED_MS = 10_000
/** Who was cut off while the store forgot writes over it once that has stood still for a lease. */
const RESTORED_MS = 10_000 + 4_000
/** A beat of a lease; if it had lapsed, a whole one until it may write over what it finds. */
const NOTICED_MS = 20_000
