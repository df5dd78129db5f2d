import { decodeFrame } from '@tandem/common/internal'
import { expect } from 'chai'

import type { ProducerOptions } from './options.js'
import type { Receipt } from './receipt.js'
import { outcome, World, type LogRecord } from './world.test.js'

const FRAMED: Partial<ProducerOptions> = { topics: { entries: { framing: 'frame' } } }

function message(value: string, key = 'k'): { topic: string; key: string; value: string } {
  return { topic: 'entries', key, value }
}

/** `d1 a` or `f2-4 b c d`. */
function told({ stamp, value, key }: LogRecord): string {
  if (stamp.kind === 'data') return `d${stamp.first} ${text(value)}`
  expect(key).to.equal(null)
  const texts = decodeFrame(value, stamp.count).map((one) => text(one.value))
  return `f${stamp.first}-${stamp.first + stamp.count - 1} ${texts.join(' ')}`
}

function text(bytes: Uint8Array | null): string {
  return Buffer.from(bytes!).toString()
}

describe('producer: frames', () => {
  it('writes what comes while a message is under way as one record, the same bytes to both', async () => {
    const world = new World()
    const producer = await world.connected(FRAMED)
    const sent = ['a', 'b', 'c', 'd'].map((value) => producer.send(message(value)))
    await world.pass(20)
    expect(world.east.records().map(told)).to.deep.equal(['d1 a', 'f2-4 b c d'])
    expect(world.west.records().map(({ value }) => value)).to.deep.equal(world.east.records().map(({ value }) => value))
    const receipts = await Promise.all(sent)
    expect(receipts.map(({ position }) => position.counter)).to.deep.equal([1, 2, 3, 4])
    expect(receipts.map(({ clusters }) => clusters['east']!.offset)).to.deep.equal([0, 1, 1, 1])
    expect((await receipts[3]!.settled()).position.counter).to.equal(4)
    expect(producer.status().unacknowledged).to.deep.include({ messages: 0, bytes: 0 })
  })

  it('keeps key, headers, timestamp and tombstone of each', async () => {
    const world = new World()
    const producer = await world.connected(FRAMED)
    const more = [
      { topic: 'entries', key: 'k', value: null, timestampMs: 5 },
      { topic: 'entries', key: 'k', value: 'v', headers: { h: ['1', '2'] } },
    ]
    for (const one of [message('a'), ...more]) void producer.send(one)
    await world.pass(20)
    const [, frame] = world.east.records()
    expect(frame!.headers).to.have.length(1)
    const [tombstone, last] = decodeFrame(frame!.value, 2)
    expect(tombstone).to.deep.include({ value: null, timestampMs: 5, headers: [] })
    expect(text(tombstone!.key)).to.equal('k')
    expect(last!.headers).to.deep.equal([{ h: '1' }, { h: '2' }])
    expect(last!.timestampMs).to.be.above(1_700_000_000_000)
  })

  it('does not delay the message of an idle stream, and one that waits by no more than lingerMs', async () => {
    const world = new World()
    world.east.delayMs = 100
    world.west.delayMs = 100
    const producer = await world.connected({ topics: { entries: { framing: 'frame', lingerMs: 30 } } })
    void producer.send(message('a'))
    await world.pass(1)
    expect(world.east.produced).to.equal(1)
    void producer.send(message('b'))
    void producer.send(message('c'))
    await world.pass(28)
    expect(world.east.produced).to.equal(1)
    await world.pass(2)
    expect(world.east.produced).to.equal(2)
  })

  it('lets a send with a time or a signal of its own leave alone, after what came before it', async () => {
    const world = new World()
    const producer = await world.connected(FRAMED)
    for (const value of ['a', 'b', 'c']) void producer.send(message(value))
    void producer.send(message('d'), { timeoutMs: 1_000 })
    for (const value of ['e', 'f']) void producer.send(message(value))
    await world.pass(20)
    expect(world.east.records().map(told)).to.deep.equal(['d1 a', 'f2-3 b c', 'd4 d', 'f5-6 e f'])
  })

  it('counts a message that waits for its record in the window, and lets it go when all is closed', async () => {
    const world = new World()
    world.east.hang()
    world.west.hang()
    const producer = await connectedThenHung(world)
    const sent = ['a', 'b', 'c'].map((value) => outcome(producer.send(message(value))))
    expect(producer.status().unacknowledged.messages).to.equal(3)
    const closed = producer.close({ timeoutMs: 100 })
    await world.pass(20_000)
    const report = await closed
    expect(report.unsettled.map(({ counter }) => counter)).to.deep.equal([1, 2, 3])
    for (const one of await Promise.all(sent)) expect(one).to.include({ code: 'TANDEM_UNDELIVERED' })
  })

  it('rejects each message of a frame under its own position', async () => {
    const world = new World()
    const producer = await connectedThenHung(world)
    const sent = ['a', 'b', 'c'].map((value) => outcome(producer.send(message(value))))
    await world.pass(60_000)
    const errors = (await Promise.all(sent)) as unknown as { details: { position: { counter: number } } }[]
    expect(errors.map(({ details }) => details.position.counter)).to.deep.equal([1, 2, 3])
  })

  it('writes a frame again as the same bytes to a cluster that was away', async () => {
    const world = new World()
    const producer = await world.connected(FRAMED)
    world.west.hang()
    const sent = ['a', 'b', 'c'].map((value) => producer.send(message(value)))
    await world.pass(20_000)
    world.west.resume()
    await world.pass(30_000)
    const receipts: Receipt[] = await Promise.all((await Promise.all(sent)).map((receipt) => receipt.settled()))
    expect(receipts.every(({ clusters }) => clusters['west'] !== undefined)).to.equal(true)
    expect(world.west.records().at(-1)!.value).to.deep.equal(world.east.records().at(-1)!.value)
  })

  it('is never larger than what its messages are counted for, whatever their headers', async () => {
    const world = new World()
    const producer = await world.connected({ topics: { entries: { framing: 'frame', messageBytesMax: 2_000 } } })
    const headers = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`h${index}`, 'x']))
    for (let i = 0; i < 40; i++) void producer.send({ ...message('v'), headers })
    await world.pass(100)
    const frames = world.east.records().filter(({ stamp }) => stamp.kind === 'frame')
    expect(frames.length).to.be.greaterThan(2)
    for (const { value } of frames) expect(value!.length).to.be.at.most(2_000)
  })

  it('gives messages without a key to one key range for a while, so that they share records', async () => {
    const world = new World()
    const producer = await world.connected(FRAMED)
    for (let i = 0; i < 128; i++) void producer.send({ topic: 'entries', value: String(i) })
    await world.pass(50)
    const counts = [...world.east.logs.values()].map((log) => log.reduce((sum, { stamp }) => sum + stamp.count, 0))
    expect(counts.filter((count) => count > 0)).to.deep.equal([64, 64])
  })
})

async function connectedThenHung(world: World): Promise<Awaited<ReturnType<World['connected']>>> {
  world.east.resume()
  world.west.resume()
  const producer = await world.connected({ ...FRAMED, sendTimeoutMs: 20_000 })
  world.east.hang()
  world.west.hang()
  return producer
}
