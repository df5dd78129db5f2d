import { ALL, BORN_MS, CLUSTERS, GROUPS, INSTANCES_MAX, isCluster, type Setting, type Step } from './plan.js'
import type { Prng } from './prng.js'

/**
 * Constellations that faults drawn one by one hardly ever come to, since several things have to happen within seconds:
 * each was drawn because a bug that needs it (mutants.ts) stayed unseen for thousands of schedules.
 */
export function* drawStories(prng: Prng, setting: Setting): Generator<Step> {
  yield* drawImports(prng.fork(), setting)
  yield* drawBirths(prng.fork(), setting)
  yield* drawUnfinishedLives(prng.fork(), setting)
  yield* drawRefusals(prng.fork(), setting)
  yield* drawRelapses(prng.fork(), setting)
  yield* drawManyLives(prng.fork(), setting)
  yield* drawCrossings(prng.fork(), setting)
  yield* drawHalfAsked(prng.fork(), setting)
  yield* drawRefusedBursts(prng.fork(), setting)
  yield* drawColdStarts(prng.fork(), setting)
  yield* drawOutboxKills(prng.fork(), setting)
  yield* drawDoubtfulDisks(prng.fork(), setting)
}

/**
 * Imports, and what makes dead letters: both clusters hang with sends under way. Not only when all is well again, since
 * an import is to find out that it cannot decide, and what lies in sockets is to come late: to a group, too, that was
 * killed meanwhile, with something open that lies before it.
 */
function* drawImports(prng: Prng, setting: Setting): Generator<Step> {
  const { minutes, producers, journal, suffering, sendTimeoutMs } = setting
  if (journal === 'off' || suffering !== 'all') return
  const endMs = minutes * 60_000
  const everyMs = prng.pick([30_000, 60_000, 240_000])
  for (let atMs = prng.below(everyMs * 2); atMs < endMs; atMs += 1 + prng.below(everyMs * 2)) {
    const producer = prng.below(producers)
    if (journal === 'dead-letter' && prng.chance(60)) {
      const forMs = sendTimeoutMs + prng.between(1_000, 20_000)
      for (const cluster of CLUSTERS) {
        yield { kind: 'cluster-hung', atMs: Math.min(atMs + prng.below(100), endMs - 1), cluster, forMs }
      }
      const sentAtMs = Math.min(atMs + 100 + prng.below(1_000), endMs - 1)
      yield { kind: 'send', atMs: sentAtMs, producer, key: prng.below(6), count: prng.between(1, 5) }
      if (prng.chance(40)) yield killed(prng, atMs + 100 + prng.below(forMs), producer, endMs)
      atMs += forMs + prng.below(prng.pick([1_000, 30_000]))
    }
    const timeoutMs = prng.chance(70) ? 60_000 : prng.between(1, 10_000)
    yield { kind: 'import', atMs: Math.min(atMs, endMs - 1), producer, timeoutMs }
    if (prng.chance(40)) continue
    // Between any two of its steps the process may be gone; and the next one tries again.
    atMs += 1 + prng.below(prng.pick([50, 500, 5_000]))
    yield killed(prng, atMs, producer, endMs)
    atMs += prng.between(3_000, 10_000)
    yield { kind: 'import', atMs: Math.min(atMs, endMs - 1), producer, timeoutMs: 60_000 }
  }
}

/**
 * Groups that are born while they cannot read one of the clusters, which then gets what the other one never will: that
 * one hangs for a while, and the producer dies before it is back.
 */
function* drawBirths(prng: Prng, { suffering, from, producers, minutes }: Setting): Generator<Step> {
  if (suffering !== 'all' || from !== 'latest') return
  const [unread, read] = prng.chance(50) ? CLUSTERS : ([CLUSTERS[1], CLUSTERS[0]] as const)
  const unreadMs = prng.between(30_000, minutes * 40_000)
  for (const group of GROUPS) yield { kind: 'one-sided-reach', atMs: 0, who: group, cluster: unread, forMs: unreadMs }
  for (let atMs = BORN_MS + prng.below(10_000); atMs < unreadMs; atMs += prng.between(30_000, 60_000)) {
    const producer = prng.below(producers)
    const forMs = prng.between(6_000, 20_000)
    yield { kind: 'cluster-hung', atMs, cluster: read, forMs }
    for (let i = 0; i < 5; i++) {
      yield { kind: 'send', atMs: atMs + prng.below(5_000), producer, key: prng.below(6), count: prng.between(1, 3) }
    }
    yield { kind: 'producer-kill', atMs: atMs + prng.between(2_000, forMs), producer, forMs: prng.between(1, 20_000) }
  }
}

/**
 * A life that ends with counters that no log has, and others behind them that one log has: one cluster refuses some of
 * what comes and the other takes nothing, or too late. The next life begins at once.
 */
function* drawUnfinishedLives(prng: Prng, setting: Setting): Generator<Step> {
  if (setting.suffering !== 'all' || !prng.chance(25)) return
  const endMs = setting.minutes * 60_000
  for (let atMs = prng.below(60_000); atMs < endMs - 20_000; atMs += prng.between(20_000, 120_000)) {
    const producer = prng.below(setting.producers)
    const [cluster, other] = prng.chance(50) ? CLUSTERS : ([CLUSTERS[1], CLUSTERS[0]] as const)
    const key = prng.below(6)
    yield { kind: 'refused-for-good', atMs, cluster, residue: prng.between(2, 3), forMs: prng.between(1_000, 5_000) }
    yield { kind: 'cluster-hung', atMs, cluster: other, forMs: prng.between(1_000, 4_000) }
    yield { kind: 'send', atMs: atMs + 100, producer, key, count: prng.between(2, 12) }
    // With something open that lies before all of it, a group that dies has to begin there again.
    if (prng.chance(30)) yield { kind: 'handler-stuck', atMs: atMs + 90, group: prng.pick(GROUPS), forMs: 60_000 }
    yield killed(prng, atMs + 200 + prng.below(1_000), producer, endMs)
    for (let i = 0; i < 5; i++) {
      yield { kind: 'send', atMs: atMs + 1_500 + i * prng.between(200, 1_500), producer, key, count: 1 }
    }
    if (!prng.chance(50)) continue
    const group = prng.pick(GROUPS)
    yield { kind: 'consumer-kill', atMs: atMs + prng.between(200, 15_000), group, forMs: prng.between(1, 3_000) }
  }
}

/** What the disk accepted and both clusters refuse, and a producer that dies at any moment of that. */
function* drawRefusals(prng: Prng, { suffering, journal, producers, minutes }: Setting): Generator<Step> {
  if (suffering !== 'all' || journal !== 'always' || !prng.chance(50)) return
  const endMs = minutes * 60_000
  for (let atMs = prng.below(30_000); atMs < endMs - 10_000; atMs += prng.between(5_000, 40_000)) {
    const producer = prng.below(producers)
    for (const cluster of CLUSTERS) {
      yield { kind: 'refused-for-good', atMs, cluster, residue: ALL, forMs: prng.between(1_000, 3_000) }
    }
    yield { kind: 'send', atMs: atMs + 10, producer, key: prng.below(6), count: prng.between(1, 10) }
    yield killed(prng, atMs + 10 + prng.below(100), producer, endMs)
  }
}

/** A cluster that hangs again while its lane has just begun to write what it missed. */
function* drawRelapses(prng: Prng, setting: Setting): Generator<Step> {
  const { suffering: cluster, journal, producers, minutes } = setting
  const roomy = setting.paddingBytes === 0
  if (!isCluster(cluster) || journal === 'off' || journal === 'dead-letter' || roomy || !prng.chance(60)) return
  const key = prng.below(6)
  let atMs = prng.below(20_000)
  for (let times = 0; times < 3 && atMs < minutes * 60_000 - 60_000; times++) {
    const forMs = prng.between(20_000, 40_000)
    yield { kind: 'cluster-hung', atMs, cluster, forMs }
    // A burst has to find room; all of them together do not.
    for (let i = 0; i < 60; i++) {
      const sentAtMs = atMs + Math.floor((forMs / 60) * i)
      yield { kind: 'send', atMs: sentAtMs, producer: prng.below(producers), key, count: prng.between(2, 8) }
    }
    atMs += forMs + prng.between(20, prng.pick([500, 5_000]))
    yield { kind: 'cluster-hung', atMs, cluster, forMs: prng.between(1_000, 8_000) }
    for (let i = 0; i < 10; i++) yield { kind: 'send', atMs: atMs + 100 * i, producer: 0, key, count: 1 }
    atMs += prng.between(10_000, 40_000)
  }
}

/** Many lives of a producer, one after the other, while a cluster says where its log ends and brings nothing of it. */
function* drawManyLives(prng: Prng, { suffering: cluster, producers, minutes }: Setting): Generator<Step> {
  if (!isCluster(cluster) || !prng.chance(30)) return
  const producer = prng.below(producers)
  const key = prng.below(6)
  const fromMs = prng.between(5_000, minutes * 30_000)
  yield { kind: 'cluster-slow', atMs: fromMs, cluster, forMs: 240_000, byMs: 240_000, requests: 'read' }
  for (let i = 1; i <= 10; i++) {
    const atMs = fromMs + i * prng.between(4_000, 8_000)
    yield { kind: 'producer-restart', atMs, producer }
    yield { kind: 'send', atMs: atMs + 3_000, producer, key, count: prng.between(1, 3) }
  }
}

/**
 * Two producers, each of which reaches one cluster only, one life after the other: what one log has, the other lacks, and a
 * group that may hold little stands at its bound in both.
 */
function* drawCrossings(prng: Prng, setting: Setting): Generator<Step> {
  const { suffering, producers, heldMessagesMax, readRecordsMax, minutes } = setting
  // Where much is read at once, all of it is held before a feed can be paused.
  const crosses = suffering === 'all' && producers > 1 && heldMessagesMax <= 10 && readRecordsMax <= 3
  if (!crosses || !prng.chance(80)) return
  const endMs = minutes * 60_000
  const key = prng.below(6)
  let atMs = prng.below(endMs - 100_000)
  for (let lives = prng.between(4, 9); lives > 0; lives--) {
    for (const [producer, cluster] of CLUSTERS.entries()) {
      yield { kind: 'producer-kill', atMs, producer, forMs: 1 }
      yield { kind: 'one-sided-reach', atMs: atMs + 2, who: producer, cluster, forMs: 60_000 }
      yield { kind: 'send', atMs: atMs + prng.between(2_000, 3_000), producer, key, count: prng.between(2, 12) }
    }
    atMs += prng.between(4_000, 10_000)
  }
}

/**
 * An import that voids in one log some seconds before the other, while what it asks about lies in a socket of the first; and
 * groups that die in between, with a void read that cannot be stored yet. The other cluster stays in sight of them: of
 * one that is away nothing would be waited for.
 */
function* drawHalfAsked(prng: Prng, setting: Setting): Generator<Step> {
  const { minutes, producers, journal, suffering, sendTimeoutMs } = setting
  if (journal !== 'dead-letter' || suffering !== 'all' || !prng.chance(40)) return
  const endMs = minutes * 60_000
  for (let atMs = prng.below(60_000); atMs < endMs - 90_000; atMs += prng.between(60_000, 120_000)) {
    const producer = prng.below(producers)
    const [cluster, other] = prng.chance(50) ? CLUSTERS : ([CLUSTERS[1], CLUSTERS[0]] as const)
    // Its client is discarded and its sends are rejected before the process goes.
    const goneMs = Math.max(sendTimeoutMs, 12_000) + prng.between(500, 2_000)
    const forMs = goneMs + prng.between(500, 2_000)
    yield { kind: 'cluster-hung', atMs, cluster, forMs }
    yield { kind: 'one-sided-reach', atMs, who: producer, cluster: other, forMs }
    yield { kind: 'send', atMs: atMs + 100, producer, key: prng.below(6), count: prng.between(4, 12) }
    yield { kind: 'producer-kill', atMs: atMs + goneMs, producer, forMs: 1 }
    atMs += forMs
    const byMs = prng.between(2_000, 5_000)
    yield { kind: 'cluster-slow', atMs, cluster: other, forMs: 30_000, byMs, requests: 'write' }
    atMs += prng.between(50, 500)
    yield { kind: 'import', atMs, producer, timeoutMs: 60_000 }
    for (const group of GROUPS) {
      yield { kind: 'consumer-kill', atMs: atMs + prng.between(200, byMs), group, forMs: prng.between(1, 1_000) }
    }
  }
}

/**
 * Bursts of which both clusters refuse a part: the voids stand far behind, and a group that may hold little is at its bound in
 * both logs before it comes to them.
 */
function* drawRefusedBursts(prng: Prng, setting: Setting): Generator<Step> {
  const { suffering, producers, heldMessagesMax, minutes } = setting
  if (suffering !== 'all' || heldMessagesMax > 10 || !prng.chance(50)) return
  const endMs = minutes * 60_000
  for (let atMs = prng.below(60_000); atMs < endMs - 10_000; atMs += prng.between(60_000, 240_000)) {
    const residue = prng.between(0, 3)
    for (const cluster of CLUSTERS) yield { kind: 'refused-for-good', atMs, cluster, residue, forMs: 1_000 }
    const key = prng.below(6)
    yield { kind: 'send', atMs: atMs + 10, producer: prng.below(producers), key, count: prng.between(20, 40) }
  }
}

/**
 * Redis is emptied while nobody is there who knows what it had, with something in hand that lies far behind; or while
 * somebody is, and another one comes before that one has said so.
 */
function* drawColdStarts(prng: Prng, { suffering, from, minutes }: Setting): Generator<Step> {
  if (suffering !== 'all' || from === 'latest' || !prng.chance(15)) return
  const endMs = minutes * 60_000
  for (let atMs = prng.between(20_000, 120_000); atMs < endMs - 20_000; atMs += prng.between(60_000, 240_000)) {
    const stuckAtMs = atMs - prng.between(5_000, 20_000)
    if (prng.chance(50)) yield { kind: 'handler-stuck', atMs: stuckAtMs, group: prng.pick(GROUPS), forMs: 60_000 }
    if (prng.chance(50)) yield* emptiedCold(atMs, prng.between(10, 10_000))
    else {
      yield { kind: 'redis-emptied', atMs }
      yield { kind: 'instance-added', atMs: atMs + prng.below(1_000), group: prng.pick(GROUPS) }
    }
  }
}

/** A producer that dies with messages on its disk that no log has, and whose next life has some to send at once. */
function* drawOutboxKills(prng: Prng, { suffering, journal, producers, minutes }: Setting): Generator<Step> {
  if (suffering !== 'readers' || journal !== 'always' || !prng.chance(60)) return
  const endMs = minutes * 60_000
  for (let atMs = prng.below(20_000); atMs < endMs - 10_000; atMs += prng.between(5_000, 40_000)) {
    const producer = prng.below(producers)
    const key = prng.below(6)
    yield { kind: 'send', atMs, producer, key, count: prng.between(1, 12) }
    const killedAtMs = atMs + prng.between(1, 20)
    const forMs = prng.between(1, 1_000)
    yield { kind: 'producer-kill', atMs: killedAtMs, producer, forMs }
    // So that what is on disk takes a while to be read.
    yield { kind: 'journal-late', atMs: killedAtMs + 1, by: prng.between(10, 200), forMs: forMs + 2_000 }
    for (let i = 0; i < 10; i++) {
      yield { kind: 'send', atMs: killedAtMs + forMs + 100 * i + prng.below(100), producer, key, count: 1 }
    }
  }
}

/**
 * Both clusters are known to be away when a disk fails with something on its way there; the producer dies after it has
 * said what became of that, and before anybody is back.
 */
function* drawDoubtfulDisks(prng: Prng, setting: Setting): Generator<Step> {
  const { suffering, journal, producers, minutes, sendTimeoutMs } = setting
  if (suffering !== 'all' || journal !== 'always' || !prng.chance(50)) return
  const endMs = minutes * 60_000
  const lastsMs = 12_000 + sendTimeoutMs + 5_000
  for (let atMs = prng.below(60_000); atMs < endMs - lastsMs; atMs += lastsMs + prng.between(10_000, 90_000)) {
    const producer = prng.below(producers)
    for (const cluster of CLUSTERS) {
      yield { kind: 'cluster-hung', atMs: atMs + prng.below(100), cluster, forMs: lastsMs }
    }
    yield { kind: 'send', atMs: atMs + 200, producer, key: prng.below(6), count: 1 }
    const failsAtMs = atMs + prng.between(8_000, 12_000)
    yield { kind: 'journal-full', atMs: failsAtMs, by: -1, forMs: prng.between(100, 5_000) }
    for (let i = 0; i < 3; i++) {
      const sentAtMs = failsAtMs - 5 + prng.below(10)
      yield { kind: 'send', atMs: sentAtMs, producer, key: prng.below(6), count: prng.between(1, 3) }
    }
    yield killed(prng, failsAtMs + sendTimeoutMs + prng.between(10, 4_000), producer, endMs)
  }
}

/**
 * With strict order, two lives that stand at the same time: the next one waits for the word of a feed that is slow, and has
 * done so for long when that feed brings a life before it, with a hole that it has not read past. An operator may have the
 * later one begin first.
 */
export function* drawStandingLives(prng: Prng, setting: Setting): Generator<Step> {
  const { suffering, order, producers, holeTimeoutMs, minutes } = setting
  if (order !== 'strict' || suffering !== 'all' || !prng.chance(50)) return
  const endMs = minutes * 60_000
  const byMs = holeTimeoutMs + prng.between(4_000, 10_000)
  for (let atMs = prng.below(60_000); atMs < endMs - 2 * byMs; atMs += 5 * byMs + prng.below(60_000)) {
    const producer = prng.below(producers)
    const [cluster, other] = prng.chance(50) ? CLUSTERS : ([CLUSTERS[1], CLUSTERS[0]] as const)
    const key = prng.below(6)
    yield { kind: 'cluster-slow', atMs, cluster: other, forMs: 5 * byMs, byMs, requests: 'read' }
    yield { kind: 'refused-for-good', atMs: atMs + 100, cluster, residue: ALL, forMs: 1_000 }
    yield { kind: 'refused-for-good', atMs: atMs + 100, cluster: other, residue: prng.between(0, 3), forMs: 1_000 }
    yield { kind: 'send', atMs: atMs + 110, producer, key, count: prng.between(4, 12) }
    yield killed(prng, atMs + prng.between(500, 2_000), producer, endMs)
    // The read that brings the first life has been carried out by then, and its answer takes as long again.
    for (let i = 0; i < 3; i++) {
      yield { kind: 'send', atMs: atMs + byMs + 2_000 + 300 * i, producer, key, count: 1 }
    }
  }
}

/** All consumers die, and the store forgets. */
export function* emptiedCold(atMs: number, forMs: number): Generator<Step> {
  for (const group of GROUPS) {
    for (let instance = 0; instance < INSTANCES_MAX; instance++) yield { kind: 'consumer-kill', atMs, group, forMs }
  }
  yield { kind: 'redis-emptied', atMs: atMs + 1 }
}

function killed(prng: Prng, atMs: number, producer: number, endMs: number): Step {
  return { kind: 'producer-kill', atMs: Math.min(atMs, endMs - 1), producer, forMs: prng.between(1, 3_000) }
}
