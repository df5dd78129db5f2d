import type { History } from '../checkers/history.js'
import { judge, type Violation } from '../simulate.js'
import type { Subscriber } from '../subscribers.js'
import { lifeOf, takingsOf } from '../write-history.js'
import { Fleet, GROUP } from './fleet.js'
import { measured, type Phase } from './phase.js'
import type { ScaleSetting } from './setting.js'

/** What the model came to; times are virtual, unless they say wall. */
export interface ScalePlayed {
  readonly phases: readonly Phase[]
  /** How long until all partitions were held: by one instance alone, by all, and after one of these was lost. */
  readonly heldSeconds: { readonly alone: number; readonly group: number; readonly afterLoss: number }
  /** The least and the most partitions of one instance: of all, and after one was lost. */
  readonly shares: { readonly group: Range; readonly afterLoss: Range }
  /** Sent and acknowledged; and how long after both clusters were back all of it was delivered, and in both logs. */
  readonly acknowledged: number
  readonly deliveredSeconds: number
  readonly drainedSeconds: number
  readonly deliveries: number
  /** Of these, what came again though it was not the lost instance that had it first. */
  readonly repeated: number
  readonly violations: readonly Violation[]
  readonly events: number
  readonly peakMB: number
}

export interface Range {
  readonly least: number
  readonly most: number
}

/**
 * A day in the life of a large deployment, in a few minutes: one instance alone, as at the first start of a rollout,
 * which is lost; the whole group; a cluster that dies under load; an instance that dies meanwhile; both come back.
 *
 * @param told is handed each phase as it is over.
 */
export async function playScale(setting: ScaleSetting, told: (phase: Phase) => void): Promise<ScalePlayed> {
  const fleet = new Fleet(setting)
  const { world } = fleet
  const phases: Phase[] = []
  const phase = async (name: string, play: () => Promise<void>): Promise<void> => {
    const played = await measured(world, name, play)
    phases.push(played)
    told(played)
  }
  /** Returns seconds. */
  const until = async (done: () => boolean, what: string): Promise<number> => {
    const begunMs = world.now
    while (!done()) {
      if (world.now - begunMs > MOST_MS) throw new Error(`${what}: not within ${MOST_MS / 1_000} s`)
      await world.run(LOOK_MS)
    }
    return (world.now - begunMs) / 1_000
  }
  /** Until each of these has been taken from now on. */
  const taken = (partitions: readonly number[]): Promise<number> => {
    const { takings } = world.store
    const open = new Set(partitions)
    let known = takings.length
    return until(() => {
      for (; known < takings.length; known++) open.delete(takings[known]!.partition)
      return open.size === 0
    }, 'not every partition has a holder')
  }
  const all = Array.from({ length: setting.partitions }, (_, partition) => partition)

  let [alone, group, afterLoss, deliveredSeconds, drainedSeconds] = [0, 0, 0, 0, 0]
  await phase('one instance alone', async () => {
    const first = fleet.startInstance()
    fleet.startProducers()
    alone = await taken(all)
    await until(() => fleet.connected, 'not every producer is connected')
    await world.run(ALONE_MS)
    fleet.kill(first)
  })
  await phase('the group starts', async () => {
    fleet.startGroup()
    group = await taken(all)
    await until(() => sum(fleet.held()) === setting.partitions, 'not every holder knows of it')
  })
  const shares = rangeOf(fleet.held())
  const { calmMs, awayMs, leaseMs } = setting
  await phase('calm', async () => {
    fleet.send(calmMs + awayMs + leaseMs + awayMs) // so that some of it is sent when all are back
    await world.run(calmMs)
  })
  await phase('without a cluster', async () => {
    world.west.kill()
    await world.run(awayMs)
  })
  await phase('without a cluster and an instance', async () => {
    const lost = fleet.living[0]!
    const left = fleet.partitionsOf(lost)
    fleet.kill(lost)
    afterLoss = await taken(left)
    await until(() => sum(fleet.held()) === setting.partitions, 'not every holder knows of it')
  })
  const sharesAfterLoss = rangeOf(fleet.held())
  const healedAtMs = world.now
  await phase('the cluster is back', async () => {
    world.west.restart()
    deliveredSeconds = await until(() => fleet.delivered, 'not everything is delivered')
    drainedSeconds = deliveredSeconds + (await until(() => fleet.drained, 'not both logs have everything'))
    await world.run(QUIET_MS)
  })
  const awaySinceMs = healedAtMs - (phases[3]!.seconds + phases[4]!.seconds) * 1_000
  return {
    phases,
    heldSeconds: { alone, group, afterLoss },
    shares: { group: shares, afterLoss: sharesAfterLoss },
    acknowledged: fleet.told().filter(({ answer }) => answer === 'acknowledged').length,
    deliveredSeconds,
    drainedSeconds,
    deliveries: world.seen.length,
    repeated: repeatedBut(fleet.living, fleet),
    violations: judge(historyOf(fleet, { fromMs: awaySinceMs, toMs: healedAtMs })),
    events: world.timeline.events,
    peakMB: Math.round((process.resourceUsage().maxRSS * 1_024) / 1e6),
  }
}

function historyOf(fleet: Fleet, withoutCluster: { readonly fromMs: number; readonly toMs: number }): History {
  return {
    groups: [GROUP],
    messages: fleet.told(),
    lives: fleet.instances.map(lifeOf),
    takings: takingsOf(fleet.world),
    storeTroubles: [],
    clusterTroubles: [withoutCluster],
    healedAtMs: withoutCluster.toMs,
    rested: fleet.delivered,
  }
}

/** Deliveries of what one that still lives had before. */
function repeatedBut(living: readonly Subscriber[], { world }: Fleet): number {
  const alive = new Set(living.map(({ consumer }) => consumer))
  const first = new Map<string, boolean>()
  return world.seen.filter(({ text, consumer }) => {
    const again = first.get(text) === true
    if (!first.has(text)) first.set(text, alive.has(consumer))
    return again
  }).length
}

function rangeOf(counts: readonly number[]): Range {
  return { least: Math.min(...counts), most: Math.max(...counts) }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((one, other) => one + other, 0)
}

const LOOK_MS = 100
/** What takes longer will not come to an end. */
const MOST_MS = 900_000
/** For one instance to read of all partitions, store and commit. */
const ALONE_MS = 6_000
/** What should not come has time to. */
const QUIET_MS = 5_000
