import { CLUSTERS, GROUPS, isCluster, type Setting, type Step } from './plan.js'
import type { Prng } from './prng.js'

/** What happens only where a group has several instances. */
export type OfInstances = (typeof OF_INSTANCES)[number]
const OF_INSTANCES = ['instance-added', 'instance-removed', 'consumer-clock', 'redis-clock'] as const

/**
 * What makes leases change hands: instances that come and go, die, stand still for about as long as a lease, are cut off
 * from the store or from one cluster; and clocks that are set, though none of them is to decide anything.
 */
export function* drawInstances(prng: Prng, { instances, suffering, minutes }: Setting): Generator<Step> {
  if (instances === 1 || isCluster(suffering)) return
  const everyMs = prng.pick([5_000, 20_000, 60_000])
  const kinds = suffering === 'readers' ? KINDS.filter((kind) => kind !== 'one-sided-reach') : KINDS
  const drawn = kinds.filter(() => prng.chance(60))
  if (drawn.length === 0) return
  for (let atMs = prng.below(everyMs * 2); atMs < minutes * 60_000; atMs += 1 + prng.below(everyMs * 2)) {
    const kind = prng.pick(drawn)
    const group = prng.pick(GROUPS)
    const instance = prng.below(instances)
    const forMs = prng.chance(70) ? prng.between(5_000, 25_000) : prng.between(1, 60_000)
    switch (kind) {
      case 'consumer-restart':
      case 'instance-removed':
        yield { kind, atMs, group, instance }
        break
      case 'instance-added':
        yield { kind, atMs, group }
        break
      case 'consumer-kill':
      case 'redis-away-for-one':
        yield { kind, atMs, group, instance, forMs }
        break
      case 'consumer-stop':
        yield { kind, atMs, group, instance, forMs, replaced: false }
        break
      case 'one-sided-reach':
        // Long enough for it to be noticed, to count and to be acted on.
        yield { kind, atMs, who: group, instance, cluster: prng.pick(CLUSTERS), forMs: 4 * forMs }
        break
      case 'consumer-clock':
        yield { kind, atMs, group, instance, byMs: prng.between(-600_000, 600_000) }
        break
      case 'redis-clock':
        yield { kind, atMs, byMs: prng.between(-120_000, 120_000) }
        break
      default:
        kind satisfies never
    }
  }
}

const KINDS = [
  'consumer-restart',
  'consumer-kill',
  'consumer-stop',
  'redis-away-for-one',
  'one-sided-reach',
  ...OF_INSTANCES,
] as const
