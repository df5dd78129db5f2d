import type { Checker } from './checker.js'
import type { ConsumerLife, Delivered, History, SentMessage, StoreTrouble } from './history.js'

/**
 * I2: within one life of a consumer nothing comes twice. In a later life only that comes again which may not have been
 * flushed: not acknowledged, or shortly before the end, or while something of another life of its producer was
 * unacknowledged, or while the store was in trouble, or if it forgot and nobody had anything to tell it since. What was
 * said to be `not-written` never comes, nor what was not sent.
 */
export const noDuplicate: Checker = {
  promise: 'I2 no duplicate',
  check(history) {
    return [...unwanted(history), ...history.lives.flatMap(twiceInOneLife), ...history.groups.flatMap(again(history))]
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

function twiceInOneLife({ name, deliveries }: ConsumerLife): string[] {
  const seen = new Set<string>()
  const wrong: string[] = []
  for (const { text, redelivered } of deliveries) {
    if (!redelivered && seen.has(text)) wrong.push(`${text} was delivered twice to ${name}`)
    seen.add(text)
  }
  return wrong
}

/** What one life had flushed and a later one was given. */
function again({ messages, lives, storeTroubles }: History): (groupId: string) => string[] {
  const sent = new Map(messages.map((message) => [message.text, message]))
  return (groupId) => {
    const wrong: string[] = []
    /** What is stored as finished, with the life that saw to it. */
    const stored = new Map<string, ConsumerLife>()
    for (const life of lives) {
      if (life.groupId !== groupId) continue
      for (const { text, atMs } of life.deliveries) {
        const before = stored.get(text)
        // Two at a time, because one was taken for dead: either may be the one that is fenced off.
        if (before === undefined || atMs < before.endedAtMs! || forgotten(before, atMs, storeTroubles)) continue
        wrong.push(`${text} came again to ${life.name}: ${before.name} had it acknowledged and flushed`)
      }
      const next = lives.find(({ groupId, startedAtMs }) => groupId === life.groupId && startedAtMs > life.startedAtMs)
      for (const text of flushed(life, next, sent, storeTroubles)) stored.set(text, life)
    }
    return wrong
  }
}

/** What a life that has ended must have flushed; once the next one has begun, that one's word counts. */
function flushed(
  life: ConsumerLife,
  next: ConsumerLife | undefined,
  sent: ReadonlyMap<string, SentMessage>,
  troubles: readonly StoreTrouble[],
): string[] {
  const { endedAtMs, deliveries, stops, name } = life
  if (endedAtMs === undefined) return []
  const byMs = Math.min(endedAtMs, next?.startedAtMs ?? Infinity) - FLUSHED_MS
  const disturbed = [...stops, ...troubles.filter(({ names }) => names?.includes(name) ?? true)]
  if (disturbed.some(({ fromMs, toMs }) => fromMs <= endedAtMs && toMs >= byMs)) return []
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
  // What a store forgets it is told again with the next flush of the partition.
  const forgetting = troubles.filter(({ fromMs, forgotSinceMs }) => forgotSinceMs < Infinity && fromMs <= endedAtMs)
  const forgotAtMs = Math.max(-Infinity, ...forgetting.map(({ fromMs }) => fromMs))
  const toldSince = new Set<number>()
  for (const one of deliveries) {
    const keyRange = sent.get(one.text)?.keyRange
    if (keyRange !== undefined && acknowledged(one) && one.acknowledgedAtMs! > forgotAtMs) toldSince.add(keyRange)
  }
  return [...done].filter((text) => {
    const message = sent.get(text)
    if (message === undefined || !toldSince.has(message.keyRange)) return false
    if (message.imported === true) return false // its epoch is another one, perhaps
    const lives = open.get(streamOf(message))
    return lives === undefined || [...lives].every((one) => one === message.life)
  })
}

function forgotten({ endedAtMs }: ConsumerLife, atMs: number, troubles: readonly StoreTrouble[]): boolean {
  return troubles.some(
    ({ fromMs, toMs, forgotSinceMs }) => toMs >= endedAtMs! && fromMs <= atMs && forgotSinceMs < endedAtMs!,
  )
}

function streamOf({ producerId, keyRange }: SentMessage): string {
  return `${keyRange}/${producerId}`
}

/** Many times the flush interval and what a store needs. */
const FLUSHED_MS = 10_000
