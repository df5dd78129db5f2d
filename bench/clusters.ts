/** The two real clusters of a suite, and the versions of all that is measured with them. */
import { createRequire } from 'node:module'
import { basename } from 'node:path'

import { KafkaCluster, type KafkaClusterOptions } from '@tandem/testing'
import { kafkaJars } from '@tandem/testing/internal'
import kafka from 'node-rdkafka'

import type { Stage } from './suite.js'

export class Clusters implements AsyncDisposable {
  /** Both, or an error and none. */
  static async start(options: ClustersOptions = {}): Promise<Clusters> {
    const started = await Promise.allSettled(['east', 'west'].map((name) => KafkaCluster.start({ name, ...options })))
    const clusters = new Clusters(started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])))
    const failed = started.find((result) => result.status === 'rejected')
    if (failed === undefined) return clusters
    await clusters[Symbol.asyncDispose]()
    throw failed.reason
  }

  readonly all: readonly KafkaCluster[]

  private constructor(all: readonly KafkaCluster[]) {
    this.all = all
  }

  /** Where they are found. */
  get addresses(): Addresses {
    const [east, west] = this.all
    return { east: east!.bootstrapServers, west: west!.bootstrapServers }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((cluster) => cluster.stop()))
  }
}

/** `properties` where a suite is about something that tests have otherwise than production; `proxied` if something is to be
 * done to connections. */
export type ClustersOptions = Pick<KafkaClusterOptions, 'properties' | 'proxied'>

export interface Addresses {
  readonly east: string
  readonly west: string
}

export async function versions(): Promise<Stage['versions']> {
  return {
    node: process.versions.node,
    'node-rdkafka': versionOf('node-rdkafka'),
    librdkafka: kafka.librdkafkaVersion,
    kafka: versionOfJars(await kafkaJars()),
  }
}

/** Of those in a folder, which is named after them. */
export function versionOfJars(folder: string): string {
  return /-([\d.]+)-/.exec(basename(folder))![1]!
}

export function versionOf(packageName: string): string {
  return (createRequire(import.meta.url)(`${packageName}/package.json`) as { version: string }).version
}
