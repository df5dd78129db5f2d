/**
 * What the loss of a whole cluster does to a service: to one whose cluster MirrorMaker 2 copies to another, and to one by
 * way of tandem.
 *
 * Messages are sent at a rate and consumed until everything flows, then for a while; then the east is killed for good, and
 * both go on. It is judged by the numbers in the payloads: of what was acknowledged to the producer, what the consumer
 * never took is lost, and what it took again is a duplicate.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { takeCensus } from '@tandem/cli/internal'
import { jarsOf } from '@tandem/testing/internal'

import { versionOf, versionOfJars, versions } from '../clusters.js'
import { countRecords, makeTopic } from '../logs.js'
import { Servers } from '../servers.js'
import type { Figures, Stage, Suite } from '../suite.js'
import type { Timeline } from '../timeline.js'
import { courseOf } from './course.js'
import { Deployment } from './deployment.js'
import { MIRROR_MAKER_POM, MirrorMaker } from './mirror-maker.js'
import { COMPARISONS, DUPLICATED, groupDelayMs, LOST, PAUSE, SKIPPED, SUBJECTS, type Subject } from './subjects.js'
import { hasOffsets } from './translated-offsets.js'
import { judge, type Evidence } from './verdict.js'

export const failoverSuite: Suite = {
  name: 'failover',
  about: 'a whole cluster is lost: tandem beside MirrorMaker 2',
  rounds: (quick) => (quick ? 3 : 10),
  subjects: () => SUBJECTS,
  comparisons: COMPARISONS,
  open: async () => {
    const mirrormaker = versionOfJars(await jarsOf(MIRROR_MAKER_POM))
    return new FailoverStage({ ...(await versions()), ioredis: versionOf('ioredis'), mirrormaker })
  },
}

/** Each run has servers of its own, since one of them does not outlive it. */
class FailoverStage implements Stage {
  readonly versions: Stage['versions']
  readonly #timelines: Timeline[] = []

  constructor(versions: Stage['versions']) {
    this.versions = versions
  }

  async measure(name: string): Promise<Figures> {
    const subject = name as Subject
    const { sent, ...evidence } = await run(subject)
    const { lost, skipped, duplicated, pauseMs } = judge(evidence)
    const refused = sent - evidence.acknowledged.length
    if (subject === 'tandem' && lost + duplicated + refused > 0) {
      throw new Error(`tandem lost ${lost}, repeated ${duplicated}, and acknowledged ${refused} never`)
    }
    const round = this.#timelines.filter((timeline) => timeline.subject === subject).length + 1
    this.#timelines.push({ subject, round, ...courseOf(evidence, SPAN) })
    return { [LOST]: lost, [SKIPPED]: skipped, [DUPLICATED]: duplicated, [PAUSE]: pauseMs }
  }

  timelines(): readonly Timeline[] {
    return this.#timelines
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is left of a run.
  }
}

async function run(subject: Subject): Promise<Evidence & { readonly sent: number }> {
  const isMirrored = subject !== 'tandem'
  const properties = { 'group.initial.rebalance.delay.ms': groupDelayMs(subject) }
  await using servers = await Servers.start({ properties })
  const { addresses, all } = servers.clusters
  const [east, west] = all
  for (const cluster of all) await makeTopic(cluster, TOPIC)
  const order = { subject, clusters: addresses, topic: TOPIC, groupId: GROUP, redisUrl: servers.redis.url }
  await using deployment = await Deployment.start(order)
  /** What was acknowledged is taken, and in the west; so is how far the group is, of a group that has that there. */
  const flows = async (over: AbortSignal): Promise<void> => {
    let acknowledged = 0
    await until(async () => (acknowledged = (await deployment.acknowledged()).length) >= WARM_UP_MESSAGES, over)
    await until(async () => (await deployment.taken()).length >= acknowledged, over)
    await until(async () => (await countRecords(west!, TOPIC)) >= acknowledged, over)
    if (isMirrored) await until(() => hasOffsets(west!, TOPIC, GROUP), over)
  }
  await using _mirror = isMirrored ? await MirrorMaker.start(order, flows) : undefined
  if (!isMirrored) await flows(AbortSignal.timeout(FLOW_TIMEOUT_MS))
  await sleep(SPAN.beforeMs)

  const killedAtMs = Date.now()
  const killed = east!.kill()
  if (isMirrored) deployment.switchOver()
  await killed
  await sleep(SPAN.afterMs)

  const { sent } = await deployment.endProducer()
  const acknowledged = await deployment.acknowledged()
  await restOf(deployment)
  await deployment.endConsumer()
  const { bootstrapServers } = west!
  const { numbers: left } = await takeCensus({ cluster: 'west', bootstrapServers, topic: TOPIC })
  return { sent, acknowledged, taken: await deployment.taken(), left, killedAtMs }
}

/** Until it is true. @throws what the signal says. */
async function until(condition: () => Promise<boolean>, over: AbortSignal): Promise<void> {
  while (!(await condition())) {
    over.throwIfAborted()
    await sleep(LOOK_EVERY_MS)
  }
}

/** Until nothing comes any more: what is lost has no end. */
async function restOf(deployment: Deployment): Promise<void> {
  for (let quietMs = 0, before = 0; quietMs < QUIET_MS; quietMs += LOOK_EVERY_MS) {
    const { length } = await deployment.taken()
    if (length > before) quietMs = 0
    before = length
    await sleep(LOOK_EVERY_MS)
  }
}

const TOPIC = 'transfers'
const GROUP = 'balances'
const WARM_UP_MESSAGES = 5_000
/** What is looked at, before and after the kill: longer than tandem waits before it calls a silent cluster away (10 s). */
const SPAN = { beforeMs: 8_000, afterMs: 15_000 }
const FLOW_TIMEOUT_MS = 60_000
const QUIET_MS = 5_000
const LOOK_EVERY_MS = 250
