import {
  isTandemError,
  json,
  ProducerIdHeldError,
  type Codec,
  type ErrorCode,
  type UndeliveredError,
  type TandemError,
} from '@tandem/common/internal'
import { expect } from 'chai'

import type { EpochStore, EpochTaken, LeaseAnswer } from './epoch/epoch-store.js'
import type { ClusterClient } from './kafka/cluster-client.js'
import type { Message } from './message.js'
import type { Receipt } from './receipt.js'
import { isSettled, outcome, World } from './world.test.js'

function message(value: string, key: string | undefined = 'k'): Message {
  return { topic: 'entries', key, value }
}

function expectError(error: unknown, code: ErrorCode, outcome?: 'not-written' | 'unknown'): void {
  expect(isTandemError(error), String(error)).to.equal(true)
  expect(error).to.include({ code })
  if (outcome !== undefined) expect(error).to.include({ outcome })
}

describe('producer: connect()', () => {
  it('connects to both clusters at once and resolves when both are ready', async () => {
    const world = new World()
    const producer = world.producer()
    const connected = producer.connect()
    expect(producer.connect()).to.equal(connected)
    await world.pass(5)
    await connected
    expect(producer.status()).to.deep.include({ state: 'connected', epoch: 7, incarnation: 500 })
    expect(world.kinds()).to.deep.equal(['cluster-connected', 'cluster-connected'])
  })

  it('starts with one cluster, and writes to the other all that it missed when it is there', async () => {
    const world = new World()
    world.west.hang()
    const producer = world.producer()
    const connected = producer.connect()
    await world.pass(900)
    expect(await isSettled(connected)).to.equal(false)
    await world.pass(200)
    await connected
    const sent = [producer.send(message('a')), producer.send(message('b'))]
    await world.pass(10)
    expect((await sent[0]!).clusters).to.deep.equal({ east: { offset: 0 }, west: undefined })
    world.west.resume()
    await world.pass(20_000)
    expect(world.west.values()).to.deep.equal(['a', 'b'])
    expect((await (await sent[1]!).settled()).clusters).to.deep.equal({ east: { offset: 1 }, west: { offset: 1 } })
  })

  it('rejects in bounded time when neither answers, and may be called again', async () => {
    const world = new World()
    world.east.hang()
    world.west.hang()
    const producer = world.producer()
    const first = outcome(producer.connect())
    await world.pass(10_000)
    const error = await first
    expectError(error, 'TANDEM_CLUSTERS_UNREACHABLE', 'not-written')
    expect((error as Error).message)
      .to.contain('east: timed out')
      .and.to.contain('10000 ms')
    await world.pass(1_000)
    expect([world.east.discards, world.west.discards]).to.deep.equal([world.east.clientsMade, world.west.clientsMade])
    world.east.resume()
    world.west.resume()
    const second = producer.connect()
    await world.pass(100)
    await second
    expect(producer.status().state).to.equal('connected')
  })

  it('takes its epoch before anything else, and does not start without one', async () => {
    const failures: [unknown, string][] = [
      [() => Promise.reject(new Error('store away')), 'store away'],
      [
        () => {
          throw new Error('thrown')
        },
        'thrown',
      ],
      [() => Promise.resolve({ epoch: 0 }), 'gave 0'],
      [() => Promise.resolve(undefined), 'gave undefined'],
      [() => new Promise(() => undefined), '10000 ms'],
    ]
    for (const [take, said] of failures) {
      const world = new World()
      const connected = outcome(world.producer({ epochs: { take } as never }).connect())
      await world.pass(10_000)
      const error = await connected
      expectError(error, 'TANDEM_EPOCH_STORE_FAILED')
      expect((error as Error).message).to.contain(said)
      expect(world.east.clientsMade).to.equal(0)
    }
  })

  it('refuses topics that are missing or not alike, one cluster twice, and key ranges that do not fit', async () => {
    const wrong: [(world: World) => void, ErrorCode, string][] = [
      [({ west }) => west.topics.delete('entries'), 'TANDEM_TOPIC_MISSING', 'west'],
      [({ west }) => west.topics.set('entries', 5), 'TANDEM_PARTITIONS_UNEQUAL', '5'],
      [({ west }) => (west.broker = 'east'), 'TANDEM_CLUSTER_SHARED', 'east:9092'],
      [
        ({ east, west }) => [east, west].forEach(({ topics }) => topics.set('entries', 3)),
        'TANDEM_OPTIONS_INVALID',
        '3 partitions',
      ],
    ]
    for (const [change, code, said] of wrong) {
      const world = new World()
      change(world)
      const producer = world.producer({ topics: { entries: { keyRanges: 20 } } })
      const connected = outcome(producer.connect())
      await world.pass(100)
      const error = await connected
      expectError(error, code)
      expect((error as Error).message).to.contain(said)
      expect(producer.status().state).to.equal('idle')
      expect([world.east.discards, world.west.discards]).to.deep.equal([1, 1])
    }
  })

  it('keeps a cluster out that turns out later to be another one than expected, and lets it in when mended', async () => {
    const world = new World()
    world.west.hang()
    world.west.topics.set('entries', 5)
    const producer = await world.connected()
    world.west.resume()
    await world.pass(30_000)
    expect(world.kinds()).to.include('cluster-mismatched')
    const sent = producer.send(message('a'))
    await world.pass(10)
    expect((await sent).clusters).to.deep.equal({ east: { offset: 0 }, west: undefined })
    expect(world.west.records()).to.deep.equal([])
    expect(producer.status().clusters['west']).to.include({ connected: false, away: true })
    world.west.topics.set('entries', 4)
    await world.pass(30_000)
    expect(world.west.values()).to.deep.equal(['a'])
  })

  it('says when the process has few threads', async () => {
    const world = new World()
    const producer = world.producer({}, () => ({ threadPoolSize: 4 }))
    const connected = producer.connect()
    await world.pass(10)
    await connected
    expect(world.events[0]).to.include({ kind: 'threads-scarce', poolSize: 4, wanted: 8 })
  })

  it('refuses sends before it has connected, and everything after it was closed', async () => {
    const world = new World()
    const producer = world.producer()
    expectError(await outcome(producer.send(message('a'))), 'TANDEM_NOT_CONNECTED')
    await producer.close()
    expectError(await outcome(producer.send(message('a'))), 'TANDEM_CLOSED')
    expectError(await outcome(producer.connect()), 'TANDEM_CLOSED')
  })
})

describe('producer: send()', () => {
  it('writes the same bytes to both clusters, stamped, in the partition of the key', async () => {
    const world = new World()
    const producer = await world.connected({ topics: { entries: { keyRanges: 8 } } })
    const receipts: Promise<Receipt>[] = []
    for (const key of ['a', 'b', 'c', 'a', 'b', 'a']) {
      receipts.push(producer.send({ ...message(`${key}!`, key), headers: { trace: 'x', tandem: 'foreign' } }))
    }
    await world.pass(10)
    const strip = (cluster: typeof world.east): unknown[] =>
      cluster.records().map(({ offset, ...record }) => [offset, record])
    expect(strip(world.east)).to.deep.equal(strip(world.west))
    expect(world.east.records()).to.have.length(6)
    for (const receipt of await Promise.all(receipts)) {
      const { keyRange, partition, position } = receipt
      expect(partition).to.equal(keyRange % 4)
      const record = world.east
        .log(partition)
        .find(({ stamp }) => stamp.keyRange === keyRange && stamp.first === position.counter)!
      expect(record.stamp).to.deep.equal({
        kind: 'data',
        producerId: 'p',
        epoch: 7,
        incarnation: 500,
        keyRange,
        first: position.counter,
        count: 1,
      })
      expect(record.headers.slice(1)).to.deep.equal([{ trace: 'x' }])
      expect(record.timestampMs).to.be.above(1_700_000_000_000)
    }
    const counters = new Map<number, number>()
    for (const { keyRange, position } of await Promise.all(receipts)) {
      expect(position.counter).to.equal((counters.get(keyRange) ?? 0) + 1)
      counters.set(keyRange, position.counter)
    }
  })

  it('stamps within the call when there is room, and hands over within the turn, once for all calls', async () => {
    const world = new World()
    const producer = await world.connected()
    void producer.send(message('a'))
    void producer.send(message('b'))
    expect(producer.status().unacknowledged).to.include({ messages: 2, waiting: 0 })
    expect([world.east.produced, world.west.produced]).to.deep.equal([0, 0])
    await Promise.resolve()
    expect([world.east.produced, world.west.produced]).to.deep.equal([2, 2])
  })

  it('hands over a thousand records to each cluster in one turn, and the others in the next ones', async () => {
    const world = new World()
    const producer = await world.connected()
    const sent = Array.from({ length: 2_500 }, (_, i) => producer.send(message(`${i}`)))
    await Promise.resolve()
    const produced: [number, number][] = []
    for (let turn = 0; turn < 3; turn++) {
      produced.push([world.east.produced, world.west.produced])
      await world.pass(0)
    }
    expect(produced).to.deep.equal([
      [1_000, 1_000],
      [2_500, 2_500],
      [2_500, 2_500],
    ])
    await world.pass(20)
    await Promise.all(sent)
    expect(world.west.values()).to.deep.equal(world.east.values())
  })

  it('keeps the order of calls of one key, whatever its codec takes', async () => {
    const world = new World()
    const late: Codec<unknown> = {
      name: 'late',
      encode: (value) =>
        new Promise((resolve) => {
          world.clock.schedule(world.clock.now() + Number(value), () => resolve(Buffer.from(String(value))))
        }),
      decode: () => 0,
    }
    const producer = await world.connected({ topics: { entries: { codec: late } } })
    const sent = ['300', '100', '200'].map((value) => producer.send(message(value)))
    await world.pass(400)
    await Promise.all(sent)
    expect(world.east.log((await sent[0]!).partition).map(({ value }) => String(value))).to.deep.equal([
      '300',
      '100',
      '200',
    ])
  })

  it('refuses what is wrong with a message before it takes a counter, and goes on with the others', async () => {
    const world = new World()
    const producer = await world.connected({ topics: { entries: { messageBytesMax: 10 } } })
    const sent = [
      producer.send(message('good')),
      producer.send(message('far too large')),
      producer.send({ ...message('x'), key: 17 as unknown as string }),
      producer.send({ ...message('x'), value: {} }),
      producer.send({ ...message('x'), headers: { h: Buffer.from([0xff]) } }),
      producer.send(message('also good')),
    ].map(outcome)
    await world.pass(10)
    const [good, oversized, key, value, header, alsoGood] = await Promise.all(sent)
    expectError(oversized, 'TANDEM_MESSAGE_OVERSIZED')
    expect((oversized as Error).message)
      .to.contain('14 bytes')
      .and.to.contain('allowed are 10')
    for (const error of [key, value, header]) expectError(error, 'TANDEM_MESSAGE_INVALID')
    expect([(good as Receipt).position.counter, (alsoGood as Receipt).position.counter]).to.deep.equal([1, 2])
  })

  it('counts the codec’s bytes, and names a codec that failed', async () => {
    const world = new World()
    const producer = await world.connected({ topics: { entries: { codec: json, messageBytesMax: 10 } } })
    expectError(await outcome(producer.send({ ...message(''), value: { long: true } })), 'TANDEM_MESSAGE_OVERSIZED')
    expectError(await outcome(producer.send({ ...message(''), value: undefined })), 'TANDEM_CODEC_FAILED')
    const asynchronous: Codec<unknown> = {
      name: 'slow',
      encode: (value) => (value === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve(Buffer.from('good'))),
      decode: () => 0,
    }
    const other = new World()
    const second = await other.connected({ topics: { entries: { codec: asynchronous } } })
    const sent = [outcome(second.send(message('bad'))), outcome(second.send(message('good')))]
    await other.pass(10)
    expectError(await sent[0], 'TANDEM_CODEC_FAILED')
    expect(((await sent[1]) as Receipt).position.counter).to.equal(1)
  })

  it('asks for a topic that was not named at its first message, and keeps the order', async () => {
    const world = new World()
    for (const { topics } of [world.east, world.west]) topics.set('audits', 2)
    const producer = await world.connected()
    const sent = ['1', '2', '3'].map((value) => producer.send({ topic: 'audits', key: 'k', value }))
    expect(world.east.produced).to.equal(0)
    await world.pass(10)
    const receipts = await Promise.all(sent)
    expect(receipts.map(({ position }) => position.counter)).to.deep.equal([1, 2, 3])
    expect(world.west.values('audits')).to.deep.equal(['1', '2', '3'])
    void producer.send({ topic: 'audits', value: '4' })
    await Promise.resolve()
    expect(world.east.produced).to.equal(4) // known now
  })

  it('refuses a topic that one cluster lacks or has in another shape', async () => {
    const world = new World()
    world.east.topics.set('audits', 2)
    const producer = await world.connected()
    const missing = outcome(producer.send({ topic: 'audits', value: 'x' }))
    await world.pass(10)
    expectError(await missing, 'TANDEM_TOPIC_MISSING')
    world.west.topics.set('audits', 3)
    const unequal = outcome(producer.send({ topic: 'audits', value: 'x' }))
    await world.pass(10)
    expectError(await unequal, 'TANDEM_PARTITIONS_UNEQUAL')
    world.west.topics.set('audits', 2)
    const mended = producer.send({ topic: 'audits', value: 'x' })
    await world.pass(10)
    expect((await mended).position.counter).to.equal(1)
  })

  it('goes on with one cluster when the other one hangs at the first message of a topic', async () => {
    const world = new World()
    for (const { topics } of [world.east, world.west]) topics.set('audits', 2)
    const producer = await world.connected()
    world.west.hang()
    const sent = producer.send({ topic: 'audits', value: 'x' })
    await world.pass(1_010)
    expect((await sent).clusters).to.deep.equal({ east: { offset: 0 }, west: undefined })
  })

  it('compares a cluster that was away when a topic was first seen, and keeps it out if it differs', async () => {
    const world = new World()
    world.east.topics.set('audits', 2)
    world.west.topics.set('audits', 3)
    world.west.hang()
    const producer = await world.connected()
    const sent = producer.send({ topic: 'audits', value: 'x' })
    await world.pass(1_010)
    await sent
    world.west.resume()
    await world.pass(20_000)
    expect(world.kinds()).to.include('cluster-mismatched')
    expect(world.west.records('audits')).to.deep.equal([])
  })

  it('compares a cluster that gave no answer about a topic as soon as it does', async () => {
    const world = new World()
    world.east.topics.set('audits', 2)
    world.west.topics.set('audits', 3)
    const producer = await world.connected()
    world.west.hang()
    const sent = producer.send({ topic: 'audits', value: 'x' })
    await world.pass(1_010)
    await sent
    world.west.resume()
    await world.pass(10)
    expect(world.kinds()).to.include('cluster-mismatched')
  })

  it('looks at a topic that came into use while a cluster was surveyed, before it writes to it', async () => {
    const world = new World()
    world.east.topics.set('audits', 2)
    world.west.topics.set('audits', 3)
    world.west.delayMs = 1_500
    const producer = await world.connected()
    const sent = producer.send({ topic: 'audits', value: 'x' })
    await world.pass(10)
    await sent
    await world.pass(20_000)
    expect(world.kinds()).to.include('cluster-mismatched')
    expect(world.west.records('audits')).to.deep.equal([])
  })

  it('says that the partition count has grown, and writes on to those that are pinned', async () => {
    const world = new World()
    const producer = await world.connected()
    for (const { topics } of [world.east, world.west]) topics.set('entries', 6)
    await world.pass(61_000)
    const grown = world.events.filter(({ kind }) => kind === 'partitions-grown')
    expect(grown).to.have.length(2)
    expect(grown[0]).to.include({ partitions: 6, pinned: 4 })
    for (let i = 0; i < 8; i++) void producer.send({ topic: 'entries', value: `${i}` })
    await world.pass(10)
    expect([4, 5].flatMap((partition) => world.east.log(partition))).to.deep.equal([])
  })
})

describe('producer: the lease on its producerId', () => {
  class Lease {
    readonly renewEveryMs = 1_000
    renewals = 0
    releases = 0
    takenBy: string | undefined
    released: Promise<void> = Promise.resolve()

    async renew(): Promise<LeaseAnswer> {
      this.renewals++
      return this.takenBy === undefined ? { kind: 'renewed' } : { kind: 'taken', by: this.takenBy }
    }

    release(): Promise<void> {
      this.releases++
      return this.released
    }
  }

  let world: World
  let lease: Lease
  let epochs: EpochStore

  beforeEach(() => {
    world = new World()
    lease = new Lease()
    epochs = { take: async () => ({ epoch: 7, lease }) }
  })

  it('is renewed until the producer is closed, and then released', async () => {
    const producer = await world.connected({ epochs })
    await world.pass(10_000)
    expect([lease.renewals, lease.releases]).to.deep.equal([12, 0])
    const closing = producer.close()
    await world.pass(100)
    await closing
    expect(lease.releases).to.equal(1)
    await world.pass(10_000)
    expect(lease.renewals).to.equal(12)
  })

  it('may be lost: that is told, and the producer goes on', async () => {
    const producer = await world.connected({ epochs })
    lease.takenBy = 'there'
    await world.pass(10_000)
    const told = world.events.filter(({ kind }) => kind === 'producer-id-taken')
    expect(told.map((event) => 'by' in event && event.by)).to.deep.equal(['there'])
    const sent = producer.send(message('a'))
    await world.pass(10)
    expect((await sent).position.counter).to.equal(1)
  })

  it('is released by a connect() that fails, and by one that is ended', async () => {
    world.west.topics.delete('entries')
    const failed = outcome(world.producer({ epochs }).connect())
    await world.pass(100)
    expectError(await failed, 'TANDEM_TOPIC_MISSING')
    expect(lease.releases).to.equal(1)

    const producer = world.producer({ epochs: { take: () => new Promise((resolve) => (answer = resolve)) } })
    let answer: (taken: EpochTaken) => void = () => undefined
    const ended = outcome(producer.connect())
    await world.pass(100)
    const closing = producer.close()
    await world.pass(0)
    await closing
    expectError(await ended, 'TANDEM_CLOSED')
    answer({ epoch: 8, lease })
    await world.pass(0)
    expect(lease.releases).to.equal(2)
  })

  it('does not hold up close()', async () => {
    lease.released = new Promise(() => undefined)
    const producer = await world.connected({ epochs })
    const closing = producer.close()
    await world.pass(1_000)
    await closing
  })

  it('may be held by another: connect() says so, and may be called again', async () => {
    epochs = { take: () => Promise.reject(new ProducerIdHeldError('held by there')) }
    const producer = world.producer({ epochs })
    const held = outcome(producer.connect())
    await world.pass(0)
    expectError(await held, 'TANDEM_PRODUCER_ID_HELD')
    expect(producer.status().state).to.equal('idle')
  })

  it('is not there when the epoch is from elsewhere, which is told', async () => {
    await world.connected({ epochs: { take: async () => ({ epoch: 7, substituted: 'redis away' }) } })
    expect(world.kinds()).to.include('epoch-substituted')
  })

  it('is waited for longer than the store may wait', () => {
    const create = (connectTimeoutMs: number) => (): unknown =>
      world.producer({ epochs: { ...epochs, waitMs: 5_000 }, connectTimeoutMs })
    expect(create(5_000)).to.throw('option producer.connectTimeoutMs: received 5000')
    create(5_001)()
  })
})

describe('producer: outages', () => {
  it('goes on while a cluster hangs, discards its client, and writes everything when it is back', async () => {
    const world = new World()
    const producer = await world.connected()
    world.west.hang()
    const sent: Promise<Receipt>[] = []
    for (let i = 0; i < 200; i++) {
      sent.push(producer.send(message(`${i}`, `k${i % 7}`)))
      await world.pass(100)
    }
    await Promise.all(sent)
    expect(world.west.records()).to.deep.equal([])
    expect(world.kinds()).to.include.members(['circuit-opened', 'lane-away', 'client-discarded'])
    expect(producer.status().clusters['west']).to.deep.include({ away: true, circuit: 'open' })
    expect(producer.status().clusters['east']!.exposure).to.include({ messages: 200 })
    world.west.resume()
    await world.pass(20_000)
    expect(world.west.values()).to.deep.equal(world.east.values())
    expect(world.west.voids()).to.deep.equal([])
    expect(world.kinds().filter((kind) => kind === 'lane-away')).to.have.length(1)
    expect(world.kinds()).to.include('lane-returned')
    expect(producer.status().clusters['west']).to.deep.include({ away: false, circuit: 'closed', voids: 0 })
    expect(producer.status().clusters['east']!.exposure).to.include({ messages: 0, oldestMs: undefined })
  })

  it('opens the track of a partition without a leader alone, and fills it in later (leaderless)', async () => {
    const world = new World()
    const producer = await world.connected()
    world.west.leaderless.add(1)
    const sent: Promise<Receipt>[] = []
    for (let i = 0; i < 400; i++) {
      sent.push(producer.send({ topic: 'entries', value: `${i}` })) // the partitions in turn
      await world.pass(50)
    }
    await Promise.all(sent)
    expect(world.kinds().filter((kind) => kind !== 'cluster-connected')).to.deep.equal(['circuit-opened'])
    for (const partition of [0, 2, 3]) expect(world.west.log(partition)).to.have.length(100)
    expect(world.west.discards).to.equal(0)
    world.west.leaderless.clear()
    await world.pass(40_000)
    expect(new Set(world.west.log(1).map(({ stamp }) => stamp.first)).size).to.equal(100)
  })

  it('does not take its own standing still for an outage', async () => {
    const world = new World()
    const producer = await world.connected()
    for (const cluster of [world.east, world.west]) cluster.hang()
    const sent = producer.send(message('a'))
    await world.pass(5)
    world.clock.standStill(60_000)
    for (const cluster of [world.east, world.west]) cluster.resume() // their reports are there, but not heard yet
    await world.pass(1_000)
    await sent
    expect(world.kinds()).to.not.include('circuit-opened')
  })

  it('says unknown of what a client had, and leaves it in flight', async () => {
    const world = new World()
    const producer = await world.connected({ sendTimeoutMs: 8_000, whenBothAway: { policy: 'reject' } })
    world.east.hang()
    world.west.hang()
    const handed = outcome(producer.send(message('handed')))
    await world.pass(4_900)
    const also = outcome(producer.send(message('handed too')))
    await world.pass(90_000)
    expectError(await handed, 'TANDEM_UNDELIVERED', 'unknown')
    expectError(await also, 'TANDEM_UNDELIVERED', 'unknown')
    world.east.resume()
    world.west.resume()
    await world.pass(30_000)
    expect(world.east.values()).to.deep.equal(['handed', 'handed too']) // it stayed in flight
    expect(world.events.filter(({ kind }) => kind === 'message-undelivered')[0]).to.include({ outcome: 'unknown' })
  })

  it('takes out and voids what no client ever had', async () => {
    const world = new World()
    const producer = await world.connected({ sendTimeoutMs: 3_000, backlogBytesMax: 256 << 20 })
    for (const cluster of [world.east, world.west]) cluster.hang()
    // So many that the last ones find no room in the clients.
    const sent = Array.from({ length: 5_003 }, (_, i) => outcome(producer.send(message(`${i}`))))
    await world.pass(3_000)
    const errors = await Promise.all(sent)
    expectError(errors[0], 'TANDEM_UNDELIVERED', 'unknown')
    for (const error of errors.slice(5_000)) expectError(error, 'TANDEM_UNDELIVERED', 'not-written')
    for (const cluster of [world.east, world.west]) cluster.resume()
    await world.pass(30_000)
    for (const cluster of [world.east, world.west]) {
      expect(cluster.voids()).to.deep.equal(['5001-5003'])
      expect(cluster.values()).to.not.include('5000')
    }
    const next = producer.send(message('next'))
    await world.pass(10)
    expect((await next).position.counter).to.equal(5_004)
  })

  it('delivers from the other cluster what one refuses for good, and voids it there (refused-for-good)', async () => {
    const world = new World()
    world.west.valueBytesMax = 5
    const producer = await world.connected({ acknowledge: 'available' })
    const sent = ['small', 'too large', 'tiny'].map((value) => producer.send(message(value)))
    await world.pass(50)
    const receipts = await Promise.all(sent)
    const settled = await receipts[1]!.settled()
    expect(settled.clusters).to.deep.equal({ east: { offset: 1 }, west: undefined })
    expect(world.west.values()).to.deep.equal(['small', 'tiny'])
    expect(world.west.voids()).to.deep.equal(['2'])
    expect(world.kinds()).to.include('record-refused')
    expect(producer.status().clusters['west']).to.include({ circuit: 'closed' })
  })

  it('rejects at once, as not written, what both refuse for good', async () => {
    const world = new World()
    for (const cluster of [world.east, world.west]) cluster.valueBytesMax = 5
    const producer = await world.connected()
    const sent = outcome(producer.send(message('too large')))
    await world.pass(50)
    expectError(await sent, 'TANDEM_UNDELIVERED', 'not-written')
    expect([world.east.voids(), world.west.voids()]).to.deep.equal([['1'], ['1']])
  })

  it('gives up, with an event, the oldest that the other cluster has when memory runs short', async () => {
    const world = new World()
    const producer = await world.connected({ backlogBytesMax: 100_000 })
    world.west.hang()
    const values: string[] = []
    for (let i = 0; i < 500; i++) {
      values.push(`${i}`)
      void producer.send(message(`${i}`, `k${i % 5}`))
      await world.pass(50)
      expect(producer.status().clusters['west']!.backlog.bytes).to.be.at.most(101_000)
    }
    expect(world.kinds()).to.include('record-given-up')
    world.west.resume()
    await world.pass(20_000)
    expect(world.east.values()).to.deep.equal([...values].sort())
    // West has each message or says that it will not have it: nothing is simply missing.
    const covered = new Set<string>()
    for (const { stamp } of world.west.records()) {
      for (let i = 0; i < stamp.count; i++) covered.add(`${stamp.keyRange}:${stamp.first + i}`)
    }
    expect(covered.size).to.equal(500)
    expect(world.west.voids()).to.not.deep.equal([])
    expect(world.west.values().length).to.be.below(500)
  })
})

describe('producer: a send with a time or a signal of its own', () => {
  const message = { topic: 'entries', key: 'k', value: 'm' }
  const outcomeOf = (
    sent: Promise<Receipt>,
  ): Promise<{ code: ErrorCode; outcome: string; cause: unknown } | undefined> =>
    sent.then(
      () => undefined,
      (error: { code: ErrorCode; outcome: string; cause: unknown }) => error,
    )

  it('resolves as any other while there is time, and leaves nothing behind', async () => {
    const world = new World()
    const producer = await world.connected()
    const controller = new AbortController()
    const sent = producer.send(message, { timeoutMs: 1_000, signal: controller.signal })
    await world.pass(10)
    expect((await sent).position.counter).to.equal(1)
    controller.abort()
    await world.pass(2_000)
    expect(world.kinds()).not.to.include('message-undelivered')
  })

  it('is given up when its time is up, counted from the call: unknown once a client had it', async () => {
    const world = new World()
    const producer = await world.connected()
    for (const cluster of [world.east, world.west]) cluster.hang()
    const short = outcomeOf(producer.send(message, { timeoutMs: 50 }))
    const long = outcomeOf(producer.send(message, { timeoutMs: 60_000 }))
    await world.pass(49)
    expect(producer.status().unacknowledged.messages).to.equal(2)
    await world.pass(1)
    expect(await short).to.include({ code: 'TANDEM_UNDELIVERED', outcome: 'unknown' })
    await world.pass(40_000) // longer than sendTimeoutMs
    expect(producer.status().unacknowledged.messages).to.equal(1)
    for (const cluster of [world.east, world.west]) cluster.resume()
    await world.pass(15_000)
    expect(await long).to.equal(undefined)
  })

  it('is not written when it is given up before a client had it, and leaves voids', async () => {
    const world = new World()
    const producer = await world.connected()
    for (const cluster of [world.east, world.west]) cluster.hang()
    const first = outcomeOf(producer.send(message))
    await world.pass(5_500) // circuits open
    const block = outcomeOf(producer.send(message, { timeoutMs: 100 }))
    await world.pass(100)
    expect(await block).to.include({ code: 'TANDEM_ABORTED', outcome: 'not-written' })
    expect(producer.status().unacknowledged.waiting).to.equal(0)
    for (const cluster of [world.east, world.west]) cluster.resume()
    await world.pass(20_000)
    expect(await first).to.equal(undefined)
    expect(world.east.values()).to.deep.equal(['m'])
  })

  it('rejects at once when its signal is aborted, with the reason as cause', async () => {
    const world = new World()
    const producer = await world.connected()
    const gone = outcomeOf(producer.send(message, { signal: AbortSignal.abort('gone before') }))
    expect(await gone).to.include({ code: 'TANDEM_ABORTED', outcome: 'not-written', cause: 'gone before' })
    for (const cluster of [world.east, world.west]) cluster.hang()
    const controller = new AbortController()
    const sent = outcomeOf(producer.send(message, { signal: controller.signal }))
    await world.pass(100)
    controller.abort('client left')
    expect(await sent).to.include({ code: 'TANDEM_UNDELIVERED', outcome: 'unknown', cause: 'client left' })
  })

  it('can be aborted while its codec is at work, and holds nobody up', async () => {
    const world = new World()
    const codec: Codec<string> = {
      name: 'slow',
      encode: (value) => (value === 'slow' ? new Promise(() => undefined) : Buffer.from(value)),
      decode: String,
    }
    const producer = await world.connected({ topics: { entries: { codec } } })
    const controller = new AbortController()
    const slow = outcomeOf(producer.send({ ...message, value: 'slow' }, { signal: controller.signal }))
    const behind = producer.send(message)
    await world.pass(10)
    controller.abort()
    await world.pass(10)
    expect(await slow).to.include({ code: 'TANDEM_ABORTED' })
    expect((await behind).position.counter).to.equal(1)
  })

  it('refuses options that are none', async () => {
    const producer = await new World().connected()
    for (const options of [{ timeoutMs: 0 }, { timeoutMs: 3_600_001 }, { signal: {} }, { other: 1 }]) {
      const error = await outcomeOf(producer.send(message, options as object))
      expect(error, JSON.stringify(options)).to.include({ code: 'TANDEM_OPTIONS_INVALID' })
    }
  })
})

describe('producer: other properties for a cluster while it runs', () => {
  const open = { 'bootstrap.servers': 'west' }
  const secret = { 'bootstrap.servers': 'west', 'sasl.password': 'changed' }

  it('takes a client with them into use when it is ready, and writes again what the one before held', async () => {
    const world = new World()
    const producer = await world.connected()
    world.west.delayMs = 300
    const sent = Array.from({ length: 10 }, (_, i) => producer.send({ topic: 'entries', key: 'k', value: `m${i}` }))
    await world.pass(10)
    world.west.password = 'changed' // as from now on: who is in stays in
    const changed = producer.setClusterProperties('west', secret)
    await world.pass(200)
    expect(world.west).to.include({ clientsMade: 2, discards: 0 })
    await world.pass(10_000)
    await changed
    await Promise.all(sent)
    expect(world.west).to.include({ clientsMade: 2, discards: 1 })
    expect(world.west.values()).to.deep.equal(world.east.values())
    expect(world.kinds()).not.to.include.members(['lane-away'])
    world.west.delayMs = 1
    world.west.hang()
    await world.pass(10_000)
    void producer.send({ topic: 'entries', key: 'k', value: 'last' })
    await world.pass(20_000)
    world.west.resume()
    await world.pass(20_000)
    expect(world.west.values(), 'later clients have them, too').to.include('last')
  })

  it('keeps the client that it has if none gets ready with them, and says why', async () => {
    const world = new World()
    const producer = await world.connected()
    const outcome = producer.setClusterProperties('west', { ...open, 'sasl.password': 'wrong' }).catch((e: Error) => e)
    await world.pass(1_000)
    const error = await outcome
    expect(isTandemError(error, 'TANDEM_CLUSTERS_UNREACHABLE')).to.equal(true)
    expect((error as Error).message)
      .to.include('authentication failed')
      .and.not.to.include('wrong')
    const receipt = producer.send({ topic: 'entries', key: 'k', value: 'm' }).then((one) => one.settled())
    await world.pass(1_000)
    expect((await receipt).clusters['west']).to.deep.equal({ offset: 0 })
    expect(world.west).to.include({ clientsMade: 2, discards: 1 })
  })

  it('are those of the next attempt while the cluster is away', async () => {
    const world = new World()
    world.west.password = 'changed'
    const producer = world.producer()
    const connected = producer.connect()
    await world.pass(2_000)
    await connected
    expect(producer.status().clusters['west']).to.include({ connected: false })
    await producer.setClusterProperties('west', secret)
    await world.pass(1_000)
    expect(producer.status().clusters['west']).to.include({ connected: true })
  })

  it('of which the last ones given count', async () => {
    const world = new World()
    const producer = await world.connected()
    const first = producer.setClusterProperties('west', { ...open, 'client.id': 'one' }).catch((e: Error) => e)
    const second = producer.setClusterProperties('west', { ...open, 'client.id': 'two' })
    await world.pass(1_000)
    expect(isTandemError(await first, 'TANDEM_CLUSTERS_UNREACHABLE')).to.equal(true)
    await second
    expect(world.west).to.include({ clientsMade: 3, discards: 2 })
  })

  it('are refused if they are none, or lead to the other cluster, or come at the wrong time', async () => {
    const world = new World()
    const idle = world.producer()
    const codeOf = (change: Promise<void>): Promise<ErrorCode> =>
      change.then(
        () => expect.fail('it was accepted'),
        (error: { code: ErrorCode }) => error.code,
      )
    expect(await codeOf(idle.setClusterProperties('north', open))).to.equal('TANDEM_OPTIONS_INVALID')
    expect(await codeOf(idle.setClusterProperties('west', { ...open, acks: 1 }))).to.equal('TANDEM_OPTIONS_INVALID')
    expect(await codeOf(idle.setClusterProperties('west', { 'bootstrap.servers': 'east' }))).to.equal(
      'TANDEM_CLUSTER_SHARED',
    )
    await idle.setClusterProperties('west', secret)
    void idle.connect()
    expect(await codeOf(idle.setClusterProperties('west', open))).to.equal('TANDEM_NOT_CONNECTED')
    void idle.close().catch(() => undefined)
    expect(await codeOf(idle.setClusterProperties('west', open))).to.equal('TANDEM_CLOSED')
  })
})

describe('producer: when there is no room', () => {
  it('reject: sheds at once, says so at most once a second, and a subscriber that sends does not recurse', async () => {
    const world = new World()
    const producer = await world.connected({ whenBothAway: { policy: 'reject' } })
    world.east.hang()
    world.west.hang()
    void outcome(producer.send(message('probe')))
    await world.pass(6_000)
    const answers: Promise<unknown>[] = []
    producer.events$.subscribe(({ kind }) => {
      if (kind === 'message-shed') answers.push(outcome(producer.send(message('about that'))))
    })
    const shed = await Promise.all(Array.from({ length: 100 }, () => outcome(producer.send(message('a')))))
    for (const error of shed) expectError(error, 'TANDEM_SHED', 'not-written')
    expect(shed[0]).to.deep.include({ retriable: true, details: { topic: 'entries', reason: 'both-away' } })
    await world.pass(5_000)
    const told = world.events.flatMap((event) => (event.kind === 'message-shed' ? [event.count] : []))
    expect(told.slice(0, 2)).to.deep.equal([1, 100]) // the first at once, then 99 and the subscriber's own
    expect(answers.length).to.be.within(5, 7)
    expectError(await answers[0], 'TANDEM_SHED')
  })

  it('block: waits until a cluster takes it, or sheds when its time is up', async () => {
    const world = new World()
    const producer = await world.connected({ whenBothAway: { policy: 'block', timeoutMs: 10_000 } })
    world.east.hang()
    world.west.hang()
    void outcome(producer.send(message('probe')))
    await world.pass(6_000)
    const shed = outcome(producer.send(message('too late')))
    await world.pass(9_000)
    const waits = producer.send(message('in time'))
    expect(producer.status().unacknowledged.waiting).to.equal(2)
    await world.pass(1_000)
    expectError(await shed, 'TANDEM_SHED')
    world.east.resume()
    await world.pass(9_000)
    expect((await waits).clusters['east']).to.not.equal(undefined)
  })

  it('bounds what is stamped and not acknowledged', async () => {
    const world = new World()
    const producer = await world.connected({ unacknowledgedMax: 3, whenBothAway: { policy: 'reject' } })
    const sent = ['1', '2', '3', '4'].map((value) => outcome(producer.send(message(value))))
    expect(producer.status().unacknowledged).to.include({ messages: 3, waiting: 0 })
    expectError(await sent[3], 'TANDEM_SHED')
    expect(world.east.produced).to.equal(3)
    await world.pass(10)
    expect(producer.status().unacknowledged).to.deep.equal({ messages: 0, bytes: 0, waiting: 0 })
    void producer.send(message('5'))
    await Promise.resolve()
    expect(world.east.produced).to.equal(4)
  })

  it('both: sheds at once while a cluster is away', async () => {
    const world = new World()
    const producer = await world.connected({ acknowledge: 'both' })
    world.west.hang()
    const first = outcome(producer.send(message('first')))
    await world.pass(6_000)
    const error = await outcome(producer.send(message('second')))
    expectError(error, 'TANDEM_SHED')
    expect((error as unknown as { details: unknown }).details).to.include({ reason: 'cluster-away' })
    world.west.resume()
    await world.pass(20_000)
    expect(Object.values(((await first) as Receipt).clusters)).to.not.include(undefined)
  })

  it('sendMany paces itself by the window, and gives one receipt or error per message, in order', async () => {
    const world = new World()
    const producer = await world.connected({
      unacknowledgedMax: 10,
      whenBothAway: { policy: 'reject' },
      topics: { entries: { messageBytesMax: 20 } },
    })
    const messages = Array.from({ length: 100 }, (_, i) => message(i === 50 ? 'x'.repeat(30) : `${i}`))
    const sent = producer.sendMany(messages)
    await world.pass(100)
    const results = await sent
    expect(results).to.have.length(100)
    for (const [i, result] of results.entries()) {
      if (i === 50) expectError(result, 'TANDEM_MESSAGE_OVERSIZED')
      else expect((result as Receipt).position.counter).to.equal(i < 50 ? i + 1 : i)
    }
    expect(await producer.sendMany([])).to.deep.equal([])
    expectError(await outcome(producer.sendMany(17 as never)), 'TANDEM_MESSAGE_INVALID')
    const [bad] = await producer.sendMany([null as never])
    expectError(bad, 'TANDEM_MESSAGE_INVALID')
  })
})

describe('producer: close()', () => {
  it('lets what was taken be written to both clusters, and can be called again', async () => {
    const world = new World()
    const producer = await world.connected()
    const sent = producer.send(message('a'))
    const closing = producer.close()
    expectError(await outcome(producer.send(message('b'))), 'TANDEM_CLOSED')
    await world.pass(20)
    await sent
    expect(await closing).to.deep.equal({ unsettled: [], missing: { east: 0, west: 0 }, journaled: 0 })
    expect(await producer.close()).to.equal(await closing)
    expect([world.east.values(), world.west.values()]).to.deep.equal([['a'], ['a']])
    expect(producer.status().state).to.equal('closed')
    expect([world.east.discards, world.west.discards]).to.deep.equal([1, 1])
  })

  it('ends in bounded time when a cluster hangs, and says what it lacks', async () => {
    const world = new World()
    const producer = await world.connected()
    world.west.hang()
    const receipt = producer.send(message('a'))
    await world.pass(10)
    const settled = (await receipt).settled()
    const closing = producer.close({ timeoutMs: 3_000 })
    await world.pass(2_900)
    expect(await isSettled(closing)).to.equal(false)
    await world.pass(1_200)
    expect(await closing).to.deep.equal({ unsettled: [], missing: { east: 0, west: 1 }, journaled: 0 })
    expect((await settled).clusters).to.deep.equal({ east: { offset: 0 }, west: undefined })
  })

  it('does not wait for a cluster that is away, only for answers', async () => {
    const world = new World()
    const producer = await world.connected({ acknowledge: 'one' })
    world.west.hang()
    void producer.send(message('a'))
    await world.pass(20_000)
    const sent = producer.send(message('b'))
    const closing = producer.close()
    await world.pass(20)
    await sent
    await world.pass(1_000)
    expect(await isSettled(closing)).to.equal(true)
    expect(await closing).to.deep.equal({ unsettled: [], missing: { east: 0, west: 2 }, journaled: 0 })
  })

  it('waits for a cluster that goes away meanwhile until that is known, and under both for its answer', async () => {
    for (const [acknowledge, forMs] of [
      ['one', 5_000],
      ['both', 10_000],
    ] as const) {
      const world = new World()
      const producer = await world.connected({ acknowledge })
      world.west.hang()
      const sent = outcome(producer.send(message('a')))
      const closing = producer.close()
      await world.pass(forMs - 100)
      expect(await isSettled(closing)).to.equal(false)
      await world.pass(2_000)
      expect(await isSettled(closing)).to.equal(true)
      const { unsettled, missing } = await closing
      expect([unsettled.length, missing]).to.deep.equal([acknowledge === 'one' ? 0 : 1, { east: 0, west: 1 }])
      if (acknowledge === 'both') expectError(await sent, 'TANDEM_UNDELIVERED', 'unknown')
    }
  })

  it('counts as missing also what was refused or given up, and what a cluster never saw', async () => {
    const world = new World()
    const producer = await world.connected({ acknowledge: 'one', backlogBytesMax: 65_536 })
    world.west.valueBytesMax = 1_000
    await Promise.all([producer.send(message('x'.repeat(2_000))), world.pass(1_000)])
    world.west.valueBytesMax = Infinity
    world.west.hang()
    for (let i = 0; i < 100; i++) await Promise.all([producer.send(message('y'.repeat(4_000))), world.pass(100)])
    expect(world.kinds()).to.include('record-refused').and.to.include('record-given-up')
    const [{ missing }] = await Promise.all([producer.close(), world.pass(20_000)])
    expect(missing).to.deep.equal({ east: 0, west: 101 })
  })

  it('refuses a time limit that is none, and goes on', async () => {
    const world = new World()
    const producer = await world.connected()
    for (const timeoutMs of [NaN, -1, Infinity, '5', null, 0.5, 3_600_001]) {
      expectError(await outcome(producer.close({ timeoutMs } as never)), 'TANDEM_OPTIONS_INVALID')
    }
    for (const options of [null, 5, { timeout: 5 }]) {
      expectError(await outcome(producer.close(options as never)), 'TANDEM_OPTIONS_INVALID')
    }
    expect(producer.status().state).to.equal('connected')
    const [report] = await Promise.all([producer.close({ timeoutMs: 0 }), world.pass(1_100)])
    expect(report.missing).to.deep.equal({ east: 0, west: 0 })
  })

  it('names both clusters in its report, whatever it had begun', async () => {
    expect(await new World().producer().close()).to.deep.equal({
      unsettled: [],
      missing: { east: 0, west: 0 },
      journaled: 0,
    })
  })

  it('ends in bounded time when both hang, and says what may be concluded of each message', async () => {
    const world = new World()
    const producer = await world.connected({ whenBothAway: { policy: 'block' } })
    world.east.hang()
    world.west.hang()
    const handed = outcome(producer.send(message('handed')))
    await world.pass(6_000)
    const waiting = outcome(producer.send(message('waiting')))
    const closing = producer.close({ timeoutMs: 1_000 })
    await world.pass(2_100)
    expect((await closing).unsettled).to.deep.equal([{ producerId: 'p', epoch: 7, incarnation: 500, counter: 1 }])
    expectError(await handed, 'TANDEM_UNDELIVERED', 'unknown')
    expectError(await waiting, 'TANDEM_CLOSED')
  })

  it('ends a connect() that is under way', async () => {
    for (const after of [0, 500]) {
      const world = new World()
      world.east.hang()
      world.west.hang()
      const producer = world.producer()
      const connected = outcome(producer.connect())
      await world.pass(after)
      const closing = producer.close()
      await world.pass(1_100)
      expectError(await connected, 'TANDEM_CLOSED')
      expect((await closing).unsettled).to.deep.equal([])
      await world.pass(20_000)
      expect(world.east.discards).to.equal(world.east.clientsMade)
    }
  })

  it('completes events$, and answers to await using', async () => {
    const world = new World()
    const producer = world.producer()
    let completed = false
    producer.events$.subscribe({ complete: () => (completed = true) })
    await producer[Symbol.asyncDispose]()
    expect(completed).to.equal(true)
  })
})

describe('producer: importDeadLetters()', () => {
  it('needs a journal, a connection and options that are some', async () => {
    const world = new World()
    const idle = world.producer()
    expect(await outcome(idle.importDeadLetters())).to.include({ code: 'TANDEM_NOT_CONNECTED' })
    const producer = await world.connected()
    const none = (await outcome(producer.importDeadLetters())) as TandemError
    expect(none).to.include({ code: 'TANDEM_OPTIONS_INVALID' })
    expect(none.details).to.include({ path: 'producer.journal.mode', received: 'off' })
    for (const wrong of [{ timeoutMs: 0 }, { timeoutMs: 86_400_001 }, { signal: 'now' }, { timeout: 1 }]) {
      const error = await outcome(producer.importDeadLetters(wrong as never))
      expect(error, JSON.stringify(wrong)).to.include({ code: 'TANDEM_OPTIONS_INVALID' })
    }
    const closing = producer.close()
    expect(await outcome(producer.importDeadLetters())).to.include({ code: 'TANDEM_CLOSED' })
    await world.pass(20_000)
    await closing
  })
})

describe('producer: what it says of a message is so', () => {
  it('does not say not-written of what is handed over in the moment in which its time is up', async () => {
    const world = new World()
    const acceptAt = world.clock.now() + 5 + 100
    const full = (made: ClusterClient): ClusterClient => ({
      connect: () => made.connect(),
      describe: (...question) => made.describe(...question),
      discard: (done) => made.discard(done),
      produce: (id, record) =>
        world.clock.now() < acceptAt ? { kind: 'queue-full', reason: 'queue full' } : made.produce(id, record),
    })
    const producer = world.producer({ sendTimeoutMs: 100 }, (outsides) => ({
      clusterClient: (options, handler) => full(outsides.clusterClient(options, handler)),
    }))
    const connected = producer.connect()
    await world.pass(5)
    await connected
    const sent = outcome(producer.send(message('a'))) // tried again every 20 ms
    await world.pass(1_000)
    const error = await sent
    const written = [...world.east.values(), ...world.west.values()]
    expect(isTandemError(error, 'TANDEM_UNDELIVERED'), String(error)).to.equal(true)
    expect((error as UndeliveredError).outcome).to.equal(written.length === 0 ? 'not-written' : 'unknown')
  })
})

describe('producer: what waits is bounded in bytes', () => {
  it('counts what asynchronous codecs brought at the same moment once, when it comes and when it goes', async () => {
    const world = new World()
    const slow: Codec<unknown> = { ...json, encode: (value) => Promise.resolve(json.encode(value)) }
    const producer = await world.connected({
      topics: { entries: { codec: slow } },
      unacknowledgedBytesMax: 5_000,
      whenBothAway: { policy: 'block', timeoutMs: 1_000 },
    })
    for (let round = 0; round < 20; round++) {
      const pair = [producer.send(message('a')), producer.send(message('b'))]
      await world.pass(10)
      await Promise.all(pair)
    }
    world.east.hang()
    world.west.hang()
    const sent = Array.from({ length: 100 }, () => outcome(producer.send(message('c'))))
    await world.pass(10)
    expect(producer.status().unacknowledged.waiting).to.be.within(1, 7)
    await world.pass(60_000)
    await Promise.all(sent)
  })

  it('lets sendMany wait with large messages under either policy', async () => {
    for (const [policy, topics] of [
      ['block', { entries: {} }],
      ['reject', { entries: {} }],
      ['reject', {}],
    ] as const) {
      const world = new World()
      const producer = await world.connected({ topics, unacknowledgedBytesMax: 5_000, whenBothAway: { policy } })
      const sent = producer.sendMany(Array.from({ length: 100 }, (_, i) => message('x'.repeat(1_000), String(i))))
      await world.pass(1_000)
      expect((await sent).filter((result) => isTandemError(result))).to.deep.equal([])
    }
  })

  it('bounds a message to a topic that is named like what every object has', async () => {
    const world = new World()
    for (const { topics } of [world.east, world.west]) topics.set('constructor', 4)
    const producer = await world.connected()
    const sent = outcome(producer.send({ topic: 'constructor', value: 'x'.repeat(1_000_001) }))
    await world.pass(2_000)
    expectError(await sent, 'TANDEM_MESSAGE_OVERSIZED')
  })
})
