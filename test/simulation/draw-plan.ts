import { drawInstances, type OfInstances } from './draw-instances.js'
import { drawDamage, type OfDamage } from './draw-damage.js'
import { drawStandingLives, drawStories } from './draw-stories.js'
import { BORN_MS, CLUSTERS, GROUPS, isCluster, type Plan, type Setting, type Step } from './plan.js'
import { Prng } from './prng.js'

/**
 * What a seed stands for.
 *
 * The probabilities are drawn too, not only the events: a schedule in which one kind of fault is frequent and another
 * never happens reaches states that an even mixture does not (TigerBeetle's swarm). In one schedule of eight, one
 * cluster suffers and nothing else happens to anybody, so that it can be judged whether the other one carries on; in
 * another one only readers suffer, so that nothing has a reason to come late.
 */
export function drawPlan(seed: number): Plan {
  const prng = new Prng(seed)
  const drawn = drawSetting(prng)
  let steps: Step[] = [...drawSends(prng.fork(), drawn), ...drawFaults(prng.fork(), drawn)]
  const worldSeed = prng.next()
  // What was thought of later is drawn last, so that the rest stays as it is.
  const keyConcurrency = prng.pick([0, 0, 0, 1, 2, 16])
  const one = { ...drawn, keyConcurrency, ...drawDisk(prng.fork(), drawn), ...LATER }
  steps.push(...drawStories(prng.fork(), one))
  const instances = prng.pick([1, 1, 2, 3])
  const strict = prng.chance(30) && !isCluster(one.suffering) && one.from === 'earliest'
  const ordered = { ...one, instances, order: strict ? ('strict' as const) : ('late' as const) }
  steps.push(...drawInstances(prng.fork(), ordered))
  const damage = [...drawDamage(prng.fork(), ordered)]
  // A log that is another one has it delivered again.
  const unstamped = one.suffering === 'all' && damage.length === 0 && prng.chance(25)
  const ages = damage.length > 0 && prng.chance(50)
  const aged = ages ? { left: prng.pick([0, 0, 3]), kept: prng.pick([undefined, ...CLUSTERS]) } : undefined
  const books =
    ordered.keyConcurrency > 0 && damage.length === 0 && !unstamped && !isCluster(ordered.suffering) && prng.chance(40)
  const setting = { ...ordered, unstamped, aged, books }
  if (unstamped) steps.push(...drawUnstamped(prng.fork(), setting))
  if (damage.length > 0) {
    // An import looks into logs, and what they have lost it would send again.
    steps = steps.filter(({ kind }) => kind !== 'import')
    steps.push(...damage)
  }
  // What a database forgets it forgets with the effects: nothing is promised of those.
  if (books) steps = steps.filter(({ kind }) => kind !== 'redis-rolled-back' && kind !== 'redis-emptied')
  // All of what is sent is every group's, and nothing but what they cannot reach delays their birth.
  if (setting.from === 'latest') steps = steps.filter(({ kind, atMs }) => kind === 'one-sided-reach' || atMs >= BORN_MS)
  const framing = prng.chance(40) ? ('frame' as const) : ('record' as const)
  const lingerMs = prng.pick([5, 0, 50, 1_000])
  if (framing === 'frame') steps.push(...drawBursts(prng.fork(), setting))
  steps.push(...drawStandingLives(prng.fork(), setting))
  // Sorting is stable: what is drawn for the same moment keeps the order of drawing.
  steps.sort((a, b) => a.atMs - b.atMs)
  return { seed: worldSeed, setting: { ...setting, framing, lingerMs }, steps }
}

/** Of the setting, what is drawn last. */
const LATER = {
  instances: 1,
  order: 'late',
  unstamped: false,
  aged: undefined,
  books: false,
  framing: 'record',
  lingerMs: 5,
} as const

function* drawUnstamped(prng: Prng, { minutes }: Setting): Generator<Step> {
  const everyMs = prng.pick([5_000, 10_000])
  for (let atMs = prng.below(everyMs); atMs < minutes * 60_000; atMs += 1 + prng.below(everyMs * 2)) {
    yield { kind: 'unstamped', atMs, key: prng.below(6), count: prng.between(1, 3) }
  }
}

/** So that there is something to share a record with. Not where a burst has to find room. */
function* drawBursts(
  prng: Prng,
  { minutes, producers, suffering, from }: Pick<Setting, 'minutes' | 'producers' | 'suffering' | 'from'>,
): Generator<Step> {
  if (isCluster(suffering)) return
  const everyMs = prng.pick([30_000, 60_000, 120_000])
  const firstMs = from === 'latest' ? BORN_MS : 0
  for (let atMs = firstMs + prng.below(everyMs); atMs < minutes * 60_000; atMs += 1 + prng.below(everyMs * 2)) {
    yield { kind: 'send', atMs, producer: prng.below(producers), key: prng.below(6), count: prng.between(2, 12) }
  }
}

function drawDisk(prng: Prng, { journal, suffering }: Drafted): Pick<Setting, 'journal' | 'copyAgeMaxMs'> {
  if (suffering !== 'all') return { journal, copyAgeMaxMs: DAY_MS }
  const copyAgeMaxMs = prng.pick([DAY_MS, DAY_MS, 60_000, 5_000])
  return { journal: journal === 'off' && prng.chance(40) ? 'dead-letter' : journal, copyAgeMaxMs }
}

function drawSetting(prng: Prng): Drafted {
  const far = prng.chance(25)
  const suffering = prng.pick(['all', 'all', 'all', 'all', 'all', 'all', 'readers', prng.pick(CLUSTERS)] as const)
  const calm = isCluster(suffering)
  // Timeouts below what a message takes in this world have a reason to pass.
  const quick = !far && suffering !== 'readers'
  // A world that moves three records at a time over a slow line would be judged for its load, not for its faults.
  const small = !far && suffering === 'all' && prng.chance(40)
  const roomy = prng.chance(50)
  const journal = prng.pick(['off', 'off', 'on-outage', 'on-outage', 'always', 'dead-letter'] as const)
  const unacknowledgedMax = calm ? 10_000 : prng.pick([10_000, suffering === 'readers' ? 1 : 10_000, 20, 1])
  return {
    minutes: prng.between(7, 12),
    partitions: prng.pick([1, 2, 3, 1, 1, 2]),
    brokers: prng.between(1, 3),
    latencyMs: far ? [1, 200] : [1, 5],
    readRecordsMax: small ? 3 : 500,
    writeRecordsMax: small ? 3 : 500,
    producers: prng.between(1, 2),
    epochs: prng.chance(80) ? 'store' : 'clock',
    acknowledge: prng.pick(calm ? ['one', 'one', 'available'] : ['one', 'one', 'available', 'both']),
    whenBothAway:
      journal === 'on-outage' || journal === 'always' ? prng.pick(ANY_POLICY) : prng.pick(['reject', 'block']),
    journal,
    // With `available` it is not to end before a circuit opens, if the other cluster is to carry on.
    sendTimeoutMs: calm ? 30_000 : prng.pick([30_000, 3_000]),
    // A burst has to find room, if the other cluster is to carry on, or if both logs are to be written without delay.
    backlogBytesMax: roomy ? 64 << 20 : suffering === 'all' ? 1 << 16 : 1 << 22,
    paddingBytes: roomy ? 0 : prng.pick([0, 4_000, 16_000, 16_000]),
    gapTimeoutMs: prng.pick([5_000, 5_000, quick ? 300 : 2_000]),
    holeTimeoutMs: prng.pick([60_000, 60_000, suffering === 'readers' ? 60_000 : 5_000]),
    feedAwayAfterMs: prng.pick([10_000, 10_000, 10_000, far ? 4_000 : 1_000]),
    // At this bound a sequence that has a hole, or is just beginning, keeps its whole partition waiting.
    heldMessagesMax: prng.pick(calm ? [50_000] : [50_000, 50_000, 10, 1]),
    unacknowledgedMax,
    // Clocks that are set, and a store that forgets when a group was born, would make it uncertain what is owed.
    from: (calm && prng.chance(40)) || (suffering === 'all' && prng.chance(6)) ? 'latest' : 'earliest',
    lateAppendPercent: prng.pick([0, 50, 100, 100]),
    hollowPercent: prng.chance(30) ? prng.below(50) : 0,
    handleMs: calm || unacknowledgedMax < 10_000 ? prng.pick([0, 5]) : prng.pick([0, 0, 5, 500]),
    handleLateMs: unacknowledgedMax < 10_000 ? 0 : prng.pick([0, 10_000]),
    refusedPercent: !calm && prng.chance(20) ? 5 : 0,
    suffering,
  }
}

function* drawSends(prng: Prng, { minutes, producers }: Drafted): Generator<Step> {
  const everyMs = prng.pick([6_000, 6_000, 12_000, 24_000])
  const keys = prng.between(1, 6)
  const burstPercent = prng.pick([0, 2, 10])
  const burstMax = prng.pick([5, 40])
  // The first ones find nobody connected yet now and then.
  const firstMs = prng.below(500)
  for (let atMs = firstMs; atMs < minutes * 60_000; atMs += 1 + prng.below(everyMs * 2)) {
    const count = prng.chance(burstPercent) ? 1 + prng.below(burstMax) : 1
    yield { kind: 'send', atMs, producer: prng.below(producers), key: prng.below(keys), count }
  }
}

function* drawFaults(prng: Prng, setting: Drafted): Generator<Step> {
  if (setting.suffering === 'all' && setting.from === 'latest') return // its own story (draw-stories.ts)
  const everyMs = prng.between(2_000, setting.suffering === 'readers' ? 15_000 : 45_000)
  const kinds = drawnFor(setting.suffering)
  const often = kinds === READERS ? prng.pick([HOLES, STORE]) : kinds === DRAWN ? prng.pick([[], [], LIVES, HOLES]) : []
  const weights = kinds.map((kind) => (often.includes(kind) ? 20 : weight(prng)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return
  for (let atMs = prng.below(everyMs * 2); atMs < setting.minutes * 60_000; atMs += 1 + prng.below(everyMs * 2)) {
    let drawn = prng.below(total)
    const kind = kinds.find((_, index) => (drawn -= weights[index]!) < 0)!
    const fault = drawFault(prng, kind, setting)
    yield { atMs, ...fault }
    if (fault.kind !== 'cluster-hung' || setting.suffering !== 'all' || !prng.chance(25)) continue
    // The line that both are reached by, or a site that both stand in.
    const other = fault.cluster === 'east' ? 'west' : 'east'
    const forMs = Math.max(1, fault.forMs - prng.below(5_000))
    yield { ...fault, atMs: Math.min(atMs + prng.below(500), setting.minutes * 60_000 - 1), cluster: other, forMs }
  }
}

function weight(prng: Prng): number {
  return prng.chance(40) ? 0 : prng.between(1, 10)
}

/** What is drawn first. */
type Drafted = Omit<Setting, 'copyAgeMaxMs' | 'keyConcurrency' | keyof typeof LATER>
type Drawn = Exclude<Step['kind'], 'send' | 'unstamped' | 'import' | OfInstances | OfDamage>
type WithoutTime<S> = S extends Step ? Omit<S, 'atMs'> : never

function drawFault(prng: Prng, kind: Drawn, setting: Drafted): WithoutTime<Step> {
  const forMs = prng.chance(50) ? prng.between(1, 5_000) : prng.between(1, 60_000)
  const cluster = isCluster(setting.suffering) ? setting.suffering : prng.pick(CLUSTERS)
  const producer = prng.below(setting.producers)
  const group = prng.pick(GROUPS)
  switch (kind) {
    case 'producer-restart':
    case 'same-producer-id':
      return { kind, producer }
    case 'consumer-restart':
      return { kind, group }
    case 'producer-kill':
      return { kind, producer, forMs }
    case 'producer-stop':
      return { kind, producer, forMs, replaced: prng.chance(30) }
    case 'consumer-stop':
      return { kind, group, forMs, replaced: prng.chance(30) }
    case 'consumer-kill':
    case 'redis-away-for-one':
    case 'handler-stuck':
      return { kind, group, forMs }
    case 'cluster-dead':
      return { kind, cluster, forMs }
    case 'cluster-hung':
      // Mostly long enough for its client to be discarded, with something in the sockets.
      return { kind, cluster, forMs: prng.chance(25) ? forMs : prng.between(6_000, 60_000) }
    case 'cluster-slow': {
      if (setting.suffering === 'readers') {
        // Slow enough to lag, quick enough not to count as away.
        const byMs = prng.between(1, setting.feedAwayAfterMs / 10)
        return { kind, cluster, forMs, byMs, requests: prng.pick(['read', 'query'] as const) }
      }
      const requests = prng.pick(['all', 'read', 'write', 'query'] as const)
      return { kind, cluster, forMs, byMs: prng.between(1, prng.chance(20) ? 10_000 : 3_000), requests }
    }
    case 'cluster-flap':
      return { kind, cluster, times: prng.between(2, 8), everyMs: prng.between(500, 8_000) }
    case 'partition-leaderless':
      return { kind, cluster, partition: prng.below(setting.partitions), forMs }
    case 'answer-lost':
      return { kind, cluster, percent: prng.between(1, 100), forMs }
    case 'one-sided-reach':
      return { kind, who: prng.chance(50) ? producer : group, cluster, forMs }
    case 'redis-away':
      return { kind, forMs }
    case 'redis-rolled-back':
      return { kind, byMs: prng.chance(80) ? prng.between(1, 2_000) : prng.between(1, 120_000) }
    case 'redis-emptied':
      return { kind }
    case 'journal-full':
      // Room for some records, or a disk that writes nothing.
      return { kind, forMs, by: prng.chance(50) ? -1 : prng.below(50_000) }
    case 'journal-late':
      return { kind, forMs, by: prng.between(10, prng.chance(20) ? 40_000 : 2_000) }
    case 'journal-torn':
      return { kind }
    case 'clock-back':
    case 'clock-forward':
      return { kind, producer, byMs: prng.below(600_000) }
    case 'refused-for-good':
      // Of readers it is judged whether anything comes late, so one log has everything.
      return {
        kind,
        cluster: setting.suffering === 'readers' ? 'east' : cluster,
        residue: prng.below(4),
        // As a topic's limit that somebody set too low: until somebody else finds out.
        forMs: prng.chance(50) ? forMs : prng.between(30_000, 300_000),
      }
    default:
      throw kind satisfies never
  }
}

/**
 * What a schedule may contain. Not in the list: late appends and discarded clients, which come of other faults, and
 * what is built later (damaged logs, more partitions).
 */
const DRAWN: readonly Drawn[] = [
  'producer-restart',
  'consumer-restart',
  'producer-kill',
  'producer-stop',
  'same-producer-id',
  'consumer-kill',
  'consumer-stop',
  'cluster-dead',
  'cluster-hung',
  'cluster-slow',
  'cluster-flap',
  'partition-leaderless',
  'answer-lost',
  'one-sided-reach',
  'redis-away',
  'redis-away-for-one',
  'redis-rolled-back',
  'redis-emptied',
  'journal-full',
  'journal-late',
  'journal-torn',
  'clock-back',
  'clock-forward',
  'handler-stuck',
  'refused-for-good',
]
/** What consumers allow. */
const DAY_MS = 86_400_000
const ANY_POLICY = ['reject', 'block', 'journal', 'journal', 'journal'] as const
const ONE_SIDED: readonly Drawn[] = [
  'cluster-dead',
  'cluster-hung',
  'cluster-slow',
  'cluster-flap',
  'partition-leaderless',
  'answer-lost',
]
const READERS: readonly Drawn[] = [
  'producer-restart',
  'cluster-slow',
  'consumer-restart',
  'consumer-kill',
  'consumer-stop',
  'redis-away',
  'redis-away-for-one',
  'redis-rolled-back',
  'redis-emptied',
  'handler-stuck',
  'refused-for-good',
]

/** What is suffered often together. Holes in one log while the other one lags: where waiting has to be right. */
const HOLES: readonly Drawn[] = ['cluster-slow', 'refused-for-good', 'handler-stuck']
/** One life after the other, each leaving something behind that one log has, or none. */
const LIVES: readonly Drawn[] = ['producer-kill', 'producer-restart', 'refused-for-good', 'cluster-slow']
/** A store that forgets, or carries things out late, while those who tell it come and go. */
const STORE: readonly Drawn[] = ['redis-away-for-one', 'redis-rolled-back', 'consumer-kill', 'consumer-stop']

function drawnFor(suffering: Setting['suffering']): readonly Drawn[] {
  switch (suffering) {
    case 'all':
      return DRAWN
    case 'readers':
      return READERS
    default:
      return ONE_SIDED
  }
}
