import type { World } from '../world.js'

/** One part of the model's story, and what was asked of store and clusters in it, per second of virtual time. */
export interface Phase {
  readonly name: string
  readonly seconds: number
  /** Calls of the store that were carried out, by name. */
  readonly storeCalls: Readonly<Record<string, number>>
  /** Questions about ends and starts of logs that were answered, and partitions that they were about. */
  readonly clusters: Readonly<Record<string, { readonly questions: number; readonly partitions: number }>>
  readonly leasesTaken: number
  /** What it took to play it. */
  readonly wallSeconds: number
}

/** Plays one phase and measures it. */
export async function measured(world: World, name: string, play: () => Promise<void>): Promise<Phase> {
  const before = countsOf(world)
  await play()
  const after = countsOf(world)
  const seconds = (after.ms - before.ms) / 1_000
  const perSecond = (now: number, then: number): number => Math.round(((now - then) / seconds) * 10) / 10
  return {
    name,
    seconds,
    storeCalls: Object.fromEntries(
      Object.entries(after.calls).map(([call, count]) => [call, perSecond(count, before.calls[call]!)]),
    ),
    clusters: Object.fromEntries(
      Object.entries(after.clusters).map(([cluster, { questions, offsets }]) => {
        const then = before.clusters[cluster]!
        return [
          cluster,
          { questions: perSecond(questions, then.questions), partitions: perSecond(offsets, then.offsets) },
        ]
      }),
    ),
    leasesTaken: after.takings - before.takings,
    wallSeconds: Math.round((after.wallMs - before.wallMs) / 100) / 10,
  }
}

function countsOf({ now, store, clusters }: World) {
  return {
    ms: now,
    wallMs: performance.now(),
    calls: { ...store.calls } as Readonly<Record<string, number>>,
    clusters: Object.fromEntries(clusters.map(({ name, counts }) => [name, { ...counts }])),
    takings: store.takings.length,
  }
}
