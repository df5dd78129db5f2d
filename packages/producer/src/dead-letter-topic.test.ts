import { json } from '@tandem/common/internal'
import { expect } from 'chai'

import { deadLetterMessage, type DeadDelivery } from './dead-letter-topic.js'
import { outcome, World } from './world.test.js'

const DELIVERY: DeadDelivery = {
  topic: 'entries',
  partition: 3,
  from: 'west',
  offset: 4711,
  keyRange: 7,
  position: { producerId: 'ledger-7', epoch: 5, incarnation: 9, counter: 12 },
  timestampMs: 1_700_000_000_000,
  key: Buffer.from([0, 255, 1]),
  bytes: Buffer.from([0xde, 0xad, 0]),
  headers: { trace: Buffer.from('é'), tag: [Buffer.from('a'), Buffer.from('b')] },
}

const ERROR = Object.assign(new TypeError('no such account', { cause: new RangeError('7') }), { stack: 'at book.ts:7' })
const FAILURE = { error: ERROR as unknown, attempts: 5, groupId: 'balances' }

function headersOf(delivery: DeadDelivery, failure = FAILURE, stack = false): Record<string, string[]> {
  const { headers = {} } = deadLetterMessage('entries.dlq', delivery, failure, { stack })
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, (values as (Buffer | string)[]).map(String)]),
  )
}

describe('dead-letter topic', () => {
  it('keeps key, value and headers byte for byte, and says behind them where they come from and why', () => {
    const { topic, key, value, timestampMs } = deadLetterMessage('entries.dlq', DELIVERY, FAILURE, { stack: false })
    expect({ topic, key, value, timestampMs }).to.deep.equal({
      topic: 'entries.dlq',
      key: DELIVERY.key,
      value: DELIVERY.bytes,
      timestampMs: undefined,
    })
    expect(headersOf(DELIVERY)).to.deep.equal({
      trace: ['é'],
      tag: ['a', 'b'],
      '__connect.errors.topic': ['entries'],
      '__connect.errors.partition': ['3'],
      '__connect.errors.offset': ['4711'],
      '__connect.errors.exception.class.name': ['TypeError'],
      '__connect.errors.exception.message': ['no such account'],
      'kafka_dlt-original-topic': ['entries'],
      'kafka_dlt-original-partition': ['3'],
      'kafka_dlt-original-offset': ['4711'],
      'kafka_dlt-original-timestamp': ['1700000000000'],
      'kafka_dlt-original-consumer-group': ['balances'],
      'kafka_dlt-exception-fqcn': ['TypeError'],
      'kafka_dlt-exception-cause-fqcn': ['RangeError'],
      'kafka_dlt-exception-message': ['no such account'],
      'tandem-origin-cluster': ['west'],
      'tandem-origin-position': ['ledger-7 5 9 7 12'],
      'tandem-attempts': ['5'],
    })
  })

  it('tells the stack only if asked to', () => {
    const headers = headersOf(DELIVERY, FAILURE, true)
    expect(headers['__connect.errors.exception.stacktrace']).to.deep.equal(['at book.ts:7'])
    expect(headers['kafka_dlt-exception-stacktrace']).to.deep.equal(['at book.ts:7'])
  })

  it('keeps what a dead letter of a dead letter says already; the last one is the newest', () => {
    const headers = { 'kafka_dlt-original-topic': Buffer.from('first') }
    expect(headersOf({ ...DELIVERY, headers })['kafka_dlt-original-topic']).to.deep.equal(['first', 'entries'])
  })

  it('carries in base64 what the client would damage', () => {
    const headers = { binary: [Buffer.from([0x80]), Buffer.from('good')], '': Buffer.from('nameless') }
    const carried = headersOf({ ...DELIVERY, headers })
    expect(carried['binary']).to.deep.equal(['good'])
    const [first, second] = carried['tandem-header-base64']!.map((header) =>
      header.split(':').map((part) => Buffer.from(part, 'base64')),
    )
    expect(first).to.deep.equal([Buffer.from('binary'), Buffer.from([0x80])])
    expect(second).to.deep.equal([Buffer.from(''), Buffer.from('nameless')])
  })

  it('makes text of any error that may be sent, and bounds it', () => {
    for (const error of [
      undefined,
      null,
      'text',
      7n,
      Object.create(null),
      new Error('a\0b\ud800'),
      new Error('x'.repeat(100_000)),
    ]) {
      const message = headersOf(DELIVERY, { ...FAILURE, error })['__connect.errors.exception.message']![0]!
      expect(message.length).to.be.at.most(1_000)
      expect(message).to.not.match(/\0|\p{Surrogate}/u)
    }
  })

  describe('producer.deadLetter()', () => {
    it('writes the bytes as they are, whatever codec the topic has, to both clusters', async () => {
      const world = new World()
      for (const cluster of [world.east, world.west]) cluster.topics.set('entries.dlq', 1)
      const producer = await world.connected({ topics: { 'entries.dlq': { codec: json } } })
      const sent = producer.deadLetter('entries.dlq')(DELIVERY, FAILURE)
      await world.pass(100)
      expect((await sent).position).to.include({ producerId: 'p', counter: 1 })
      for (const cluster of [world.east, world.west]) {
        const [record] = cluster.log(0, 'entries.dlq')
        expect(record!.value).to.deep.equal(DELIVERY.bytes)
        expect(record!.key).to.deep.equal(DELIVERY.key)
        expect(record!.headers).to.deep.include({ trace: 'é' })
      }
    })

    it('rejects like send(), so that it is tried again', async () => {
      const world = new World()
      const producer = await world.connected()
      const sent = outcome(producer.deadLetter('missing')(DELIVERY, FAILURE))
      await world.pass(60_000)
      expect(await sent).to.have.property('code', 'TANDEM_TOPIC_MISSING')
    })

    it('refuses what is no topic, and options that it does not know', () => {
      const producer = new World().producer()
      for (const [topic, options] of [['a b'], [undefined], ['t', { stacks: true }], ['t', { stack: 1 }]] as const) {
        expect(() => producer.deadLetter(topic as never, options as never))
          .to.throw('deadLetter')
          .with.property('code', 'TANDEM_OPTIONS_INVALID')
      }
    })
  })
})
