import type { ClusterDescription } from '@tandem/common/internal'
import type { FeedRecord } from '@tandem/consumer/internal'
import type { WireRecord } from '@tandem/producer/internal'
import { expect } from 'chai'

import { SLACK_MS, type Benches, type ClientOptions, type ClusterBench } from './cluster-bench.js'
import { realBenches } from './real-benches.js'
import { simulatedBenches } from './simulated-benches.js'
import { OPTIONS, RECORD, Writer } from './writer.js'

/** What every ClusterClient does, towards a cluster that serves, hangs, dies and comes back. */
function clusterClientSuite(benches: Benches): void {
  const opened: { bench: ClusterBench; writers: Writer[] } = { bench: undefined as never, writers: [] }

  async function connected(bench: ClusterBench, options?: Partial<ClientOptions>): Promise<Writer> {
    const writer = await Writer.connected(bench, options)
    opened.writers.push(writer)
    return writer
  }

  /** What a log holds, as text. */
  async function texts(bench: ClusterBench, partition = 0): Promise<string[]> {
    return (await bench.read(partition)).map(({ value }) => String(value))
  }

  afterEach(async () => {
    for (const writer of opened.writers.splice(0)) await writer.discard()
  })

  it('connects, and describes the topics that the cluster has', async () => {
    const bench = await benches.open()
    const writer = await connected(bench)
    const described = (await writer.describe([bench.topic, 'nowhere'])) as ClusterDescription
    expect(described.topics).to.deep.equal([
      {
        name: bench.topic,
        partitions: [0, 1].map((partition) => {
          return { partition, leader: described.brokers[0]!.id, replicas: 1, inSync: 1 }
        }),
      },
    ])
    expect(described.brokers).to.have.length(1)
    expect(described.brokers[0]!.host).to.be.a('string')
    expect(described.brokers[0]!.port).to.be.greaterThan(0)
    expect(((await writer.describe(['nowhere'])) as ClusterDescription).topics).to.deep.equal([])
    expect(((await writer.describe([])) as ClusterDescription).topics).to.deep.equal([])
  })

  it('reports every record once, in order within its partition, with the offset that it has', async () => {
    const bench = await benches.open()
    const writer = await connected(bench)
    const ids: [number[], number[]] = [[], []]
    for (let i = 0; i < 2_000; i++) {
      const partition = i % 3 === 0 ? 1 : 0
      ids[partition].push(writer.produce({ partition }))
    }
    expect(writer.reports).to.deep.equal([])
    await writer.reported(2_000)
    expect(writer.reports).to.have.length(2_000)
    for (const partition of [0, 1] as const) {
      const reports = writer.reports.filter(({ id }) => ids[partition].includes(id))
      expect(reports).to.deep.equal(ids[partition].map((id, offset) => ({ id, offset, failure: undefined })))
      expect(await texts(bench, partition)).to.deep.equal(ids[partition].map(String))
    }
  })

  it('writes key, value, headers and timestamp unharmed, and a void as one', async () => {
    const bench = await benches.open()
    const writer = await connected(bench)
    const all = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i))
    const records: Partial<WireRecord>[] = [
      { key: all, value: all, timestampMs: 1 },
      { key: new Uint8Array(all), value: new Uint8Array(all), timestampMs: 1_700_000_000_123 },
      { key: null, value: null, timestampMs: 2 },
      { key: Buffer.alloc(0), value: Buffer.alloc(0), timestampMs: 3 },
      { headers: [{ tandem: '1:v:p:1:1:0:1:1' }], key: null, value: null, timestampMs: 4 },
      { headers: [{ b: '1' }, { a: '2' }, { b: '3' }, { 'ä €': '' }, { __proto__x: '𝄞' }], timestampMs: 5 },
      { value: Buffer.alloc(90_000, 7), timestampMs: 6 },
    ]
    for (const record of records) writer.produce({ value: null, ...record })
    await writer.reported(records.length)
    const read = await bench.read(0)
    expect(read.map(({ timestampMs }) => timestampMs)).to.deep.equal(records.map(({ timestampMs }) => timestampMs))
    const bytes = (of: Uint8Array | null | undefined) => (of === null || of === undefined ? null : Buffer.from(of))
    for (const [index, { key, value, headers = [] }] of records.entries()) {
      const found = read[index] as FeedRecord
      expect(bytes(found.key), `key of ${index}`).to.deep.equal(bytes(key))
      expect(bytes(found.value), `value of ${index}`).to.deep.equal(bytes(value))
      const texts = found.headers.map((one) => Object.entries(one).map(([name, text]) => [name, String(text)]))
      expect(texts, `headers of ${index}`).to.deep.equal(headers.map((one) => Object.entries(one)))
    }
  })

  it('gives its own time to a record without one', async () => {
    const bench = await benches.open()
    const writer = await connected(bench)
    const before = bench.wallMs
    writer.produce({ timestampMs: 0 })
    await writer.reported(1)
    expect((await bench.read(0))[0]!.timestampMs).to.be.within(before - 1_000, bench.wallMs + 1_000)
  })

  it('refuses at once what is larger than any topic takes, and nothing that is not', async () => {
    const bench = await benches.open()
    const writer = await connected(bench)
    const max = OPTIONS.messageBytesMax
    const large = { ...RECORD, topic: bench.topic, value: Buffer.alloc(max + 10_000) }
    expect(writer.client.produce(99, large)?.kind).to.equal('refused')
    const header = { h: 'x'.repeat(max + 10_000) }
    const failure = writer.client.produce(98, { ...large, value: null, headers: [header] })
    expect(failure?.kind, 'headers count').to.equal('refused')
    writer.produce({ key: Buffer.alloc(1_000), value: Buffer.alloc(max - 2_000), headers: [{ h: 'x'.repeat(999) }] })
    await writer.reported(1)
    expect(writer.reports).to.deep.equal([{ id: 1, offset: 0, failure: undefined }])
  })

  it('may be told no for a whole batch because of one record, and goes on with the next', async () => {
    const bench = await benches.open({ recordBytesMax: 20_000 })
    const writer = await connected(bench)
    let condemned = false
    let written: number[] = []
    // What shares a batch is the client's choice: asked until it was so.
    for (let tries = 0; !condemned; tries++) {
      expect(tries).to.be.below(50)
      const known = writer.reports.length
      const ids = [10, 30_000, 10].map((bytes) => writer.produce({ value: Buffer.alloc(bytes) }))
      await writer.reported(known + 3)
      const reports = writer.reports.slice(known)
      expect(reports.map(({ id }) => id)).to.deep.equal(ids)
      expect(reports[1]!.failure?.kind).to.equal('batch-refused')
      for (const { id, failure } of reports) {
        if (failure === undefined) written.push(id)
        else expect(failure.kind).to.equal('batch-refused')
      }
      condemned = reports.every(({ failure }) => failure !== undefined)
    }
    written = [...written, writer.produce({ value: Buffer.from('next') })]
    await bench.until('the next is written', () => writer.reports.some(({ id }) => id === written.at(-1)))
    const last = writer.reports.at(-1)!
    expect(last).to.deep.equal({ id: written.at(-1), offset: written.length - 1, failure: undefined })
    expect((await bench.read(0)).map(({ value }) => value!.length)).to.deep.equal([...written.slice(1).fill(10), 4])
  })

  it('fails nothing while the cluster hangs, for longer than a circuit waits, and has each written once after', async () => {
    const bench = await benches.open()
    const writer = await connected(bench)
    writer.produce()
    await writer.reported(1)
    await bench.hang()
    for (let i = 0; i < 100; i++) writer.produce({ partition: i % 2 })
    const begun = bench.now
    expect(await writer.describe([bench.topic], 500)).to.be.a('string')
    expect(bench.now - begun).to.be.at.least(490)
    await bench.pass(AGE_BOUND_MS + 500 - (bench.now - begun))
    expect(writer.reports).to.have.length(1)
    await bench.resume()
    await writer.reported(101)
    expect(writer.reports.filter(({ failure }) => failure !== undefined)).to.deep.equal([])
    const written = [...(await texts(bench, 0)), ...(await texts(bench, 1))].map(Number)
    expect(written.sort((a, b) => a - b)).to.deep.equal(writer.reports.map(({ id }) => id).sort((a, b) => a - b))
    expect(writer.told).to.deep.equal(['connected'])
  })

  it('does not connect to a cluster that hangs, and says so in its time', async () => {
    const bench = await benches.open()
    await bench.hang()
    const writer = new Writer(bench, { connectTimeoutMs: 500 })
    const begun = bench.now
    writer.client.connect()
    await bench.until('it gives up', () => writer.told.length > 0, 500 + SLACK_MS)
    expect(writer.told).to.deep.equal(['connect failed'])
    expect(bench.now - begun).to.be.at.least(490)
    await writer.discard()
    await bench.resume()
  })

  it('writes each record once although the cluster dies and comes back, and does not connect meanwhile', async () => {
    const bench = await benches.open()
    const writer = await connected(bench)
    // It dies with batches under way, somewhere between the first report and the last.
    for (let i = 0; i < 20_000; i++) writer.produce({ value: Buffer.from(String(i)) })
    await writer.reported(1)
    await bench.kill()
    for (let i = 20_000; i < 20_100; i++) writer.produce({ value: Buffer.from(String(i)) })
    const other = new Writer(bench, { connectTimeoutMs: 500 })
    other.client.connect()
    await bench.until('it gives up', () => other.told.length > 0, 500 + SLACK_MS)
    expect(other.told).to.deep.equal(['connect failed'])
    await other.discard()
    expect(await writer.describe([bench.topic], 500)).to.be.a('string')
    await bench.restart()
    await writer.reported(20_100)
    expect(writer.reports.map(({ id }) => id)).to.deep.equal(Array.from({ length: 20_100 }, (_, i) => i + 1))
    expect(writer.reports.filter(({ failure }) => failure !== undefined)).to.deep.equal([])
    expect((await texts(bench)).map(Number)).to.deep.equal(Array.from({ length: 20_100 }, (_, i) => i))
  })

  it('says nothing any more once it is discarded, whatever the cluster does', async () => {
    for (const hung of [false, true]) {
      const bench = await benches.open()
      const writer = await Writer.connected(bench)
      const ids = [writer.produce()]
      await writer.reported(1)
      if (hung) await bench.hang()
      for (let i = 0; i < 100; i++) ids.push(writer.produce())
      let described = false
      writer.client.describe([bench.topic], 500, () => (described = true))
      let done = 0
      writer.client.discard(() => done++)
      expect(done).to.equal(0)
      if (hung) {
        await bench.pass(800)
        await bench.resume()
      }
      await bench.until('it is gone', () => done > 0)
      await bench.pass(200)
      expect({ done, described, reports: writer.reports.length, told: writer.told }).to.deep.equal({
        done: 1,
        described: false,
        reports: 1,
        told: ['connected'],
      })
      // What it had sent may be written all the same: a part from the front, and nothing twice.
      const written = (await texts(bench)).map(Number)
      expect(written).to.deep.equal(ids.slice(0, written.length))
    }
  })

  it('says nothing any more either when a report leads to that, also not that these were all', async () => {
    const bench = await benches.open()
    const writer = await Writer.connected(bench)
    let done = 0
    writer.onReport = () => writer.client.discard(() => done++)
    for (let i = 0; i < 10; i++) writer.produce()
    await bench.until('it is gone', () => done > 0)
    await bench.pass(200)
    expect({ done, reports: writer.reports.length, allReported: writer.allReported }).to.deep.equal({
      done: 1,
      reports: 1,
      allReported: 0,
    })
  })

  it('can be discarded before and while it connects, and without anybody waiting for it', async () => {
    const bench = await benches.open()
    const fresh = new Writer(bench)
    await fresh.discard()
    const connecting = new Writer(bench)
    connecting.client.connect()
    await connecting.discard()
    expect([...fresh.told, ...connecting.told]).to.deep.equal([])
    const unwatched = await Writer.connected(bench)
    unwatched.client.discard()
    await bench.pass(100)
    expect(unwatched.told).to.deep.equal(['connected'])
  })
}

describe('conformance: simulated cluster client', () => clusterClientSuite(simulatedBenches))

describe('conformance: cluster client on librdkafka', function () {
  this.timeout(60_000)
  clusterClientSuite(realBenches)
})

/** By then a circuit has opened. */
const AGE_BOUND_MS = 5_000
