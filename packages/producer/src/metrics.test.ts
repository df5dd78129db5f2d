import { bytes, METRICS, RecordingMeter, type MetricInfo } from '@tandem/common/internal'
import { expect } from 'chai'

import type { ClientStatistics, ClusterClientHandler, ClusterClientOptions } from './kafka/cluster-client.js'
import type { Message } from './message.js'
import type { Producer } from './producer.js'
import { outcome, World } from './world.test.js'

function message(value: string, topic = 'entries'): Message {
  return { topic, key: 'k', value }
}

/** What the gauges say now: `name cluster` -> value. */
function gauges(meter: RecordingMeter): Record<string, number> {
  return Object.fromEntries(
    meter.collect().map(({ name, value, attributes }) => {
      expect(attributes).to.include({ producer_id: 'p' })
      const { cluster } = attributes as { cluster?: string }
      return [cluster === undefined ? name : `${name} ${cluster}`, value]
    }),
  )
}

describe('producer: metrics', () => {
  it('measures each send() by the semantic conventions, from the call to the answer', async () => {
    const world = new World()
    const meter = new RecordingMeter()
    const producer = await world.connected({ meter })
    world.east.delayMs = world.west.delayMs = 250
    const many = producer.sendMany([message('b'), message('c')])
    await Promise.all([producer.send(message('a')), many, world.pass(1_000)])
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.destination.name': 'entries',
    }
    expect(meter.of('messaging.client.operation.duration')).to.deep.equal(
      Array.from({ length: 3 }, () => ({
        name: 'messaging.client.operation.duration',
        value: 0.25,
        attributes: { ...attributes, 'messaging.operation.type': 'send' },
      })),
    )
    expect(meter.of('messaging.client.sent.messages')).to.deep.equal([
      { name: 'messaging.client.sent.messages', value: 3, attributes },
    ])
  })

  it('tells how a send() failed by its code, counts as sent only what was stamped, and names only topics that are there', async () => {
    const world = new World()
    world.east.topics.set('transfers', 4)
    world.west.topics.set('transfers', 4)
    const meter = new RecordingMeter()
    const producer = await world.connected({ meter, sendTimeoutMs: 1_000 })
    const answers = [
      producer.send(message('a', 'transfers')),
      producer.send(message('b', 'nowhere')),
      producer.send(null as never),
      producer.send(message('c'), { timeoutMs: -1 }),
      producer.send(message('d'), { signal: AbortSignal.abort() }),
    ].map(outcome)
    await world.pass(100)
    world.east.hang()
    world.west.hang()
    answers.push(outcome(producer.send(message('e'))))
    await world.pass(5_000)
    await Promise.all(answers)
    const told = (metric: string): string[] =>
      meter
        .of(metric)
        .map(({ attributes }) => [attributes!['messaging.destination.name'], attributes!['error.type']])
        .map(([topic, code]) => `${String(topic)} ${String(code)}`)
        .sort()
    expect(told('messaging.client.operation.duration')).to.deep.equal([
      'entries TANDEM_ABORTED',
      'entries TANDEM_OPTIONS_INVALID',
      'entries TANDEM_UNDELIVERED',
      'transfers undefined',
      'undefined TANDEM_MESSAGE_INVALID',
      'undefined TANDEM_TOPIC_MISSING',
    ])
    expect(told('messaging.client.sent.messages')).to.deep.equal(['entries TANDEM_UNDELIVERED', 'transfers undefined'])
  })

  it('measures a send() once, also if its codec fails after its caller has given up', async () => {
    const world = new World()
    const meter = new RecordingMeter()
    let fail = (): void => undefined
    const encode = (): Promise<never> => new Promise((_, reject) => (fail = () => reject(new Error('late'))))
    const codec = { ...bytes, encode }
    const producer = await world.connected({ meter, topics: { entries: { codec: codec } } })
    const answer = outcome(producer.send(message('a'), { timeoutMs: 10 }))
    await world.pass(100)
    fail()
    await world.pass(100)
    expect(await answer).to.include({ code: 'TANDEM_ABORTED' })
    const codes = meter.of('messaging.client.operation.duration').map(({ attributes }) => attributes!['error.type'])
    expect(codes).to.deep.equal(['TANDEM_ABORTED'])
  })

  it('shows an outage: who is away, what waits for it, and what the other alone holds', async () => {
    const world = new World()
    const meter = new RecordingMeter()
    const producer = await world.connected({ meter })
    await Promise.all([producer.send(message('a')), world.pass(100)])
    expect(gauges(meter)).to.deep.equal({ ...quiet('east'), ...quiet('west'), ...QUIET })
    world.west.hang()
    await Promise.all([producer.send(message('b')), producer.send(message('c')), world.pass(10_000)])
    const { east, west } = producer.status().clusters
    expect(gauges(meter)).to.deep.equal({
      ...quiet('east'),
      ...quiet('west'),
      ...QUIET,
      'tandem_producer_away west': 1,
      'tandem_producer_circuits_open west': 1,
      'tandem_producer_backlog_records west': 2,
      'tandem_producer_backlog_bytes west': west!.backlog.bytes,
      'tandem_producer_oldest_unacknowledged_seconds west': 10,
      'tandem_producer_exposure_messages east': 2,
      'tandem_producer_exposure_bytes east': east!.exposure.bytes,
      'tandem_producer_exposure_oldest_seconds east': 9.999,
    })
    expect([west!.backlog.bytes, east!.exposure.bytes].every((bytes) => bytes > 0)).to.equal(true)
    world.west.resume()
    await world.pass(30_000)
    expect(gauges(meter)).to.deep.equal({ ...quiet('east'), ...quiet('west'), ...QUIET })
    expect(meter.sum('tandem_lane_away_total')).to.equal(1)
  })

  it('gives every instrument the unit and the meaning that are documented', async () => {
    const world = new World()
    const meter = new RecordingMeter()
    const bench = new StatisticsBench(world)
    const producer = await bench.connected(meter)
    bench.say('east', { grown: { ...NOTHING, ...Object.fromEntries(Object.keys(NOTHING).map((name) => [name, 1])) } })
    await Promise.all([producer.send(message('a')), world.pass(100)])
    const documented = Object.entries<MetricInfo>(METRICS)
    expect([...meter.made.keys()].filter((name) => !/^tandem_cluster_/.test(name)).sort()).to.deep.equal(
      documented.map(([name]) => name).sort(),
    )
    for (const [name, { kind, unit, meaning }] of documented) {
      const [made, options] = meter.made.get(name)!
      expect(made).to.equal(kind)
      expect(options).to.include({ unit, description: meaning })
    }
    for (const { name, attributes } of [...meter.told, ...meter.collect()]) {
      if (name in METRICS)
        expect(METRICS[name as keyof typeof METRICS].attributes).to.include.members(Object.keys(attributes!))
    }
  })

  it("shows its clients' statistics per cluster, until they are too old", async () => {
    const world = new World()
    const meter = new RecordingMeter()
    const bench = new StatisticsBench(world)
    await bench.connected(meter)
    expect(bench.asked).to.deep.equal([
      ['east', 5_000],
      ['west', 5_000],
    ])
    bench.say('east', { roundTripP99Ms: 12, requestsInFlight: 3, grown: { ...NOTHING, connects: 2 } })
    bench.say('east', { roundTripP99Ms: 14, requestsInFlight: 4, grown: { ...NOTHING, connects: 1 } })
    bench.say('west', { roundTripP99Ms: undefined, queueMessages: 7, queueBytes: 70, requestsWaiting: 1 })
    await world.pass(100)
    const clients = (): Record<string, number> =>
      Object.fromEntries(Object.entries(gauges(meter)).filter(([name]) => name.startsWith('tandem_client_')))
    expect(clients()).to.deep.equal({
      'tandem_client_round_trip_p99_seconds east': 0.014,
      'tandem_client_requests_in_flight east': 4,
      'tandem_client_requests_waiting east': 0,
      'tandem_client_queue_messages east': 0,
      'tandem_client_queue_bytes east': 0,
      'tandem_client_requests_in_flight west': 0,
      'tandem_client_requests_waiting west': 1,
      'tandem_client_queue_messages west': 7,
      'tandem_client_queue_bytes west': 70,
    })
    expect(meter.told.filter(({ name }) => name.startsWith('tandem_client_'))).to.deep.equal([
      { name: 'tandem_client_connects_total', value: 3, attributes: { producer_id: 'p', cluster: 'east' } },
    ])
    await world.pass(10_000)
    bench.say('west', {})
    await world.pass(5_000)
    expect(Object.keys(clients()).every((name) => name.endsWith('west'))).to.equal(true)
    expect(Object.keys(clients())).to.have.length(5)
  })

  it('asks no client for statistics, and measures nothing, if nobody gave a meter', async () => {
    const world = new World()
    const bench = new StatisticsBench(world)
    await bench.connected(undefined)
    expect(bench.asked).to.deep.equal([
      ['east', undefined],
      ['west', undefined],
    ])
  })

  it('takes its gauges back when it is closed, and has told everything by then', async () => {
    const world = new World()
    const meter = new RecordingMeter()
    const idle = world.producer({ meter })
    expect(meter.callbacks).to.equal(0)
    await idle.close()
    const producer = await world.connected({ meter })
    expect(meter.callbacks).to.equal(1)
    world.east.hang()
    world.west.hang()
    const sent = outcome(producer.send(message('a')))
    const closed = producer.close({ timeoutMs: 100 })
    await world.pass(5_000)
    await Promise.all([sent, closed])
    expect([meter.callbacks, meter.collect()]).to.deep.equal([0, []])
    expect(meter.of('messaging.client.sent.messages').map(({ attributes }) => attributes!['error.type'])).to.deep.equal(
      ['TANDEM_UNDELIVERED'],
    )
  })

  it('is not disturbed by a meter that throws', async () => {
    const world = new World()
    const fail = (): never => {
      throw new Error('no exporter')
    }
    const meters = [
      new Proxy({ createCounter: fail }, { get: () => fail }),
      new Proxy({ createCounter: fail }, { get: () => () => new Proxy({}, { get: () => fail }) }),
    ]
    for (const meter of meters) {
      const producer = await world.connected({ meter: meter as never })
      const [receipt] = await Promise.all([producer.send(message('a')), world.pass(100)])
      expect(receipt.clusters).to.have.keys('east', 'west')
      await Promise.all([producer.close(), world.pass(1_000)])
    }
    expect(world.east.values()).to.deep.equal(['a'])
  })

  it('keeps a rejection that nobody handles as loud as it is without a meter', async () => {
    const world = new World()
    const producer = world.producer({ meter: new RecordingMeter() })
    const loud: unknown[] = []
    const before = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.once('unhandledRejection', (error) => loud.push(error))
    try {
      void producer.send(message('a'))
      await new Promise((resolve) => setTimeout(resolve, 10))
    } finally {
      process.removeAllListeners('unhandledRejection')
      for (const listener of before) process.on('unhandledRejection', listener)
    }
    expect(loud).to.have.length(1)
    expect(loud[0]).to.include({ code: 'TANDEM_NOT_CONNECTED' })
  })

  for (const state of ['up', 'hung'] as const) {
    it(`neither recurses nor stands still when a meter sends and looks for each thing it hears: clusters ${state}`, async () => {
      const world = new World()
      const meter = new SendingMeter(() => world.clock.now())
      const producer = await world.connected({ meter, whenBothAway: { policy: 'reject' } })
      meter.producer = producer
      world.east.state = world.west.state = state
      meter.send()
      await world.pass(20)
      for (let i = 0; i < 20; i++) {
        meter.collect()
        await world.pass(500)
      }
      expect([meter.deepest, meter.looks > 0]).to.deep.equal([1, true])
      // One thing heard brings forth a bounded number of others, none in the same turn.
      expect(meter.sends).to.be.within(20, 200_000)
      meter.producer = undefined
      world.east.resume()
      world.west.resume()
      await world.pass(20_000)
      const after = producer.send(message('after'))
      await world.pass(100)
      expect((await after).position.counter).to.be.above(0)
      const closed = producer.close()
      await world.pass(15_000)
      expect((await closed).unsettled).to.deep.equal([])
    })
  }

  it('answers a send() that a meter calls after the producer was closed', async () => {
    const world = new World()
    const meter = new SendingMeter(() => world.clock.now())
    const producer = await world.connected({ meter })
    meter.producer = producer
    meter.send()
    const closed = producer.close()
    await world.pass(10_000)
    await closed
    expect(meter.deepest).to.equal(1)
    expect(meter.answers).to.equal(meter.sends)
  })
})

/** Calls `send()` and `status()` of the producer for each thing it is told or asks; at most one a millisecond. */
class SendingMeter extends RecordingMeter {
  producer: Producer | undefined
  deepest = 0
  sends = 0
  answers = 0
  looks = 0
  #depth = 0
  #sentAt = -1

  constructor(readonly now: () => number) {
    super()
  }

  override createCounter(): { add: () => void } {
    return { add: () => this.send() }
  }

  override createHistogram(): { record: () => void } {
    return { record: () => this.send() }
  }

  override collect(): ReturnType<RecordingMeter['collect']> {
    const observed = super.collect()
    for (const _ of observed) {
      this.#sentAt = -1
      this.send()
    }
    return observed
  }

  send(): void {
    this.deepest = Math.max(this.deepest, ++this.#depth)
    if (this.producer !== undefined && this.#sentAt !== this.now()) {
      this.#sentAt = this.now()
      this.sends++
      this.looks += Object.keys(this.producer.status().clusters).length
      const answered = (): void => void this.answers++
      this.producer.send(message(`sent ${this.sends}`)).then(answered, answered)
    }
    this.#depth--
  }
}

/** Clients that say of themselves what the test wants. */
class StatisticsBench {
  readonly asked: [string, number | undefined][] = []
  readonly #handlers = new Map<string, ClusterClientHandler>()

  constructor(readonly world: World) {}

  async connected(meter: RecordingMeter | undefined): Promise<Producer> {
    const producer = this.world.producer(meter === undefined ? {} : { meter }, ({ clusterClient }) => ({
      clusterClient: (options: ClusterClientOptions, handler: ClusterClientHandler) => {
        this.asked.push([options.cluster, options.statisticsIntervalMs])
        this.#handlers.set(options.cluster, handler)
        return clusterClient(options, handler)
      },
    }))
    await Promise.all([producer.connect(), this.world.pass(1_000)])
    return producer
  }

  say(cluster: string, statistics: Partial<ClientStatistics>): void {
    this.#handlers.get(cluster)!.handleStatistics!({
      roundTripP99Ms: 1,
      requestsInFlight: 0,
      requestsWaiting: 0,
      queueMessages: 0,
      queueBytes: 0,
      grown: NOTHING,
      ...statistics,
    })
  }
}

const NOTHING: ClientStatistics['grown'] = {
  transmitErrors: 0,
  receiveErrors: 0,
  requestTimeouts: 0,
  requestRetries: 0,
  connects: 0,
  disconnects: 0,
}

const QUIET = {
  tandem_producer_window_messages: 0,
  tandem_producer_window_bytes: 0,
  tandem_producer_window_waiting: 0,
}

function quiet(cluster: string): Record<string, number> {
  const names = Object.keys(METRICS).filter((name) => /^tandem_producer_(?!window|journal)/.test(name))
  return Object.fromEntries(names.map((name) => [`${name} ${cluster}`, 0]))
}
