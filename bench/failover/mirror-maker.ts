/** MirrorMaker 2 by itself (its dedicated mode): copies one topic from the east to the west, and the offsets of a group. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { findProgram, jarsOf, KAFKA_LOGGING, kafkaCommand, propertiesText, Service } from '@tandem/testing/internal'

import type { Addresses } from '../clusters.js'

export interface Mirrored {
  readonly clusters: Addresses
  readonly topic: string
  readonly groupId: string
}

export class MirrorMaker implements AsyncDisposable {
  /** @param ready resolves when it copies. */
  static async start(mirrored: Mirrored, ready: (over: AbortSignal) => Promise<void>): Promise<MirrorMaker> {
    const [java, jars] = await Promise.all([findProgram('java'), jarsOf(MIRROR_MAKER_POM)])
    const service = await Service.create({ what: 'MirrorMaker 2', prefix: 'mirrormaker' })
    try {
      const file = (name: string): string => join(service.folder, name)
      await writeFile(file('mm2.properties'), propertiesText(propertiesOf(mirrored)))
      await writeFile(file('log4j2.properties'), KAFKA_LOGGING)
      const program = { java, jars, heapBytes: HEAP_BYTES, loggingFile: file('log4j2.properties') }
      const command = kafkaCommand(program, 'org.apache.kafka.connect.mirror.MirrorMaker', file('mm2.properties'))
      await service.start(command, ready, START_TIMEOUT_MS)
      return new MirrorMaker(service)
    } catch (error) {
      await service.stop()
      throw error
    }
  }

  readonly #service: Service

  private constructor(service: Service) {
    this.#service = service
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#service.stop()
  }
}

/** Whatever it does now and then it does as often as it can: the defaults are a minute for offsets, ten for groups. */
function propertiesOf({ clusters, topic, groupId }: Mirrored): Record<string, string | number | boolean> {
  return {
    clusters: 'east,west',
    'east.bootstrap.servers': clusters.east,
    'west.bootstrap.servers': clusters.west,
    'east->west.enabled': true,
    'west->east.enabled': false,
    'emit.heartbeats.enabled': false,
    // Of the worker, which belongs to the west: otherwise it looks through every class of every jar first.
    'west.plugin.discovery': 'service_load',
    topics: topic,
    groups: groupId,
    // The topic has the same name on both sides, so that nobody has to know that it was mirrored.
    'replication.policy.class': 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy',
    'sync.topic.acls.enabled': false,
    'sync.group.offsets.enabled': true,
    'sync.group.offsets.interval.seconds': 1,
    'emit.checkpoints.interval.seconds': 1,
    'refresh.groups.interval.seconds': 1,
    'refresh.topics.interval.seconds': 1,
    'offset.lag.max': 0,
    ...Object.fromEntries(
      ['', 'checkpoints.topic.', 'offset-syncs.topic.', 'offset.storage.', 'status.storage.', 'config.storage.'].map(
        (topics) => [`${topics}replication.factor`, 1],
      ),
    ),
  }
}

export const MIRROR_MAKER_POM = new URL('../../failover/pom.xml', import.meta.url)
const HEAP_BYTES = 384 << 20
/** It takes about 10 s, and more where the machine is busy. */
const START_TIMEOUT_MS = 60_000
