import { decodeTransfer } from '@tandem/cli/internal'
import { expect } from 'chai'

import { NaiveConsumer } from '../naive/naive-consumer.js'
import type { SimulatedCluster } from '../simulation/cluster.js'
import { SimulatedFeedClient } from '../simulation/simulated-feed-client.js'
import { World } from '../simulation/world.js'
import { Evidence } from './evidence.js'

/**
 * The verdict that demo, chaos and bench are judged by, on loads that went wrong on purpose. A verdict that is good
 * here says nothing anywhere.
 */
describe('verdict', () => {
  it('finds nothing wrong with logs that have holes, when tandem reads them', async () => {
    const load = new Load()
    load.readByTandem()
    punchHoles(load.world.east)
    const { delivery, logs, objections } = await load.judge()
    expect(objections).to.deep.equal([])
    expect(delivery.delivered).to.equal(MESSAGES)
    expect(logs['east']!.voided).to.be.greaterThan(10)
  })

  it('reports losses, when the naive rule reads the same logs', async () => {
    const load = new Load()
    load.readNaively()
    punchHoles(load.world.east)
    load.world.west.slow(100, 'read')
    const { delivery, objections } = await load.judge()
    expect(delivery.lost).to.be.greaterThan(10)
    expect(objections).to.include(`${delivery.lost} acknowledged and lost`)
    expect(objections).to.include('the books do not balance')
  })

  it('reports a message that both logs lack although it was acknowledged', async () => {
    const load = new Load()
    load.readByTandem()
    for (const cluster of load.world.clusters) withhold(cluster, (number) => number === 42)
    const { objections } = await load.judge()
    expect(objections).to.deep.equal([
      `${MESSAGES} acknowledged, but ${MESSAGES - 1} delivered`,
      '1 acknowledged and lost',
      'the books do not balance',
      'the log of east lacks 1 acknowledged messages',
      'the log of west lacks 1 acknowledged messages',
    ])
  })

  it('reports a message that is delivered twice', async () => {
    const load = new Load()
    load.readByTandem((number) => (number === 42 ? 2 : 1))
    const { objections } = await load.judge()
    expect(objections).to.deep.equal(['1 delivered more than once', 'the books do not balance'])
  })

  it('reports a producer that writes to one cluster only', async () => {
    const load = new Load()
    load.readByTandem()
    withhold(load.world.west, () => true)
    const { delivery, objections } = await load.judge()
    expect(delivery.delivered).to.equal(MESSAGES)
    expect(objections).to.deep.equal([`the log of west lacks ${MESSAGES} acknowledged messages`])
  })
})

/** A producer that sends transfers, and somebody who reads them. */
class Load {
  readonly world = new World({ topics: { [TOPIC]: PARTITIONS } })
  readonly #evidence = new Evidence()

  /** @param times how often each message is handed on. */
  readByTandem(times: (number: number) => number = () => 1): void {
    const consumer = this.world.createConsumer({
      groupId: 'books',
      name: 'books-1',
      handle: ({ delivery, late }) => {
        const number = decodeTransfer(delivery.value)?.number ?? 0
        for (let time = 0; time < times(number); time++) this.#evidence.handleDelivered(delivery.value, late)
        return 'at-once'
      },
    })
    consumer.start()
  }

  readNaively(): void {
    const process = this.world.createProcess('naive')
    const { pollTimeoutMs, readRecordsMax } = this.world.settings
    new NaiveConsumer({
      feeds: this.world.clusters.map(({ name: cluster }) => ({
        cluster,
        groupId: 'naive',
        properties: {},
        topics: [TOPIC],
        connectTimeoutMs: 1_000,
      })),
      partitions: { [TOPIC]: PARTITIONS },
      clock: process.clock,
      createFeedClient: (options, handler) => {
        const cluster = this.world.cluster(options.cluster)
        return new SimulatedFeedClient(options, handler, { cluster, process, pollTimeoutMs, readRecordsMax })
      },
      handle: ({ value }) => this.#evidence.handleDelivered(value, false),
    }).start()
  }

  async judge(): Promise<ReturnType<Evidence['judge']>> {
    const { world } = this
    const { producer, ...simulated } = world.createProducer({ producerId: 'ledger', name: 'ledger-1' })
    void producer.connect()
    await world.run(1_000)
    expect(simulated.failure).to.equal(undefined)
    for (let sent = 0; sent < MESSAGES; sent++) {
      const { transfer, message } = this.#evidence.next(TOPIC)
      void producer.send(message).then((receipt) => this.#evidence.handleAcknowledged(transfer, receipt))
      await world.run(5)
    }
    await world.run(SETTLED_MS)
    return this.#evidence.judge(world.clusters)
  }
}

/** One message out of ten is refused for good: a void stands in its place. */
function punchHoles(cluster: SimulatedCluster): void {
  cluster.refuse(({ value }) => value !== null && (decodeTransfer(value)?.number ?? 1) % 10 === 0)
}

/** A cluster that acknowledges and does not write. */
function withhold(cluster: SimulatedCluster, which: (number: number) => boolean): void {
  const append = cluster.append.bind(cluster)
  cluster.append = (topic, partition, entry) => {
    const number = decodeTransfer(entry.value)?.number
    if (number === undefined || !which(number)) return append(topic, partition, entry)
    const offset = cluster.log(topic, partition).end
    return { topic, partition, offset, key: null, value: null, timestampMs: 0, headers: [] }
  }
}

const TOPIC = 'entries'
const PARTITIONS = 4
const MESSAGES = 300
/** protocol.md, I8. */
const SETTLED_MS = 105_000
