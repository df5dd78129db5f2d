import { setTimeout as sleep } from 'node:timers/promises'

import type { Prng } from '../simulation/prng.js'
import type { Consumers, Producers } from './lives.js'
import type { HarmedCluster, HarmedRedis } from './servers.js'
import type { Scenario, Stage } from './stage.js'

/**
 * Everything at random for some minutes: each cluster, Redis, each producer and each group is harmed and healed in turn,
 * one harm after the other, and none of them heeds the others. So both clusters may be away, a consumer killed while
 * Redis is, and a producer wake up in the middle of a rolling restart.
 *
 * The seed decides who suffers what and for how long. What comes of it is not repeated by it: real processes race.
 */
export function mix(minutes: number, prng: Prng): Scenario {
  return {
    name: 'mix',
    eastNodes: 3,
    play: async (stage) => {
      const until = performance.now() + minutes * 60_000
      const sufferers = [
        clusterHarms(stage.east),
        clusterHarms(stage.west),
        redisHarms(stage.redis),
        ...stage.producers.map(producerHarms),
        ...stage.consumers.map(consumerHarms),
      ]
      await Promise.all(sufferers.map((harms) => suffer(stage, harms, prng.fork(), until)))
    },
  }
}

/** Begins, and returns how it ends; undefined if it ends by itself. */
type Harm = (prng: Prng) => Promise<{ readonly secondsMax: number; readonly end: () => Promise<void> } | undefined>

async function suffer(stage: Stage, harms: readonly Harm[], prng: Prng, until: number): Promise<void> {
  const left = (): number => (until - performance.now()) / 1_000
  const seconds = (low: number, high: number): number => Math.max(0, Math.min(prng.between(low, high), left()))
  for (;;) {
    await stage.seconds(seconds(HEALTHY_S_MIN, HEALTHY_S_MAX))
    if (left() <= 0) return
    const harm = await prng.pick(harms)(prng)
    if (harm === undefined) continue
    await stage.seconds(seconds(1, harm.secondsMax))
    await harm.end()
  }
}

function clusterHarms(cluster: HarmedCluster): Harm[] {
  const heal = (): Promise<void> => cluster.heal()
  const lasting =
    (secondsMax: number, begin: (prng: Prng) => Promise<void> | void): Harm =>
    async (prng) => {
      await begin(prng)
      return { secondsMax, end: heal }
    }
  const all: Harm[] = [
    lasting(15, () => cluster.kill()),
    lasting(20, () => cluster.hang()),
    lasting(20, (prng) => cluster.slow(prng.between(50, 300))),
    lasting(20, () => cluster.stall()),
    lasting(12, () => cluster.refuse()),
    async () => void cluster.cut(),
    async () => {
      for (let round = 0; round < 4; round++) {
        await cluster.refuse('cluster-flap')
        await sleep(2_000)
        await cluster.accept()
        await sleep(2_000)
      }
      return undefined
    },
  ]
  const { nodes } = cluster
  if (nodes.length === 1) return all
  return [
    ...all,
    lasting(15, (prng) => cluster.killNode(prng.pick(nodes))),
    lasting(15, (prng) => cluster.hangNode(prng.pick(nodes))),
    async () => void (await cluster.restartInTurn()),
  ]
}

function redisHarms(redis: HarmedRedis): Harm[] {
  const end = (): Promise<void> => redis.heal()
  return [
    async () => {
      await redis.kill()
      return { secondsMax: 15, end }
    },
    async () => {
      await redis.hang()
      return { secondsMax: 15, end }
    },
  ]
}

function producerHarms(producers: Producers): Harm[] {
  return [
    async () => void (await producers.kill()),
    async () => {
      await producers.stop()
      return { secondsMax: 40, end: () => producers.continue() }
    },
  ]
}

function consumerHarms(consumers: Consumers): Harm[] {
  return [
    async () => void (await consumers.kill()),
    async () => {
      await consumers.stop()
      return { secondsMax: 30, end: () => consumers.continue() }
    },
  ]
}

const HEALTHY_S_MIN = 3
const HEALTHY_S_MAX = 25
