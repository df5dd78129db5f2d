import { emptiedCold } from './draw-stories.js'
import { ALL, CLUSTERS, GROUPS, type Setting, type Step } from './plan.js'
import type { Prng } from './prng.js'

/** What damages logs. */
export type OfDamage = 'tail-lost' | 'tail-refilled' | 'cluster-rebuilt' | 'log-start-moved'

/**
 * Power failures that take the ends of logs with them, and retention that is faster than readers.
 */
export function* drawDamage(prng: Prng, setting: Setting): Generator<Step> {
  const { suffering, from, minutes, producers } = setting
  if (suffering !== 'all' || from === 'latest' || !prng.chance(25)) return
  const endMs = minutes * 60_000
  const everyMs = prng.pick([30_000, 120_000])
  for (let atMs = prng.below(everyMs * 2); atMs < endMs; atMs += 1 + prng.below(everyMs * 2)) {
    const cluster = prng.pick(CLUSTERS)
    // A broker needs longer to start than a lost connection needs to be noticed.
    const forMs = prng.between(2_000, prng.pick([3_000, 30_000]))
    const kind = prng.pick([
      'tail-lost',
      'tail-refilled',
      'tail-refilled',
      'cluster-rebuilt',
      'log-start-moved',
    ] as const)
    switch (kind) {
      case 'tail-lost':
      case 'tail-refilled':
        yield { kind, atMs, cluster, count: prng.between(1, prng.pick([3, 20, 200])), forMs }
        if (prng.chance(15)) yield* emptiedCold(atMs, 2 * forMs)
        if (kind === 'tail-lost' || prng.chance(50)) break
        // What comes to stand in their place stands nowhere else.
        yield {
          kind: 'refused-for-good',
          atMs,
          cluster: cluster === 'east' ? 'west' : 'east',
          residue: ALL,
          forMs: forMs * 2,
        }
        for (let i = prng.between(2, 10); i > 0; i--) {
          const sentAtMs = Math.min(atMs + prng.below(forMs * 2), endMs - 1)
          const producer = prng.below(producers)
          yield { kind: 'send', atMs: sentAtMs, producer, key: prng.below(6), count: prng.between(1, 5) }
        }
        break
      case 'cluster-rebuilt':
        yield { kind, atMs, cluster, forMs }
        break
      case 'log-start-moved':
        // Often in both: what one log alone has lost is not gone.
        for (const one of prng.chance(50) ? CLUSTERS : [cluster]) {
          yield { kind, atMs, cluster: one, left: prng.pick([0, 3, 50]) }
        }
        break
      default:
        kind satisfies never
    }
  }
  yield* drawReadAheads(prng.fork(), setting)
}

/**
 * A window that is full from the beginning, and a client that has read ahead of other partitions what its cluster then
 * loses; what comes to stand in its place stands nowhere else.
 */
function* drawReadAheads(prng: Prng, { unacknowledgedMax, partitions, producers }: Setting): Generator<Step> {
  if (unacknowledgedMax > 1 || partitions === 1 || !prng.chance(60)) return
  const [cluster, other] = prng.chance(50) ? CLUSTERS : ([CLUSTERS[1], CLUSTERS[0]] as const)
  const producer = prng.below(producers)
  for (const group of GROUPS) yield { kind: 'handler-stuck', atMs: 0, group, forMs: 20_000 }
  yield { kind: 'send', atMs: 100, producer, key: 0, count: 1 }
  yield { kind: 'refused-for-good', atMs: 1_900, cluster: other, residue: ALL, forMs: 8_000 }
  for (const atMs of [2_000, 6_500]) {
    for (let key = 1; key <= 5; key++) yield { kind: 'send', atMs: atMs + prng.below(500), producer, key, count: 1 }
  }
  yield { kind: 'tail-lost', atMs: 3_500, cluster, count: 20, forMs: 2_000 }
}
