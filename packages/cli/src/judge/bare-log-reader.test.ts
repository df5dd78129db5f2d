import { encode } from '@msgpack/msgpack'
import { isTandemError } from '@tandem/common'
import { encodeStamp, STAMP_HEADER } from '@tandem/common/internal'
import { LocalCluster } from '@tandem/testing'
import { expect } from 'chai'
import kafka from 'node-rdkafka'

import { takeCensus } from './bare-log-reader.js'

const TOPIC = 'transfers'
const sequence = { producerId: 'ledger', epoch: 1, incarnation: 2, keyRange: 0 }

describe('bare log reader', function () {
  this.timeout(60_000)
  let cluster: LocalCluster
  let producer: kafka.Producer

  before(async () => {
    cluster = await LocalCluster.start()
    await cluster.createTopic(TOPIC)
    producer = new kafka.Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 5 })
    await new Promise<void>((resolve, reject) =>
      producer.connect({ timeout: 10_000 }, (error) => (error ? reject(error) : resolve())),
    )
  })
  after(async () => {
    await new Promise((resolve) => producer.disconnect(1000, resolve))
    await cluster.stop()
  })

  const write = (partition: number, value: string | Uint8Array | null, stamp?: string) =>
    producer.produce(
      TOPIC,
      partition,
      value === null ? null : Buffer.from(value),
      null,
      null,
      null,
      stamp === undefined ? [] : [{ [STAMP_HEADER]: stamp }],
    )
  const written = () =>
    new Promise<void>((resolve, reject) => producer.flush(10_000, (error) => (error ? reject(error) : resolve())))
  const census = () => takeCensus({ cluster: 'east', bootstrapServers: cluster.bootstrapServers, topic: TOPIC })

  it('finds an empty log empty', async () => {
    expect(await census()).to.include({ records: 0, voided: 0, foreign: 0 })
  })

  it('counts every record of every partition once, by its payload', async () => {
    // So many that ends of partitions are told of while others are still being read.
    const count = 90_000
    for (let number = 1; number <= count; number++) {
      // The stamps are wrong on purpose: they must not matter.
      const stamp = encodeStamp({ ...sequence, kind: 'data', first: 1, count: 1 })
      write(number % 3, JSON.stringify({ number, order: number, from: 0, to: 1, amount: 1 }), stamp)
    }
    write(0, JSON.stringify({ number: 1, order: 1, from: 0, to: 1, amount: 1 }))
    write(1, null, encodeStamp({ ...sequence, kind: 'void', first: 7, count: 30 }))
    write(2, 'somebody else’s')
    write(2, null, 'not a stamp')
    const framed = [1, 2].map((number) => {
      return [null, Buffer.from(JSON.stringify({ number: count + number, order: 1, from: 0, to: 1, amount: 1 })), 1]
    })
    const frameStamp = encodeStamp({ ...sequence, kind: 'frame', first: 1, count: 3 })
    write(0, encode([...framed, [null, Buffer.from('somebody else’s'), 1]]), frameStamp)
    write(0, 'no frame', frameStamp)
    await written()
    const counted = await census()
    expect(counted).to.include({ records: count + 3, voided: 30, foreign: 4 })
    expect(counted.numbers.size).to.equal(count + 2)
    expect([...counted.numbers].at(-1)).to.equal(count + 2)
  })

  it('says which cluster it cannot read', async () => {
    const error = await takeCensus({
      cluster: 'west',
      bootstrapServers: '127.0.0.1:1',
      topic: TOPIC,
      patienceMs: 500,
    }).catch((reason: unknown) => reason)
    expect(isTandemError(error, 'TANDEM_CLUSTERS_UNREACHABLE')).to.equal(true)
    expect((error as Error).message)
      .to.contain('west')
      .and.to.contain('127.0.0.1:1')
  })
})
