import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Clock } from '@tandem/common/internal'

import { DemoCluster } from './demo-cluster.js'
import type { DemoOptions } from './demo-options.js'
import { anyHighWater, privateHighWater, type HighWater } from './high-water.js'
import type { Teardown } from './teardown.js'

/** What the demo plays on: two clusters with the topic, a high-water store, and a folder for the evidence. */
export interface Stage {
  readonly east: DemoCluster
  readonly west: DemoCluster
  readonly highWater: HighWater
  /** Of this run alone: a Redis that is not ours may hold those of others. */
  readonly groupId: string
  readonly folder: string
  /** Leaves the folder when the demo is over: a bad verdict wants to be looked into. */
  keepFolder(): void
}

/** Starts everything at once; what was started is ended by `teardown`, also if the rest fails. */
export async function setStage(
  options: Pick<DemoOptions, 'kafka'>,
  outsides: { readonly clock: Clock; readonly teardown: Teardown },
): Promise<Stage> {
  const { clock, teardown } = outsides
  const groupId = `tandem-demo-${randomUUID()}`
  const folder = mkdtempSync(join(tmpdir(), 'tandem-demo-'))
  let keep = false
  teardown.add(() => keep || rmSync(folder, { recursive: true, force: true }))

  const startCluster = async (name: string): Promise<DemoCluster> => {
    const cluster = await DemoCluster.start(name, options.kafka ? 'kafka' : 'embedded', clock)
    teardown.add(() => cluster.stop())
    await cluster.createTopic(TOPIC, PARTITIONS)
    return cluster
  }
  const east = startCluster('east')
  const west = startCluster('west')
  const highWater = options.kafka ? privateHighWater(teardown) : anyHighWater(teardown, `tandem:{${groupId}`)
  // All have ended one way or the other before one's failure ends the demo: `teardown` knows of everything that runs.
  await Promise.allSettled([east, west, highWater])
  return {
    east: await east,
    west: await west,
    highWater: await highWater,
    groupId,
    folder,
    keepFolder: () => void (keep = true),
  }
}

export const TOPIC = 'transfers'
/** As many as the embedded cluster gives every topic. */
const PARTITIONS = 4
