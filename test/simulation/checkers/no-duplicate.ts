import type { Seen } from '../simulated-consumer.js'
import type { Checker } from './checker.js'

/**
 * I2: within one life of a consumer nothing comes twice. In a later life only what may not have been flushed comes
 * again: not acknowledged, or shortly before the end of the life, or while something older was unacknowledged, or while
 * the store was in trouble. And what was said to be `not-written` never comes at all.
 */
export const noDuplicate: Checker = {
  promise: 'I2 no duplicate',
  check({ world, lives, groups, truths, storeTroubles }) {
    const notWritten = new Set(
      world.sent
        .filter(({ error }) => error !== undefined && 'outcome' in error && error.outcome === 'not-written')
        .map(({ text }) => text),
    )
    for (const { text, groupId } of world.seen) {
      if (notWritten.has(text)) return `${text} was rejected as not-written and delivered to ${groupId}`
      if (!truths.has(text)) return `${text} was delivered and never sent`
    }
    for (const { consumer } of lives) {
      const seen = new Set<string>()
      for (const { text, redelivered } of consumer.deliveries) {
        if (!redelivered && seen.has(text)) return `${text} was delivered twice by ${consumer.process.name}`
        seen.add(text)
      }
    }
    for (const groupId of groups) {
      const of = lives.filter((life) => life.groupId === groupId)
      const settled = new Map<string, string>()
      for (const { consumer, endedAtMs } of of) {
        for (const { text } of consumer.deliveries) {
          const before = settled.get(text)
          if (before !== undefined) return `${text} came again to ${consumer.process.name}: flushed by ${before}`
        }
        if (endedAtMs === undefined) continue
        const flushedBy = endedAtMs - FLUSHED_MS
        if (storeTroubles.some(({ fromMs, toMs }) => fromMs <= endedAtMs && toMs >= flushedBy - FLUSHED_MS)) {
          settled.clear()
          continue
        }
        if (storeTroubles.some(({ fromMs }) => fromMs === 0)) settled.clear()
        for (const seen of consumer.deliveries) {
          if (acknowledgedBy(seen, flushedBy) && !hasOlderOpen(seen, consumer.deliveries, flushedBy)) {
            settled.set(seen.text, consumer.process.name)
          }
        }
      }
    }
    return undefined
  },
}

function acknowledgedBy(seen: Seen, atMs: number): boolean {
  return seen.acknowledgedAtMs !== undefined && seen.acknowledgedAtMs < atMs
}

/** Of a newer epoch nothing is stored while something of an older one is in flight. */
function hasOlderOpen(seen: Seen, deliveries: readonly Seen[], atMs: number): boolean {
  const { position, keyRange } = seen.delivery
  return deliveries.some(
    (other) =>
      !acknowledgedBy(other, atMs) &&
      other.delivery.keyRange === keyRange &&
      other.delivery.position.producerId === position.producerId &&
      other.delivery.position.epoch < position.epoch,
  )
}

/** Many times the flush interval and what the store needs. */
const FLUSHED_MS = 5_000
