import { once } from 'node:events'
import { expect } from 'chai'
import rdkafka, { type KafkaConsumer, type LibrdKafkaError, type Message } from 'node-rdkafka'
import { isTandemError, type ErrorCode } from '@tandem/common/internal'
import { KafkaCluster } from './kafka-cluster.js'
import { LocalCluster } from './local-cluster.js'
import type { TestCluster } from './test-cluster.js'

for (const { name, start } of [
  { name: 'LocalCluster', start: () => LocalCluster.start() },
  { name: 'KafkaCluster', start: () => KafkaCluster.start() },
]) {
  describe(`${name} as a TestCluster`, function () {
    this.timeout(60_000)

    let cluster: TestCluster
    before(async () => void (cluster = await start()))
    after(() => cluster.stop())

    it('keeps what is written, in topics of four partitions', async () => {
      await cluster.createTopic('kept')
      await write(cluster, 'kept', 3, ['a', 'b', 'c'])
      expect(await read(cluster, 'kept', 3)).to.deep.equal(['a', 'b', 'c'])
    })

    it('takes a topic twice or says why not', async () => {
      await cluster.createTopic('twice')
      const error: unknown = await cluster.createTopic('twice').catch((error: unknown) => error)
      if (error !== undefined) expect((error as Error).message).to.match(/topic twice was not created: .*exists/i)
    })

    it('answers nothing while it hangs, and all of it when it is resumed', async () => {
      await cluster.createTopic('hung')
      const answered: string[] = []
      await cluster.hang()
      expect(cluster.state).to.equal('hung')
      const writing = write(cluster, 'hung', 0, ['a']).then(() => answered.push('a'))
      // Another client's patience ends, and by then the first one has heard nothing either.
      const error = await patience(cluster)
      expect(error.message).to.match(/timed? ?out|transport failure/i)
      expect(answered).to.deep.equal([])
      await cluster.resume()
      expect(cluster.state).to.equal('running')
      await writing
      expect(await read(cluster, 'hung', 0)).to.deep.equal(['a'])
    })

    it('is killed once and for all calls, and says what it is', async () => {
      const other = await start()
      expect(other.state).to.equal('running')
      await other.hang()
      await other.kill()
      await other.kill()
      expect(other.state).to.equal('killed')
      await expectError(other.hang(), 'TANDEM_SERVICE_FAILED')
      await expectError(other.resume(), 'TANDEM_SERVICE_FAILED')
      await Promise.all([other.stop(), other.stop()])
      expect(other.state).to.equal('stopped')
      await expectError(other.hang(), 'TANDEM_CLOSED')
      await expectError(other.kill(), 'TANDEM_CLOSED')
    })
  })
}

describe('LocalCluster', function () {
  this.timeout(30_000)

  it('has as many brokers as it is told', async () => {
    await using cluster = await LocalCluster.start({ brokers: 3 })
    expect(new Set(cluster.bootstrapServers.split(','))).to.have.property('size', 3)
  })

  it('refuses options that it does not have', async () => {
    await expectError(LocalCluster.start({ brokers: 0 }), 'TANDEM_OPTIONS_INVALID')
    await expectError(LocalCluster.start({ broker: 1 } as object), 'TANDEM_OPTIONS_INVALID')
  })

  it('refuses a topic of other than four partitions, or with a configuration', async () => {
    await using cluster = await LocalCluster.start()
    await expectError(cluster.createTopic('topic', { partitions: 3 }), 'TANDEM_OPTIONS_INVALID')
    await expectError(cluster.createTopic('topic', { config: { 'retention.ms': '1' } }), 'TANDEM_OPTIONS_INVALID')
  })

  it('keeps the last 5 MiB of a partition', async () => {
    await using cluster = await LocalCluster.start()
    await cluster.createTopic('much')
    const kilobyte = 'x'.repeat(1024)
    const sent = 8 * 1024
    await write(cluster, 'much', 0, Array<string>(sent).fill(kilobyte))
    const kept = (await read(cluster, 'much', 0)).length
    // A batch goes whole, and each record has a few bytes more than its value.
    expect(kept).to.be.within(3 * 1024, 5 * 1024)
  })
})

describe('KafkaCluster', function () {
  this.timeout(60_000)

  it('comes back from kill at the same address with what it acknowledged', async () => {
    await using cluster = await KafkaCluster.start({ name: 'east' })
    const { bootstrapServers } = cluster
    await cluster.createTopic('kept', { partitions: 2 })
    await write(cluster, 'kept', 1, ['a', 'b'])
    await cluster.kill()
    await cluster.restart()
    expect(cluster.bootstrapServers).to.equal(bootstrapServers)
    await write(cluster, 'kept', 1, ['c'])
    expect(await read(cluster, 'kept', 1)).to.deep.equal(['a', 'b', 'c'])
  })

  it('passes on a configuration of a topic, and Kafka’s reason for refusing one', async () => {
    await using cluster = await KafkaCluster.start()
    await cluster.createTopic('small', { partitions: 1, config: { 'max.message.bytes': '1000' } })
    const error = await expectError(write(cluster, 'small', 0, ['x'.repeat(2_000)]))
    expect(error.message).to.match(/message size too large/i)
    const refused = await expectError(
      cluster.createTopic('bad', { config: { 'cleanup.policy': 'both' } }),
      'TANDEM_SERVICE_FAILED',
    )
    expect(refused.message).to.include('cleanup.policy')
  })

  it('shows the end of the log when it does not start', async () => {
    const error = await expectError(
      KafkaCluster.start({ properties: { 'num.io.threads': 'many' } }),
      'TANDEM_SERVICE_FAILED',
    )
    expect(error.message).to.include('num.io.threads').and.to.include('many')
  })

  it('says that it was not ready in time, and leaves nothing', async () => {
    const error = await expectError(KafkaCluster.start({ startTimeoutMs: 100 }), 'TANDEM_SERVICE_FAILED')
    expect(error.message).to.include('not ready after 100 ms')
  })

  it('refuses properties that hold it together, and options that it does not have', async () => {
    await expectError(KafkaCluster.start({ properties: { 'node.id': 7 } }), 'TANDEM_OPTIONS_INVALID')
    await expectError(KafkaCluster.start({ name: 'Far East' }), 'TANDEM_OPTIONS_INVALID')
    await expectError(KafkaCluster.start({ property: {} } as object), 'TANDEM_OPTIONS_INVALID')
  })
})

/** Writes values to one partition, and resolves when all are acknowledged. */
async function write(cluster: TestCluster, topic: string, partition: number, values: string[]): Promise<void> {
  const producer = new rdkafka.HighLevelProducer({
    'bootstrap.servers': cluster.bootstrapServers,
    'enable.idempotence': true,
    log_level: 0,
  })
  producer.on('event.error', () => {}) // a hung cluster is no news here
  try {
    // Without a word of the cluster: a hung one gives none.
    producer.connect({ timeout: 60_000 })
    await once(producer, 'ready')
    await Promise.all(
      values.map(
        (value) =>
          new Promise<void>((resolve, reject) => {
            producer.produce(topic, partition, Buffer.from(value), null, undefined, (error: unknown) => {
              if (error) reject(error)
              else resolve()
            })
          }),
      ),
    )
  } finally {
    await new Promise<void>((resolve) => producer.disconnect(() => resolve()))
  }
}

/** Everything that a partition holds now. */
async function read(cluster: TestCluster, topic: string, partition: number): Promise<string[]> {
  const consumer = new rdkafka.KafkaConsumer(
    { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': 'test', 'enable.auto.commit': false, log_level: 0 },
    { 'auto.offset.reset': 'earliest' },
  )
  try {
    consumer.connect({ timeout: 10_000 })
    await once(consumer, 'ready')
    const { lowOffset, highOffset } = await watermarks(consumer, topic, partition)
    consumer.assign([{ topic, partition, offset: lowOffset }])
    const values: string[] = []
    while (values.length < highOffset - lowOffset) {
      const messages = await new Promise<Message[]>((resolve, reject) => {
        consumer.consume(1_000, (error: LibrdKafkaError | null, messages) => {
          if (error) reject(error)
          else resolve(messages)
        })
      })
      values.push(...messages.map(({ value }) => String(value)))
    }
    return values
  } finally {
    await new Promise<void>((resolve) => consumer.disconnect(() => resolve()))
  }
}

function watermarks(
  consumer: KafkaConsumer,
  topic: string,
  partition: number,
): Promise<{ lowOffset: number; highOffset: number }> {
  return new Promise((resolve, reject) => {
    consumer.queryWatermarkOffsets(topic, partition, 5_000, (error: LibrdKafkaError | null, offsets) => {
      if (error) reject(error)
      else resolve(offsets)
    })
  })
}

/** How a client that waits for a second ends at a cluster that does not answer. */
function patience(cluster: TestCluster): Promise<Error> {
  return new Promise((resolve, reject) => {
    const client = new rdkafka.Producer({ 'bootstrap.servers': cluster.bootstrapServers, log_level: 0 })
    client.on('event.error', () => {})
    client.connect({ timeout: 1_000 }, (error: LibrdKafkaError | null) => {
      if (error) return resolve(error as unknown as Error)
      client.disconnect()
      reject(new Error('it answered'))
    })
  })
}

async function expectError(promise: Promise<unknown>, code?: ErrorCode): Promise<Error> {
  const error = await promise.then(
    () => new Error('nothing was wrong'),
    (error: unknown) => error as Error,
  )
  if (code !== undefined) expect(isTandemError(error, code), `${code} expected, received ${error.stack}`).to.equal(true)
  return error
}
