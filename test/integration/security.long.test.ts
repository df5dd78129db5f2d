import { inspect } from 'node:util'

import { type Logger, type TandemEvent } from '@tandem/common'
import { Consumer, MemoryHighWaterStore } from '@tandem/consumer'
import { ClockEpochs, Producer, type Receipt } from '@tandem/producer'
import { KafkaCluster } from '@tandem/testing'
import { expect } from 'chai'
import rdkafka from 'node-rdkafka'

import { until } from './program.js'

/** Each cluster has its own authority, user and password. What is wrong at one of them is told, and the other goes on. */
describe('TLS and SASL/SCRAM on both clusters', function () {
  this.timeout(120_000)

  const PASSWORDS = {
    east: 'of-the-east-4711',
    west: 'of-the-west-0815',
    wrong: 'of-nobody-1234',
    later: 'of-later-5678',
  }
  let east: KafkaCluster
  let west: KafkaCluster

  before(async () => {
    const start = (name: 'east' | 'west', proxied: boolean): Promise<KafkaCluster> =>
      KafkaCluster.start({ name, proxied, security: { users: { [`${name}-ledger`]: PASSWORDS[name] } } })
    ;[east, west] = await Promise.all([start('east', false), start('west', true)])
  })

  after(() => Promise.all([east?.stop(), west?.stop()]))

  const WRONG = {
    password: {
      properties: { 'sasl.password': PASSWORDS.wrong },
      cause: /Authentication failed .*invalid credentials/,
    },
    authority: { properties: () => authorityOf(east), cause: /certificate verify failed/ },
  }

  /** What the west is given, if not what is right. */
  function clusters(
    ofWest: Record<string, string> = {},
    ofEast: Record<string, string> = {},
  ): Record<string, Record<string, string>> {
    return { east: { ...east.clientProperties(), ...ofEast }, west: { ...west.clientProperties(), ...ofWest } }
  }

  function authorityOf(cluster: KafkaCluster): Record<string, string> {
    return { 'ssl.ca.pem': cluster.clientProperties()['ssl.ca.pem']! }
  }

  it('writes each message to both and delivers it once, over a renewal of the certificates', async () => {
    await using run = await Run.start(east, west, 'renewed', clusters())
    await run.send(1, 100)
    await Promise.all([east, west].map((cluster) => cluster.renewCertificates()))
    west.nodes[0]!.proxy!.cut() // what is open stays open; only new connections see the new one
    await run.send(101, 100)
    await run.settles(200)
    await run.delivers(200)
    for (const cluster of [east, west]) expect(await recordsIn(cluster, run.topic)).to.be.at.least(200)
  })

  for (const [what, { properties, cause }] of Object.entries(WRONG)) {
    it(`goes on with one cluster when the other's ${what} is wrong, and says so`, async () => {
      const wrong = typeof properties === 'function' ? properties() : properties
      await using run = await Run.start(east, west, `wrong-${what}`, clusters(wrong))
      const receipts = await run.send(1, 100)
      for (const { clusters } of receipts) {
        expect(clusters['east'], 'the east has it').to.not.equal(undefined)
        expect(clusters['west'], 'the west has it').to.equal(undefined)
      }
      await run.delivers(100)
      await until('both sides say why', () => run.heard.unreachable.length >= 2)
      for (const event of run.heard.unreachable) {
        expect(event).to.have.property('cluster', 'west')
        expect(event).to.have.property('reason').that.matches(cause)
      }
      run.heard.expectNoSecret(PASSWORDS)
    })
  }

  it('takes another user into use while it writes, without a pause, and refuses one that cannot get in', async () => {
    await using run = await Run.start(east, west, 'another-user', clusters())
    await run.send(1, 100)
    await west.setPassword('west-second', PASSWORDS.later)
    const sends = run.send(101, 2_000)
    await run.changes('west', west.clientProperties('west-second'))
    await sends
    const wrong = { ...west.clientProperties(), ...WRONG.password.properties }
    const error = await run.changes('west', wrong).catch((reason: Error) => reason)
    expect(String(error)).to.match(WRONG.password.cause)
    await run.send(2_101, 100)
    await run.settles(2_200)
    await run.delivers(2_200)
    expect(run.heard.kinds).to.not.include('lane-away')
    expect(await recordsIn(west, run.topic), 'in the west').to.be.at.least(2_200)
  })

  it('names the cause at both, when neither lets it in', async () => {
    const heard = new Heard()
    const options = {
      clusters: clusters(WRONG.authority.properties(), WRONG.password.properties),
      connectTimeoutMs: 8_000,
    }
    const producer = new Producer({ ...options, producerId: 'ledger', epochs: new ClockEpochs(), logger: heard.logger })
    const consumer = new Consumer({
      ...options,
      groupId: 'balances',
      topics: ['renewed'],
      highWater: new MemoryHighWaterStore(),
      logger: heard.logger,
    })
    for (const one of [producer, consumer]) one.events$.subscribe((event) => heard.events.push(event))
    const [ofProducer, ofConsumer] = (await Promise.all(
      [producer, consumer].map((one) => one.connect().catch((error: unknown) => error)),
    )) as [Error, Error]
    heard.errors.push(ofProducer, ofConsumer)
    expect([ofProducer, ofConsumer].map((error) => (error as { code?: unknown }).code)).to.deep.equal([
      'TANDEM_CLUSTERS_UNREACHABLE',
      'TANDEM_CLUSTERS_UNREACHABLE',
    ])
    expect(ofProducer.message).to.match(WRONG.password.cause).and.to.match(WRONG.authority.cause)
    for (const cluster of ['east', 'west']) {
      expect(heard.unreachable.filter((event) => event.cluster === cluster)).to.have.length.of.at.least(2)
    }
    heard.expectNoSecret(PASSWORDS)
    await Promise.all([producer.close(), consumer.close()])
  })

  it('survives that a password is changed while it runs, and takes the cluster back when it is right again', async () => {
    await using run = await Run.start(east, west, 'changed', clusters())
    await run.send(1, 100)
    await run.settles(100)
    await west.setPassword('west-ledger', PASSWORDS.later)
    west.nodes[0]!.proxy!.cut()
    await run.send(101, 100)
    await run.delivers(200)
    await until('the producer says why', () => run.heard.unreachable.length > 0)
    expect(run.heard.unreachable[0]).to.include({ cluster: 'west' })
    expect(run.heard.unreachable[0]!.reason).to.match(WRONG.password.cause)
    await west.setPassword('west-ledger', PASSWORDS.west)
    await run.settles(200)
    await run.delivers(200)
    expect(run.heard.kinds).to.include.members(['lane-away', 'lane-returned'])
    run.heard.expectNoSecret(PASSWORDS)
  })
})

/** A producer and a consumer, and all that they say. */
class Run implements AsyncDisposable {
  static async start(
    east: KafkaCluster,
    west: KafkaCluster,
    topic: string,
    clusters: Record<string, Record<string, string>>,
  ): Promise<Run> {
    await Promise.all([east, west].map((cluster) => cluster.createTopic(topic, { partitions: 4 })))
    const run = new Run(topic, clusters)
    await Promise.all([run.#producer.connect(), run.#consumer.connect()])
    return run
  }

  readonly topic: string
  readonly heard = new Heard()
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #settled: Receipt[] = []
  readonly #delivered: number[] = []

  private constructor(topic: string, clusters: Record<string, Record<string, string>>) {
    this.topic = topic
    const { logger } = this.heard
    const both = { clusters, logger }
    this.#producer = new Producer({ ...both, producerId: 'ledger', topics: { [topic]: {} }, epochs: new ClockEpochs() })
    this.#consumer = new Consumer({
      ...both,
      groupId: 'balances',
      topics: [topic],
      highWater: new MemoryHighWaterStore(),
      feedAwayAfterMs: 2_000, // by default a sequence that is just beginning waits 10 s for a cluster that is away
    })
    for (const one of [this.#producer, this.#consumer]) one.events$.subscribe((event) => this.heard.events.push(event))
    this.#consumer.deliveries$.subscribe((delivery) => {
      this.#delivered.push(Number(String(delivery.value)))
      delivery.ack()
    })
  }

  /** Sends so many numbers; resolves when each send has. */
  async send(first: number, count: number): Promise<Receipt[]> {
    const numbers = Array.from({ length: count }, (_, index) => first + index)
    const receipts = await Promise.all(
      numbers.map((number) =>
        this.#producer.send({ topic: this.topic, key: `account-${number % 10}`, value: String(number) }),
      ),
    )
    for (const receipt of receipts) void receipt.settled().then((settled) => this.#settled.push(settled))
    return receipts
  }

  /** The producer is given other properties for a cluster. */
  changes(cluster: string, properties: Record<string, string>): Promise<void> {
    return this.#producer.setClusterProperties(cluster, properties)
  }

  /** Both clusters acknowledged the first `count` messages. */
  async settles(count: number): Promise<void> {
    await until(`${count} are settled`, () => this.#settled.length >= count)
    for (const { clusters } of this.#settled) {
      expect([clusters['east'], clusters['west']], inspect(clusters)).to.not.include(undefined)
    }
  }

  /** 1 … count, each once. */
  async delivers(count: number): Promise<void> {
    await until(`${count} are delivered`, () => this.#delivered.length >= count)
    expect(this.#delivered.toSorted((a, b) => a - b)).to.deep.equal(Array.from({ length: count }, (_, i) => i + 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#producer.close({ timeoutMs: 100 }), this.#consumer.close()])
  }
}

/** Everything that somebody else might read. */
class Heard {
  readonly events: TandemEvent[] = []
  readonly errors: unknown[] = []
  readonly #lines: unknown[] = []
  readonly logger: Logger = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [level, (...line: unknown[]) => this.#lines.push([level, line])]),
  ) as unknown as Logger

  get kinds(): string[] {
    return this.events.map(({ kind }) => kind)
  }

  get unreachable(): Extract<TandemEvent, { kind: 'cluster-unreachable' }>[] {
    return this.events.filter((event) => event.kind === 'cluster-unreachable')
  }

  expectNoSecret(secrets: Readonly<Record<string, string>>): void {
    expect(this.events, 'events').to.not.be.empty
    expect(this.#lines, 'lines of the log').to.not.be.empty
    const text = inspect([this.events, this.errors, this.#lines], {
      depth: Infinity,
      showHidden: true,
      maxArrayLength: Infinity,
      maxStringLength: Infinity,
    })
    expect(text, 'all that was said').to.include('cluster-unreachable')
    for (const secret of Object.values(secrets)) expect(text.includes(secret), `${secret} was said`).to.equal(false)
  }
}

/** As many as the log says, by a client that knows nothing of tandem. */
async function recordsIn(cluster: KafkaCluster, topic: string): Promise<number> {
  const client = new rdkafka.KafkaConsumer({ ...cluster.clientProperties(), 'group.id': 'census' }, {})
  await new Promise<void>((resolve, reject) => client.connect({}, (error) => (error ? reject(error) : resolve())))
  const ends = await Promise.all(
    [0, 1, 2, 3].map(
      (partition) =>
        new Promise<number>((resolve, reject) => {
          client.queryWatermarkOffsets(topic, partition, 10_000, (error, { lowOffset, highOffset }) =>
            error ? reject(error) : resolve(highOffset - lowOffset),
          )
        }),
    ),
  )
  await new Promise<void>((resolve) => client.disconnect(() => resolve()))
  return ends.reduce((sum, count) => sum + count, 0)
}
