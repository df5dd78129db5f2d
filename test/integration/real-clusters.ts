import { KafkaCluster, RedisServer } from '@tandem/testing'
import { after } from 'mocha'

/** Two real Kafka clusters and a real Redis, started once for all files of a run. */
export interface RealClusters {
  readonly east: KafkaCluster
  readonly west: KafkaCluster
  readonly redis: RedisServer
}

let started: Promise<RealClusters> | undefined

export function realClusters(): Promise<RealClusters> {
  started ??= start()
  return started
}

async function start(): Promise<RealClusters> {
  const [east, west, redis] = await Promise.all([
    KafkaCluster.start({ name: 'east' }),
    KafkaCluster.start({ name: 'west' }),
    RedisServer.start(),
  ])
  return { east, west, redis }
}

/** A topic on both, with a name of its own. */
export async function createTopic({ east, west }: RealClusters, name: string): Promise<string> {
  const topic = `${name}-${process.pid}`
  await Promise.all([east, west].map((cluster) => cluster.createTopic(topic, { partitions: 4 })))
  return topic
}

export function clustersOf({ east, west }: RealClusters): Record<string, Record<string, unknown>> {
  return {
    east: { 'bootstrap.servers': east.bootstrapServers },
    west: { 'bootstrap.servers': west.bootstrapServers },
  }
}

after(async function () {
  this.timeout(60_000)
  const clusters = await started?.catch(() => undefined)
  if (clusters !== undefined) await Promise.all([clusters.east.stop(), clusters.west.stop(), clusters.redis.stop()])
})
