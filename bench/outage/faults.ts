/** What is done to a cluster, and how that is undone. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { KafkaCluster } from '@tandem/testing'

export interface Fault {
  /** Resolves when it has lasted for so long. */
  strike(cluster: KafkaCluster, ms: number, signal: AbortSignal): Promise<void>
  /** Resolves when the cluster answers again as it did before. */
  heal(cluster: KafkaCluster): Promise<void>
}

export const FAULT_NAMES = ['killed', 'hung', 'slow', 'flapping'] as const
export type FaultName = (typeof FAULT_NAMES)[number]

export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  killed: {
    strike: async (cluster, ms, signal) => {
      await Promise.all([cluster.kill(), sleep(ms, undefined, { signal })])
    },
    heal: (cluster) => cluster.restart(),
  },
  hung: {
    strike: async (cluster, ms, signal) => {
      await Promise.all([cluster.hang(), sleep(ms, undefined, { signal })])
    },
    heal: (cluster) => cluster.resume(),
  },
  slow: {
    strike: async (cluster, ms, signal) => {
      for (const { proxy } of cluster.nodes) proxy!.slow(SLOW_MS)
      await sleep(ms, undefined, { signal })
    },
    heal: async (cluster) => {
      for (const { proxy } of cluster.nodes) proxy!.pass()
    },
  },
  flapping: {
    strike: async (cluster, ms, signal) => {
      const end = performance.now() + ms
      while (performance.now() < end) {
        for (const { proxy } of cluster.nodes) await proxy!.refuse()
        await sleep(FLAP_MS, undefined, { signal })
        for (const { proxy } of cluster.nodes) await proxy!.accept()
        await sleep(FLAP_MS, undefined, { signal })
      }
    },
    heal: async (cluster) => {
      for (const { proxy } of cluster.nodes) await proxy!.accept()
    },
  },
}

/** Each way. */
const SLOW_MS = 50
/** Refused for so long, let in for so long, and so on. */
const FLAP_MS = 1_000
