/**
 * Questions to a cluster that a test has just started: is it up, does it have the topic? Each question has a client of
 * its own, which goes with the answer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import rdkafka, { type LibrdKafkaError, type Metadata } from 'node-rdkafka'
import { ServiceFailedError } from '@tandem/common/internal'
import { accepts } from './free-ports.js'

/** What a client needs to reach a cluster and be let in: librdkafka's names. */
export type ClientProperties = Readonly<Record<string, string>>

export interface ClusterMetadata {
  /** `host:port` of each. */
  readonly brokers: readonly string[]
  /** The node that leads each partition of each topic; -1 if none does. */
  readonly leaders: ReadonlyMap<string, readonly number[]>
  /** Whether all partitions of all topics have a leader and all their replicas in sync. */
  readonly inSync: boolean
}

/** Resolves when something accepts connections at the port of 127.0.0.1. */
export async function awaitPort(port: number, over: AbortSignal): Promise<void> {
  while (!over.aborted && !(await accepts(port))) await sleep(ASK_AGAIN_AFTER_MS)
}

/**
 * What the cluster says of itself, as soon as it is `good`; asked again and again until then.
 *
 * @param options.topic asks for this one only. A cluster that creates topics on first use then creates it.
 * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: not good after `timeoutMs`; with the last answer.
 */
export async function awaitMetadata(
  properties: ClientProperties,
  options: {
    readonly good: (metadata: ClusterMetadata) => boolean
    readonly timeoutMs: number
    readonly topic?: string
    readonly over?: AbortSignal
  },
): Promise<ClusterMetadata> {
  const deadline = performance.now() + options.timeoutMs
  let last = 'nothing'
  do {
    try {
      const metadata = await ask(properties, options.topic)
      if (options.good(metadata)) return metadata
      last = `brokers ${metadata.brokers.join()}, leaders of ${JSON.stringify([...metadata.leaders])}`
    } catch (error) {
      last = (error as Error).message
    }
    await sleep(ASK_AGAIN_AFTER_MS)
  } while (options.over?.aborted !== true && performance.now() < deadline)
  throw new ServiceFailedError(
    `the cluster at ${properties['bootstrap.servers']} did not become ready within ${options.timeoutMs} ms; its last answer: ${last}`,
  )
}

/** For `awaitMetadata`: the topic has so many partitions, and each has a leader. */
export function isLed(topic: string, partitions: number): (metadata: ClusterMetadata) => boolean {
  return ({ leaders }) => leaders.get(topic)?.filter((leader) => leader >= 0).length === partitions
}

async function ask(properties: ClientProperties, topic: string | undefined): Promise<ClusterMetadata> {
  const client = new rdkafka.Producer({ ...properties, log_level: 0 })
  client.on('event.error', () => {}) // a refused connection; that no answer comes says the same
  const metadata = await new Promise<Metadata>((resolve, reject) => {
    const options = topic === undefined ? {} : { topic }
    client.connect({ ...options, timeout: ANSWER_TIMEOUT_MS }, (error: LibrdKafkaError | null, metadata) => {
      if (error) reject(error)
      else resolve(metadata)
    })
  })
  await new Promise<void>((resolve) => client.disconnect(() => resolve()))
  return {
    brokers: metadata.brokers.map(({ host, port }) => `${host}:${port}`),
    leaders: new Map(
      metadata.topics.map(({ name, partitions }) => [
        name,
        partitions.toSorted((one, other) => one.id - other.id).map(({ leader }) => leader),
      ]),
    ),
    inSync: metadata.topics.every(({ partitions }) =>
      partitions.every(({ leader, isrs, replicas }) => leader >= 0 && isrs.length === replicas.length),
    ),
  }
}

export async function createKafkaTopic(
  properties: ClientProperties,
  topic: {
    readonly name: string
    readonly partitions: number
    readonly replicas: number
    readonly config: Readonly<Record<string, string>>
  },
): Promise<void> {
  const { name, partitions, replicas, config } = topic
  const client = rdkafka.AdminClient.create({ ...properties, log_level: 0 })
  try {
    await new Promise<void>((resolve, reject) => {
      const wanted = { topic: name, num_partitions: partitions, replication_factor: replicas, config }
      client.createTopic(wanted, ANSWER_TIMEOUT_MS, (error: LibrdKafkaError | undefined) => {
        if (error === undefined) resolve()
        else reject(new ServiceFailedError(`topic ${name} was not created: ${error.message}`, { topic: name }, error))
      })
    })
  } finally {
    client.disconnect()
  }
}

const ASK_AGAIN_AFTER_MS = 25
/** A cluster that has just come up answers in milliseconds; on a busy machine it may take seconds. */
const ANSWER_TIMEOUT_MS = 5_000
