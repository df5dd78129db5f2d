import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { expect } from 'chai'
import rdkafka from 'node-rdkafka'

import { Consumer } from '../consumer.js'
import type { Delivery } from '../delivery.js'
import { MemoryHighWaterStore } from '../high-water/memory-high-water-store.js'
import type { FeedClientHandler } from './feed-client.js'
import { connectionsOf, KafkaFeedClient, type Statistics } from './kafka-feed-client.js'
import { END, NONE } from './questions.js'

const HANDLER: FeedClientHandler = {
  handleConnected: () => undefined,
  handleConnectFailed: () => undefined,
  handleSilence: () => undefined,
  handleBatch: () => undefined,
  handlePollFailed: () => undefined,
}

function createClient(
  properties: Record<string, string> = {},
  handler: Partial<FeedClientHandler> = {},
  connectTimeoutMs = 100,
): KafkaFeedClient {
  const all = { 'bootstrap.servers': '127.0.0.1:1', ...properties }
  const options = { cluster: 'east', groupId: 'g', properties: all, topics: ['t'], connectTimeoutMs }
  return new KafkaFeedClient(options, { ...HANDLER, ...handler })
}

const AT = { topic: 't', partition: 0 }

describe('kafka feed client', () => {
  it('names a property that librdkafka does not know, or a value that it does not take', () => {
    for (const wrong of [{ 'fetch.min.bites': '1' }, { 'fetch.min.bytes': 'many' }] as Record<string, string>[]) {
      expect(() => createClient(wrong))
        .to.throw(Object.keys(wrong)[0])
        .with.property('code', 'TANDEM_OPTIONS_INVALID')
    }
  })

  it('says why it does not connect', async () => {
    let client: KafkaFeedClient | undefined
    const reason = await new Promise<string>((resolve) => {
      client = createClient({}, { handleConnectFailed: resolve }, 2_000)
      client.connect()
    })
    expect(reason).to.equal('127.0.0.1:1: Connect to ipv4#127.0.0.1:1 failed: Connection refused')
    await new Promise<void>((resolve) => client!.close(resolve))
  }).timeout(10_000)

  it('is closed after close() has returned, also if it never connected', async () => {
    const client = createClient()
    let closed = 0
    client.close(() => closed++)
    expect(closed).to.equal(0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(closed).to.equal(1)
  })
})

describe('connections in the statistics', () => {
  const statistics = (disconnects: readonly number[], leaders: readonly number[]): string => {
    const brokers = disconnects.map((count, index) => [
      `b${index}`,
      { source: 'learned', nodeid: index - 1, disconnects: count },
    ])
    const partitions = leaders.map((leader, partition) => [partition, { leader }])
    const topics = { entries: { partitions: { ...Object.fromEntries(partitions), '-1': { leader: -1 } } } }
    return connectionsOf({ brokers: Object.fromEntries(brokers) as Statistics['brokers'], topics })
  }

  it('tell of other leaders and of lost connections to those, and of nothing else', () => {
    const before = statistics([1, 2, 3, 4], [0, 1])
    expect(statistics([1, 2, 3, 4], [0, 1])).to.equal(before)
    expect(statistics([9, 2, 3, 9], [0, 1]), 'bootstrap, and one that leads nothing').to.equal(before)
    expect(statistics([1, 2, 4, 4], [0, 1])).to.not.equal(before)
    expect(statistics([1, 2, 3, 4], [0, 2])).to.not.equal(before)
  })
})

describe('kafka feed client on a librdkafka that is watched', () => {
  const prototype = rdkafka.KafkaConsumer.prototype as unknown as Record<string, unknown>
  const originals = new Map<string, PropertyDescriptor | undefined>()

  /** What librdkafka answers is given by the test. */
  function script(name: string, call: (this: rdkafka.KafkaConsumer, ...all: never[]) => void): void {
    if (!originals.has(name)) originals.set(name, Object.getOwnPropertyDescriptor(prototype, name))
    prototype[name] = call
  }

  afterEach(() => {
    for (const [name, original] of originals) {
      if (original === undefined) Reflect.deleteProperty(prototype, name)
      else Object.defineProperty(prototype, name, original)
    }
    originals.clear()
  })

  it('leaves nothing of an attempt to connect that failed, also if it was closed meanwhile', async () => {
    const natives: WeakRef<object>[] = []
    const connect = prototype['connect'] as (...all: unknown[]) => void
    script('connect', function (...all: unknown[]) {
      natives.push(new WeakRef(this))
      connect.apply(this, all)
    })
    const attempt = async (closeAtOnce: boolean): Promise<void> => {
      await new Promise<void>((resolve) => {
        const client = createClient({}, { handleConnectFailed: () => client.close(resolve) })
        client.connect()
        if (closeAtOnce) client.close(resolve)
      })
    }
    for (const closeAtOnce of [false, false, true]) await attempt(closeAtOnce)
    expect(natives).to.have.length(3)
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const left = (): number => natives.filter((native) => native.deref() !== undefined).length
    for (let tries = 0; tries < 100 && left() > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      collect()
    }
    expect(left()).to.equal(0)
  })

  it('finds a record that is written while it asks for the first one after a time', () => {
    // Another one is written whenever something is asked.
    let end = 7
    const asked: number[] = []
    script('offsetsForTimes', ([{ offset: timeMs }]: [{ offset: number }], _ms: number, done: Answer) => {
      asked.push(timeMs)
      done(null, [{ ...AT, offset: timeMs === END ? end : NONE }])
      end++
    })
    const found: (number | undefined)[] = []
    createClient().queryTime(AT, 1_700_000_000_000, (offset) => found.push(offset))
    expect(found).to.deep.equal([7])
    expect(asked).to.deep.equal([END, 1_700_000_000_000])
  })

  it('takes an error about a partition for no word of its commit', async () => {
    for (const [answer, expected] of [
      [new Error('Broker: There are unstable offsets that need to be cleared'), undefined],
      [AT, -1],
      [{ ...AT, offset: 7 }, 7],
    ] as const) {
      script('committed', (_: unknown, _ms: number, done: Answer) => done(null, [answer]))
      const found = await new Promise((resolve) => createClient().queryCommitted(AT, resolve))
      expect(found).to.equal(expected)
    }
  })

  it('finds nothing by time if one of the two answers does not come', () => {
    for (const missing of [END, 1]) {
      for (const answers of [undefined, [new Error('Broker: Not leader for partition')]]) {
        script('offsetsForTimes', ([{ offset: timeMs }]: [{ offset: number }], _ms: number, done: Answer) => {
          if (timeMs !== missing) done(null, [{ ...AT, offset: 5 }])
          else done(answers === undefined ? new Error('timed out') : null, answers)
        })
        const found: (number | undefined)[] = []
        createClient().queryTime(AT, 1, (offset) => found.push(offset))
        expect(found, String(missing)).to.deep.equal([undefined])
      }
    }
  })
})

describe('kafka feed client on an embedded cluster', () => {
  it('brings a header named __proto__ like any other, to a consumer that goes on', async () => {
    const clusters = await Promise.all([EmbeddedCluster.start(), EmbeddedCluster.start()])
    const [east, west] = clusters
    for (const cluster of clusters) {
      for (const counter of [1, 2]) {
        await cluster.write([{ ['__proto__']: 'hello' }, { tandem: `1:d:p:1:1:0:${counter}:1` }, { other: 'x' }])
      }
    }
    const consumer = new Consumer({
      groupId: 'g',
      clusters: { east: east.properties, west: west.properties },
      topics: ['entries'],
      highWater: new MemoryHighWaterStore(),
    })
    const deliveries: Delivery[] = []
    try {
      await new Promise<void>((resolve, reject) => {
        consumer.deliveries$.subscribe({
          next: (delivery) => {
            deliveries.push(delivery)
            delivery.ack()
            if (deliveries.length === 2) resolve()
          },
          error: reject,
        })
      })
      for (const { headers } of deliveries) {
        const texts = Object.entries(headers).map(([name, bytes]) => [name, String(bytes)])
        expect(texts).to.deep.equal([
          ['__proto__', 'hello'],
          ['other', 'x'],
        ])
      }
      // The other copy may come a moment later.
      while (consumer.status().duplicatesDropped < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    } finally {
      await consumer.close()
      for (const cluster of clusters) await cluster.stop()
    }
  }).timeout(20_000)
})

type Answer = (error: unknown, value?: unknown) => void

/** librdkafka's mock cluster, and a producer for it. */
class EmbeddedCluster {
  readonly #producer: rdkafka.Producer
  readonly properties: Record<string, string>

  private constructor(producer: rdkafka.Producer, { brokers }: rdkafka.Metadata) {
    this.#producer = producer
    this.properties = { 'bootstrap.servers': brokers.map(({ host, port }) => `${host}:${port}`).join() }
  }

  static async start(): Promise<EmbeddedCluster> {
    const properties = { 'bootstrap.servers': 'embedded', 'test.mock.num.brokers': 1 }
    const producer = new rdkafka.Producer(properties)
    const metadata = await new Promise<rdkafka.Metadata>((resolve, reject) => {
      producer.connect({ timeout: 10_000 }, (error, answer) => (error ? reject(error) : resolve(answer)))
    })
    return new EmbeddedCluster(producer, metadata)
  }

  async write(headers: rdkafka.MessageHeader[]): Promise<void> {
    this.#producer.produce('entries', 0, Buffer.from('value'), 'key', 1, undefined, headers)
    await new Promise<void>((resolve, reject) => {
      this.#producer.flush(10_000, (error) => (error ? reject(error) : resolve()))
    })
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#producer.disconnect(() => resolve()))
  }
}
