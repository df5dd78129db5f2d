import type { Checker } from './checker.js'
import type { ConsumerLife, CutOff, History, Span } from './history.js'

/**
 * docs/position.md, Leases: who reads fewer clusters than another instance of its group holds nothing. And where nothing
 * happens to instances, partitions are shared among them once, and again only when what they can read has changed.
 */
export const shares: Checker = {
  promise: 'shares',
  check(history) {
    const { cutOffs = [] } = history
    return [...takenTooOften(history), ...cutOffs.flatMap((cutOff) => heldBlindly(history, cutOff))]
  },
}

function takenTooOften({ takings = [], carriesOn, groups }: History): string[] {
  if (carriesOn === undefined) return []
  const times = new Map<string, number>()
  for (const { groupId, keyRange } of takings) {
    const name = `partition ${keyRange} of ${groupId}`
    if (groups.includes(groupId)) times.set(name, (times.get(name) ?? 0) + 1)
  }
  return [...times]
    .filter(([, count]) => count > TAKINGS_MAX)
    .map(([name, count]) => `${name} was taken ${count} times`)
}

/** What an instance was given long after it was cut off, though another one read everything all the time. */
function heldBlindly({ lives, storeTroubles, cutOffs = [], clusterTroubles = [] }: History, cutOff: CutOff): string[] {
  const life = lives.find(({ name }) => name === cutOff.name)!
  return life.deliveries.flatMap(({ text, atMs, redelivered }) => {
    const time = { fromMs: atMs - NOTICED_MS, toMs: atMs }
    if (redelivered || time.fromMs < cutOff.fromMs || atMs > cutOff.toMs) return []
    const undisturbed = (one: ConsumerLife): boolean =>
      one.startedAtMs < time.fromMs &&
      (one.endedAtMs ?? Infinity) > atMs &&
      !one.stops.some((stop) => overlaps(stop, time)) &&
      !storeTroubles.some((trouble) => (trouble.names?.includes(one.name) ?? true) && overlaps(trouble, time))
    const reads = (one: ConsumerLife): boolean =>
      one.groupId === life.groupId && !cutOffs.some((other) => other.name === one.name && overlaps(other, time))
    if (cutOff.distracted.some((span) => overlaps(span, time))) return []
    if (!undisturbed(life) || clusterTroubles.some((trouble) => overlaps(trouble, time))) return []
    const better = lives.find((one) => reads(one) && undisturbed(one))
    return better === undefined ? [] : [`${text} was given to ${life.name} at ${atMs}, and ${better.name} reads more`]
  })
}

function overlaps(a: Span, b: Span): boolean {
  return a.fromMs <= b.toMs && b.fromMs <= a.toMs
}

/** A cluster that comes and goes is noticed by one before another, now and then for longer than a lease. */
const TAKINGS_MAX = 20
/** `feedAwayAfterMs`, a lease for which it has to last, and some beats. */
const NOTICED_MS = 10_000 + 10_000 + 8_000
