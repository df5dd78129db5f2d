import type { CarriesOn, ConsumerLife, CutOff, History, Span, Taking } from './checkers/history.js'
import type { Deployment } from './deployment.js'
import type { Faults } from './faults.js'
import { isPoisoned } from './handlers.js'
import { lateWritten } from './late-writers.js'
import type { Peaks } from './peaks.js'
import { TOPIC, type Plan, type Setting, type Step } from './plan.js'
import type { SimulatedConsumer } from './simulated-consumer.js'
import type { Subscriber } from './subscribers.js'
import type { World } from './world.js'

/** A plan that was played, with what knows what came of it. */
export interface Ended {
  readonly plan: Plan
  readonly deployment: Deployment
  readonly faults: Faults
  readonly peaks: Peaks
  readonly healedAtMs: number
  readonly rested: boolean
}

/** What checkers read, as those know it who stand outside. */
export function writeHistory({ plan, deployment, faults, peaks, healedAtMs, rested }: Ended): History {
  const { world, setting, messages, subscribers, losses } = deployment
  return {
    healedAtMs,
    rested,
    groups: subscribers.groups,
    vanished: losses.vanished(),
    blurred: losses.blurred(),
    messages: messages.told(),
    lives: subscribers.all.map(lifeOf),
    takings: takingsOf(world),
    booked: setting.books ? world.store.effects : undefined,
    strict: strictOf(deployment),
    storeTroubles: faults.storeTroubles,
    cutOffs: cutOffsOfConsumers(deployment, faults),
    clusterTroubles: plan.steps.flatMap(clusterTroubleOf),
    nothingIsLate: setting.suffering === 'readers',
    carriesOn: carriesOn(setting),
    peaks: peaks.all(),
  }
}

/** Every lease that the store gave. */
export function takingsOf({ store }: World): Taking[] {
  return store.takings.map(({ partition, ...taking }) => ({ ...taking, keyRange: partition }))
}

export function lifeOf({ consumer, startedAtMs, endedAtMs }: Subscriber): ConsumerLife {
  const { groupId, process, stops } = consumer
  const deliveries = consumer.deliveries.map((seen) => ({ ...seen, fence: seen.delivery.fence }))
  // What a killed process had not told yet died with it.
  const lateTold = process.state === 'dead' && !consumer.closed ? undefined : toldOf(consumer, 'delivered-late')
  const owedTold = toldOf(consumer, 'debt-opened')
  const service = consumer.service && {
    handled: consumer.service.handled,
    letters: consumer.service.letters,
    poisoned: isPoisoned,
  }
  return { groupId, name: process.name, startedAtMs, endedAtMs, deliveries, lateTold, owedTold, stops, service }
}

/** Messages that events of a kind told of. */
function toldOf({ events }: SimulatedConsumer, kind: 'delivered-late' | 'debt-opened'): number {
  return events.reduce((total, event) => total + (event.kind === kind ? event.count : 0), 0)
}

function strictOf({ world, setting, losses, operator }: Deployment): History['strict'] {
  const { order, partitions } = setting
  // What stood where in a log that has lost something is not known any more.
  if (order === 'late' || losses.some) return undefined
  return { skips: operator.skips, lateWritten: lateWritten(world.clusters, TOPIC, partitions) }
}

function cutOffsOfConsumers({ subscribers }: Deployment, { cutOffs }: Faults): CutOff[] {
  const consumers = new Map(subscribers.all.map(({ consumer }) => [consumer.process.name, consumer]))
  return cutOffs.flatMap((cutOff) => {
    const clients = consumers.get(cutOff.name)?.feedClients.filter(({ cluster }) => cluster === cutOff.cluster)
    if (clients === undefined) return []
    return [{ ...cutOff, distracted: clients.flatMap(({ client }) => client.distracted) }]
  })
}

/** What may be asked of the one cluster that nothing happens to. */
function carriesOn({
  suffering,
  acknowledge,
  latencyMs,
  holeTimeoutMs,
  feedAwayAfterMs,
  journal,
  framing,
  lingerMs,
}: Setting): CarriesOn | undefined {
  if (suffering === 'all' || suffering === 'readers') return undefined
  const waitsMs = (journal === 'off' ? 0 : DISK_MS) + (framing === 'frame' ? lingerMs : 0)
  const hopsMs = 500 + 25 * latencyMs[1] + waitsMs
  return {
    sendMsMax: hopsMs + (acknowledge === 'one' ? 0 : CIRCUIT_OPENS_MS),
    deliverMsMax: hopsMs,
    beginMsMax: Math.max(holeTimeoutMs, feedAwayAfterMs) + hopsMs,
  }
}

function clusterTroubleOf(step: Step): Span[] {
  if (!('cluster' in step) || step.kind === 'one-sided-reach' || step.kind === 'refused-for-good') return []
  if (step.kind === 'log-start-moved') return []
  const forMs = step.kind === 'cluster-flap' ? step.times * step.everyMs : step.forMs
  return [{ fromMs: step.atMs, toMs: step.atMs + forMs }]
}

/** Two writes to a disk that is well, one after the other. */
const DISK_MS = 50
/** A track's circuit: what its client may hold without a report (docs/protocol.md, Lanes and tracks 4), and a look. */
const CIRCUIT_OPENS_MS = 5_000 + 1_000
