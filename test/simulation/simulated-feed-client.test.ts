import { expect } from 'chai'

import type { LogEntry } from './simulated-log.js'
import { SimulatedFeedClient } from './simulated-feed-client.js'
import type { SimulatedProcess } from './simulated-process.js'
import { World, type WorldSettings } from './world.js'

describe('simulated feed client', () => {
  const AT = { topic: 'entries', partition: 0 }
  const entry = (text: string): LogEntry => ({ key: null, value: Buffer.from(text), timestampMs: 0, headers: [] })

  /** A client that is polled again and again, and what it told. */
  async function read(offset = 0, polls = true): Promise<Reading> {
    const reading = new Reading(polls)
    await reading.begin(offset)
    return reading
  }

  class Reading {
    readonly world: World
    readonly told: string[] = []
    readonly client: SimulatedFeedClient
    readonly process: SimulatedProcess
    connected = false

    constructor(polls: boolean, settings: Partial<WorldSettings> = {}) {
      this.world = new World(settings)
      this.process = this.world.createProcess('reader')
      const { east: cluster } = this.world
      const options = { cluster: 'east', groupId: 'g', properties: {}, topics: ['entries'], connectTimeoutMs: 1_000 }
      const handler = {
        handleConnected: () => (this.connected = true),
        handleConnectFailed: (reason: string) => this.told.push(reason),
        handleSilence: () => undefined,
        handleBatch: (records: readonly { value: Buffer | null }[], ends: readonly { offset: number }[]) => {
          for (const { value } of records) this.told.push(value!.toString())
          for (const end of ends) this.told.push(`end ${end.offset}`)
          if (polls) this.client.poll()
        },
        handlePollFailed: (reason: string) => {
          this.told.push(reason)
          if (polls) this.client.poll()
        },
      }
      this.client = new SimulatedFeedClient(options, handler, {
        cluster,
        process: this.process,
        pollTimeoutMs: 50,
        readRecordsMax: 500,
      })
    }

    async begin(offset: number): Promise<void> {
      this.client.connect()
      await this.world.until(() => this.connected, 1_000)
      this.client.assign([{ ...AT, offset }])
      this.client.poll()
    }

    write(...texts: string[]): void {
      for (const text of texts) this.world.east.append('entries', 0, entry(text))
    }
  }

  it('brings what is there and what comes, and tells each end once', async () => {
    const { world, told, ...reading } = await read()
    await world.run(100)
    expect(told).to.deep.equal(['end 0'])
    for (const text of ['1', '2']) world.east.append('entries', 0, entry(text))
    await world.run(1_000)
    expect(told).to.deep.equal(['end 0', '1', '2', 'end 2'])
    reading.client.assign([{ ...AT, offset: 1 }])
    await world.run(1_000)
    expect(told).to.deep.equal(['end 0', '1', '2', 'end 2', '2', 'end 2'])
  })

  it('refuses a second poll while one is under way', async () => {
    const { client } = await read(0, false)
    expect(() => client.poll()).to.throw('a poll of east is under way')
  })

  it('brings nothing of a paused partition, and all of it after', async () => {
    const reading = await read()
    await reading.world.run(100)
    reading.client.pause([AT])
    reading.write('1', '2')
    await reading.world.run(1_000)
    expect(reading.told).to.deep.equal(['end 0'])
    reading.client.resume([AT])
    await reading.world.run(1_000)
    expect(reading.told).to.deep.equal(['end 0', '1', '2', 'end 2'])
  })

  it('is distracted while it is paused or nobody polls, and not while it waits for more', async () => {
    const { client, world } = await read()
    await world.run(1_000)
    const { length } = client.distracted
    const fromMs = world.now
    await world.run(1_000)
    expect(client.distracted, 'waiting').to.have.length(length)
    client.pause([AT])
    await world.run(500)
    client.resume([AT])
    await world.run(1_000)
    expect(client.distracted.slice(length)).to.deep.equal([{ fromMs: fromMs + 1_000, toMs: fromMs + 1_500 }])
    const unasked = await read(0, false)
    unasked.world.east.append('entries', 0, entry('1'))
    await unasked.world.run(1_000)
    expect(unasked.client.distracted.at(-1)?.toMs).to.equal(Infinity)
  })

  it('reads again what it had read ahead and not handed out when it was paused', async () => {
    const reading = await read(0, false)
    reading.write('1', '2')
    await reading.world.run(100)
    reading.write('3')
    await reading.world.run(100) // in the buffer, and nobody polls
    reading.client.pause([AT])
    reading.client.resume([AT])
    reading.client.poll()
    await reading.world.run(1_000)
    expect(reading.told.filter((text) => !text.startsWith('end'))).to.deep.equal(['1', '2', '3'])
  })

  it('goes on by itself after its cluster was hung, or dead, or had no leader', async () => {
    const reading = await read()
    const { world } = reading
    for (const [fail, mend] of [
      [() => world.east.hang(), () => world.east.heal()],
      [() => world.east.kill(), () => world.east.restart()],
      [() => world.east.leaderless('entries', 0), () => world.east.lead('entries', 0)],
    ] as const) {
      await world.run(100)
      reading.told.length = 0
      fail()
      await world.run(100)
      reading.write('1')
      await world.run(10_000)
      expect(reading.told).to.deep.equal([])
      mend()
      await world.run(1_000)
      expect(reading.told[0]).to.equal('1')
    }
  })

  it('stops at an offset outside the log until it is assigned anew, and says so once', async () => {
    const reading = await read(7)
    await reading.world.run(1_000)
    reading.write('1')
    await reading.world.run(1_000)
    expect(reading.told).to.deep.equal(['Broker: Offset out of range'])
    reading.client.assign([{ ...AT, offset: 0 }])
    await reading.world.run(1_000)
    expect(reading.told.slice(1)).to.deep.equal(['1', 'end 1'])
  })

  it('loses an end that was reached with a poll that failed, and tells the next one', async () => {
    const reading = new Reading(false, { topics: { entries: 2 } })
    await reading.begin(7)
    reading.client.assign([{ ...AT, partition: 1, offset: 0 }])
    await reading.world.run(1_000)
    for (let i = 0; i < 2; i++) {
      reading.client.poll()
      await reading.world.run(1_000)
    }
    expect(reading.told).to.deep.equal(['Broker: Offset out of range'])
    reading.world.east.append('entries', 1, entry('1'))
    for (let i = 0; i < 2; i++) {
      reading.client.poll()
      await reading.world.run(1_000)
    }
    expect(reading.told.slice(1)).to.deep.equal(['1', 'end 1'])
  })

  it('answers a question about the end as it is when the cluster is asked, and not at all in vain', async () => {
    const reading = await read()
    const answers: unknown[] = []
    const ask = (): void => reading.client.queryEnd(AT, (offset) => answers.push(offset))
    reading.write('1')
    ask()
    ask()
    await reading.world.run(100)
    expect(answers).to.deep.equal([1, 1])
    reading.world.east.hang()
    ask()
    await reading.world.run(3_999)
    expect(answers.length).to.equal(2)
    await reading.world.run(10)
    expect(answers[2]).to.equal(undefined)
  })

  it('lets questions in vain about some partitions delay those about others by one at most', async () => {
    const reading = new Reading(true, { topics: { entries: 12 }, brokers: 2 })
    await reading.begin(0)
    const odd = [1, 3, 5, 7, 9, 11]
    for (const partition of odd) reading.world.east.leaderless('entries', partition)
    const answered: number[] = []
    const ask = (partition: number): void => {
      reading.client.queryEnd({ topic: 'entries', partition }, (offset) => {
        if (offset === undefined) ask(partition)
        else answered.push(partition)
      })
    }
    for (const partition of [...odd, 0, 2, 4, 6, 8, 10]) ask(partition)
    await reading.world.run(4_700)
    expect(answered.sort((a, b) => a - b)).to.deep.equal([0, 2, 4, 6, 8, 10])
  })

  it('is answered by a cluster whose answers take long', async () => {
    const reading = await read()
    reading.world.east.slow(1_900, 'query')
    const answers: unknown[] = []
    for (let i = 0; i < 2; i++) reading.client.queryEnd(AT, (offset) => answers.push(offset))
    await reading.world.run(8_000)
    expect(answers).to.deep.equal([0, 0])
    reading.client.queryTime(AT, 0, (offset) => answers.push(offset))
    await reading.world.run(8_000)
    expect(answers.slice(2)).to.deep.equal([0])
  })

  it('is answered by a slow cluster after one that hung, once patience has grown', async () => {
    const reading = await read()
    const answers: unknown[] = []
    const ask = (): void => reading.client.queryEnd(AT, (offset) => answers.push(offset))
    reading.world.east.hang()
    ask()
    await reading.world.run(4_100)
    reading.world.east.resume()
    reading.world.east.slow(700, 'query')
    for (let i = 0; i < 4; i++) ask()
    await reading.world.run(500 + 1_000 + 1_500 + 1_500)
    expect(answers).to.deep.equal([undefined, undefined, undefined, 0, 0])
  })

  for (const from of ['earliest', 'latest'] as const) {
    it(`lets a consumer begin at clusters whose answers take long: ${from}`, async () => {
      const world = new World()
      for (const cluster of world.clusters) cluster.slow(700, 'query')
      const consumer = world.createConsumer({ groupId: 'g', name: 'c', options: { from } }).start()
      expect(await world.until(() => consumer.assignments.length === 2, 20_000)).to.equal(true)
      await world.run(60_000)
      expect(consumer.count('feed-away')).to.equal(0)
    })
  }

  it('finds an offset by time', async () => {
    const reading = await read()
    reading.write('1')
    await reading.world.run(1_000)
    const wallMs = reading.process.clock.wall()
    reading.write('2')
    const answers: unknown[] = []
    reading.client.queryTime(AT, wallMs, (offset) => answers.push(offset))
    reading.client.queryTime(AT, wallMs + 1, (offset) => answers.push(offset))
    await reading.world.run(100)
    expect(answers).to.deep.equal([1, 2])
  })

  it('says nothing after it was closed but that', async () => {
    const reading = await read()
    reading.write('1')
    let closed = false
    reading.client.close(() => (closed = true))
    await reading.world.run(1_000)
    expect(reading.told).to.deep.equal([])
    expect(closed).to.equal(true)
  })

  it('fails to connect to a cluster that is hung or dead, in its time', async () => {
    for (const fault of ['hang', 'kill'] as const) {
      const reading = new Reading(true)
      reading.world.east[fault]()
      reading.client.connect()
      await reading.world.run(999)
      expect(reading.told).to.deep.equal([])
      await reading.world.run(1)
      expect(reading.told).to.deep.equal(['east: timed out'])
    }
  })
})
