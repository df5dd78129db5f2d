import type { WireRecord } from '@tandem/producer/internal'
import { expect } from 'chai'

import { SimulatedClusterClient } from './simulated-cluster-client.js'
import { World } from './world.js'

describe('simulated cluster client', () => {
  class Writing {
    readonly world = new World({ topics: { entries: 2 }, writeRecordsMax: 3 })
    readonly told: string[] = []
    readonly client: SimulatedClusterClient
    #ids = 0

    constructor() {
      const options = { cluster: 'east', properties: {}, connectTimeoutMs: 1_000, messageBytesMax: 100 }
      const handler = {
        handleConnected: () => this.told.push('connected'),
        handleConnectFailed: (reason: string) => this.told.push(reason),
        handleReport: (id: number, offset: number, failure: { kind: string } | undefined) => {
          this.told.push(failure === undefined ? `${id} at ${offset}` : `${id} ${failure.kind}`)
        },
        handleAllReported: () => undefined,
        handleFatal: (reason: string) => this.told.push(reason),
      }
      const where = { cluster: this.world.east, process: this.world.createProcess('writer'), writeRecordsMax: 3 }
      this.client = new SimulatedClusterClient(options, handler, where)
    }

    produce(count: number, partition = 0): void {
      for (let i = 0; i < count; i++) this.client.produce(++this.#ids, record(String(this.#ids), partition))
    }

    get log(): string[] {
      return [...this.world.east.log('entries', 0)].map(({ value }) => value!.toString())
    }
  }

  function record(text: string, partition: number): WireRecord {
    return { topic: 'entries', partition, key: null, value: Buffer.from(text), timestampMs: 0, headers: [] }
  }

  it('writes and reports in order, one batch after the other', async () => {
    const { world, told, ...writing } = await begun()
    writing.client.produce(1, record('1', 0))
    for (let id = 2; id <= 7; id++) writing.client.produce(id, record(String(id), 0))
    expect(told).to.deep.equal(['connected'])
    await world.run(1_000)
    expect(told.slice(1)).to.deep.equal(['1 at 0', '2 at 1', '3 at 2', '4 at 3', '5 at 4', '6 at 5', '7 at 6'])
  })

  it('says nothing more to who discards it over a report, not that these were all either', async () => {
    const world = new World({ topics: { entries: 2 } })
    const told: string[] = []
    const handler = {
      handleConnected: () => told.push('connected'),
      handleConnectFailed: (reason: string) => told.push(reason),
      handleReport: (id: number) => {
        told.push(`report of ${id}`)
        client.discard()
      },
      handleAllReported: () => told.push('all'),
      handleFatal: (reason: string) => told.push(reason),
    }
    const options = { cluster: 'east', properties: {}, connectTimeoutMs: 1_000, messageBytesMax: 100 }
    const where = { cluster: world.east, process: world.createProcess('writer'), writeRecordsMax: 3 }
    const client = new SimulatedClusterClient(options, handler, where)
    client.connect()
    await world.run(1_000)
    for (const id of [1, 2]) client.produce(id, record(String(id), 0))
    await world.run(1_000)
    expect(told).to.deep.equal(['connected', 'report of 1'])
  })

  it('fails nothing while the cluster hangs for a while, and has it written when that goes on', async () => {
    const writing = await begun()
    writing.world.east.hang()
    writing.produce(2)
    await writing.world.run(19_000)
    expect(writing.told).to.deep.equal(['connected'])
    writing.world.east.heal()
    await writing.world.run(100)
    expect(writing.told.slice(1)).to.deep.equal(['1 at 0', '2 at 1'])
  })

  it('gives up what a hung cluster does not answer, though that may write it later', async () => {
    const writing = await begun()
    writing.world.east.hang()
    writing.produce(1)
    await writing.world.run(10_000)
    writing.produce(1)
    await writing.world.run(12_000)
    expect(writing.told).to.deep.equal(['connected', '1 transient'])
    writing.world.east.heal()
    await writing.world.run(100)
    expect(writing.told.slice(2)).to.deep.equal(['2 at 1'])
    expect(writing.log).to.deep.equal(['1', '2'])
  })

  it('leaves in the sockets of a hung cluster what a discarded client had sent, and not what it had not', async () => {
    for (const percent of [100, 0]) {
      const writing = await begun()
      writing.world.east.lateAppendPercent = percent
      writing.world.east.hang()
      writing.produce(5)
      await writing.world.run(1_000)
      let gone = false
      writing.client.discard(() => (gone = true))
      await writing.world.run(20_000)
      expect(gone).to.equal(true)
      writing.world.east.heal()
      // However late it is read.
      await writing.world.run(60_000)
      expect(writing.log).to.deep.equal(percent === 100 ? ['1', '2', '3'] : [])
      expect(writing.told).to.deep.equal(['connected'])
    }
  })

  it('tries again while the cluster is dead or has no leader, and gives up after the message timeout', async () => {
    for (const [fail, mend] of [
      [(w: World) => w.east.kill(), (w: World) => w.east.restart()],
      [(w: World) => w.east.leaderless('entries', 0), (w: World) => w.east.lead('entries', 0)],
    ] as const) {
      const writing = await begun()
      fail(writing.world)
      writing.produce(1)
      await writing.world.run(19_000)
      expect(writing.told).to.deep.equal(['connected'])
      mend(writing.world)
      await writing.world.run(500)
      expect(writing.told.slice(1)).to.deep.equal(['1 at 0'])
      fail(writing.world)
      writing.produce(1)
      await writing.world.run(21_000)
      expect(writing.told.slice(2)).to.deep.equal(['2 transient'])
    }
  })

  it('does not write twice what the cluster had written when it died, and may not learn where', async () => {
    for (const hollowPercent of [0, 100]) {
      const writing = await begun()
      const { east } = writing.world
      east.hollowPercent = hollowPercent
      east.slow(50)
      writing.produce(1)
      await writing.world.until(() => writing.log.length === 1, 1_000)
      east.kill()
      await writing.world.run(500)
      expect(writing.told).to.deep.equal(['connected'])
      east.restart()
      await writing.world.run(2_000)
      expect(writing.told.slice(1)).to.deep.equal([hollowPercent === 0 ? '1 at 0' : '1 at -1'])
      expect(writing.log).to.deep.equal(['1'])
    }
  })

  it('has a whole batch refused for one record, and a record that is too large for itself at once', async () => {
    const writing = await begun()
    writing.world.east.refuse(({ value }) => Buffer.from(value!).toString() === '2')
    writing.produce(3)
    expect(writing.client.produce(9, record('x'.repeat(5_000), 0))?.kind).to.equal('refused')
    await writing.world.run(1_000)
    expect(writing.told.slice(1)).to.deep.equal(['1 batch-refused', '2 batch-refused', '3 batch-refused'])
    expect(writing.log).to.deep.equal([])
  })

  it('describes the cluster, and says that it cannot', async () => {
    const writing = await begun()
    const answers: unknown[] = []
    const ask = (): void => {
      writing.client.describe(['entries', 'missing'], 1_000, (description, reason) => {
        answers.push(description?.topics.map(({ name, partitions }) => `${name} ${partitions.length}`) ?? reason)
      })
    }
    ask()
    await writing.world.run(100)
    writing.world.east.hang()
    ask()
    await writing.world.run(1_100)
    expect(answers).to.deep.equal([['entries 2'], 'local: timed out'])
  })

  async function begun(): Promise<Writing> {
    const writing = new Writing()
    writing.client.connect()
    await writing.world.run(100)
    return writing
  }
})
