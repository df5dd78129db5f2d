import { setTimeout as sleep } from 'node:timers/promises'

import { KafkaFeedClient, type FeedRecord } from '@tandem/consumer/internal'
import { RdkafkaClient, RdkafkaLogReader } from '@tandem/producer/internal'
import { KafkaCluster, LocalCluster } from '@tandem/testing'
import { after } from 'mocha'
import rdkafka from 'node-rdkafka'

import type { LogEntry } from '../simulation/simulated-log.js'
import type { Benches, ClientOptions, ClusterBench } from './cluster-bench.js'
import { MetadataProxy } from './metadata-proxy.js'

/** A topic of a real or embedded cluster, which all suites of a run share, and the shipped clients. */
class RealBench implements ClusterBench {
  readonly topic: string
  readonly #cluster: KafkaCluster | LocalCluster
  readonly #properties: Readonly<Record<string, string>>

  /** @param properties of the clients under test, beside the brokers, or in place of them. */
  constructor(cluster: KafkaCluster | LocalCluster, topic: string, properties: Readonly<Record<string, string>> = {}) {
    this.#cluster = cluster
    this.topic = topic
    this.#properties = { 'bootstrap.servers': cluster.bootstrapServers, ...properties }
  }

  get wallMs(): number {
    return Date.now()
  }

  get now(): number {
    return performance.now()
  }

  createClusterClient(options: ClientOptions, handler: ConstructorParameters<typeof RdkafkaClient>[1]): RdkafkaClient {
    return new RdkafkaClient({ cluster: 'east', properties: this.#properties, ...options }, handler)
  }

  createFeedClient(
    { connectTimeoutMs }: { readonly connectTimeoutMs: number },
    handler: ConstructorParameters<typeof KafkaFeedClient>[1],
  ): KafkaFeedClient {
    const topics = [this.topic, 'nowhere']
    const options = { cluster: 'east', groupId: 'conformance', properties: this.#properties, topics, connectTimeoutMs }
    return new KafkaFeedClient(options, handler)
  }

  createLogReader(): RdkafkaLogReader {
    return new RdkafkaLogReader({ cluster: 'east', properties: this.#properties })
  }

  async write(partition: number, entries: readonly LogEntry[]): Promise<void> {
    let connecting = bareProducers.get(this.#cluster)
    if (connecting === undefined) bareProducers.set(this.#cluster, (connecting = this.#connectProducer()))
    const producer = await connecting
    for (const { key, value, timestampMs, headers } of entries) {
      const [k, v] = [key, value].map((bytes) => (bytes === null ? null : Buffer.from(bytes)))
      producer.produce(this.topic, partition, v!, k, timestampMs, undefined, headers as never)
    }
    await new Promise<void>((resolve, reject) => {
      producer.flush(PATIENCE_MS, (error) => (error ? reject(error) : resolve()))
    })
  }

  async read(partition: number): Promise<readonly FeedRecord[]> {
    const consumer = await this.#bareConsumerOf(partition)
    try {
      const { lowOffset, highOffset } = await this.#ends(consumer, partition)
      const records: FeedRecord[] = []
      let next = lowOffset
      consumer.assign([{ topic: this.topic, partition, offset: lowOffset }])
      while (next < highOffset) {
        const messages = await new Promise<rdkafka.Message[]>((resolve, reject) => {
          consumer.consume(1_000, (error: rdkafka.LibrdKafkaError | null, found: rdkafka.Message[]) => {
            if (error) reject(error)
            else resolve(found)
          })
        })
        for (const message of messages) {
          const { offset, value, timestamp: timestampMs = -1 } = message
          const [key, headers] = [message.key ?? null, message.headers ?? []] as [Buffer | null, FeedRecord['headers']]
          records.push({ topic: this.topic, partition, offset, key, value, timestampMs, headers })
          next = offset + 1
        }
      }
      return records
    } finally {
      await new Promise((resolve) => consumer.disconnect(resolve))
    }
  }

  async expire(partition: number): Promise<void> {
    const consumer = await this.#bareConsumerOf(partition)
    try {
      const deadline = this.now + PATIENCE_MS
      for (;;) {
        const { lowOffset, highOffset } = await this.#ends(consumer, partition)
        if (lowOffset === highOffset) return
        if (this.now > deadline) throw new Error(`retention left ${highOffset - lowOffset} records`)
        await sleep(LOOK_AGAIN_MS)
      }
    } finally {
      await new Promise((resolve) => consumer.disconnect(resolve))
    }
  }

  hang(): Promise<void> {
    return this.#cluster.hang()
  }

  resume(): Promise<void> {
    return this.#cluster.resume()
  }

  kill(): Promise<void> {
    return this.#cluster.kill()
  }

  async restart(): Promise<void> {
    if (!('restart' in this.#cluster)) throw new Error('an embedded cluster that was killed is gone')
    await this.#cluster.restart()
  }

  async until(what: string, good: () => boolean, ms = PATIENCE_MS): Promise<void> {
    const deadline = this.now + ms
    while (!good()) {
      if (this.now > deadline) throw new Error(`not within ${ms} ms: ${what}`)
      await sleep(LOOK_AGAIN_MS)
    }
  }

  async pass(ms: number): Promise<void> {
    await sleep(ms)
  }

  async #connectProducer(): Promise<rdkafka.Producer> {
    const settings = { 'enable.idempotence': true, 'reconnect.backoff.max.ms': 500 }
    const producer = new rdkafka.Producer({ 'bootstrap.servers': this.#cluster.bootstrapServers, ...settings })
    producer.on('event.error', () => undefined)
    await new Promise<void>((resolve, reject) => {
      producer.connect({ timeout: PATIENCE_MS }, (error) => (error ? reject(error) : resolve()))
    })
    return producer
  }

  async #bareConsumer(): Promise<rdkafka.KafkaConsumer> {
    const consumer = new rdkafka.KafkaConsumer(
      { 'bootstrap.servers': this.#cluster.bootstrapServers, 'group.id': 'bare', 'enable.auto.commit': false },
      { 'auto.offset.reset': 'error' },
    )
    consumer.on('event.error', () => undefined)
    consumer.setDefaultConsumeTimeout(50)
    await new Promise<void>((resolve, reject) => {
      consumer.connect({ timeout: PATIENCE_MS }, (error) => (error ? reject(error) : resolve()))
    })
    return consumer
  }

  /**
   * One that knows the partition. A cluster that hung for a while may not know it yet, or have another leader; a client
   * that was told so asks for it again much later, so that it takes another one.
   */
  async #bareConsumerOf(partition: number): Promise<rdkafka.KafkaConsumer> {
    for (const deadline = this.now + PATIENCE_MS; ; await sleep(CLIENT_AGAIN_MS)) {
      const consumer = await this.#bareConsumer()
      try {
        await this.#ends(consumer, partition)
        return consumer
      } catch (error) {
        await new Promise((resolve) => consumer.disconnect(resolve))
        if (!NOT_YET.has((error as rdkafka.LibrdKafkaError).code) || this.now > deadline) throw error
      }
    }
  }

  #ends(consumer: rdkafka.KafkaConsumer, partition: number): Promise<rdkafka.WatermarkOffsets> {
    return new Promise((resolve, reject) => {
      consumer.queryWatermarkOffsets(this.topic, partition, PATIENCE_MS, (error, offsets) =>
        error ? reject(error) : resolve(offsets),
      )
    })
  }
}

const { ERR_NOT_LEADER_FOR_PARTITION, ERR__UNKNOWN_PARTITION } = rdkafka.CODES.ERRORS
const NOT_YET = new Set([ERR_NOT_LEADER_FOR_PARTITION, ERR__UNKNOWN_PARTITION])

let started: Promise<KafkaCluster> | undefined
let embedded: Promise<LocalCluster> | undefined
/** Write what the clients under test did not. */
const bareProducers = new Map<KafkaCluster | LocalCluster, Promise<rdkafka.Producer>>()
let topics = 0

export const realBenches: Benches = {
  async open(options) {
    const { cluster, topic } = await openTopic(options)
    return new RealBench(cluster, topic)
  },
}

/**
 * One whose clients under test reach the cluster through a proxy, which changes what it says of its brokers. They ask
 * for those again and again, as librdkafka does by itself when a partition has another leader.
 */
export async function openBehindProxy(): Promise<{ readonly bench: ClusterBench; readonly proxy: MetadataProxy }> {
  const { cluster, topic } = await openTopic()
  const proxy = await MetadataProxy.start(Number(cluster.bootstrapServers.split(':')[1]))
  const properties = {
    'bootstrap.servers': `127.0.0.1:${proxy.port}`,
    'topic.metadata.refresh.interval.ms': '500',
    'metadata.max.age.ms': '1000',
  }
  return { bench: new RealBench(cluster, topic, properties), proxy }
}

async function openTopic({ recordBytesMax, expires = false }: Parameters<Benches['open']>[0] = {}): Promise<{
  readonly cluster: KafkaCluster
  readonly topic: string
}> {
  started ??= KafkaCluster.start({ name: 'conformance', properties: RETENTION })
  const cluster = await started
  // The one before may have failed while it was hung or dead.
  if (cluster.state === 'hung') await cluster.resume()
  if (cluster.state === 'killed') await cluster.restart()
  const topic = `conformance-${++topics}`
  const config: Record<string, string> = expires ? {} : { 'retention.ms': '-1' }
  if (recordBytesMax !== undefined) config['max.message.bytes'] = String(recordBytesMax)
  await cluster.createTopic(topic, { partitions: 2, config })
  return { cluster, topic }
}

/** Without a way back after a kill, without retention, and with topics of more partitions than are used. */
export const embeddedBenches: Benches = {
  async open() {
    embedded ??= LocalCluster.start()
    const cluster = await embedded
    if (cluster.state === 'hung') await cluster.resume()
    const topic = `conformance-${++topics}`
    await cluster.createTopic(topic)
    return new RealBench(cluster, topic)
  },
}

after(async function () {
  this.timeout(60_000)
  for (const connecting of bareProducers.values()) {
    const producer = await connecting.catch(() => undefined)
    if (producer !== undefined) await new Promise<void>((resolve) => producer.disconnect(() => resolve()))
  }
  for (const starting of [started, embedded]) await (await starting?.catch(() => undefined))?.stop()
})

/** Looked at this often: by default, a log older than its retention is removed within five minutes. */
const RETENTION = { 'log.retention.check.interval.ms': 200, 'log.initial.task.delay.ms': 200 }
const PATIENCE_MS = 30_000
const LOOK_AGAIN_MS = 5
const CLIENT_AGAIN_MS = 200
