import type { ClusterDescription } from '@tandem/common/internal'
import { UNCOMMITTED, type FeedPosition } from '@tandem/consumer/internal'
import { expect } from 'chai'

import type { LogEntry } from '../simulation/simulated-log.js'
import { entry, LONG_AGO, SLACK_MS, type Benches, type ClusterBench } from './cluster-bench.js'
import { Reader } from './reader.js'
import { realBenches } from './real-benches.js'
import { simulatedBenches } from './simulated-benches.js'

/** What every FeedClient does, towards a cluster that serves, loses records to retention, hangs, dies and comes back. */

function feedClientSuite(benches: Benches): void {
  const opened: Reader[] = []
  let bench: ClusterBench

  beforeEach(async () => (bench = await benches.open()))

  afterEach(async () => {
    for (const reader of opened.splice(0)) await reader.close()
  })

  /** Connected, and polling. */
  async function reading(...positions: readonly Omit<FeedPosition, 'topic'>[]): Promise<Reader> {
    const reader = new Reader(bench)
    reader.client.connect()
    expect(reader.descriptions).to.deep.equal([])
    await bench.until('it is connected', () => reader.descriptions.length > 0)
    opened.push(reader)
    reader.client.assign(positions.map((position) => ({ topic: bench.topic, ...position })))
    reader.poll()
    expect(reader.polled).to.equal(0)
    return reader
  }

  const write = (texts: readonly string[], partition = 0): Promise<void> =>
    bench.write(
      partition,
      texts.map((text) => entry(text)),
    )

  const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => String(from + i))

  it('connects once, and tells which of its topics the cluster has', async () => {
    const reader = await reading()
    expect(reader.descriptions).to.have.length(1)
    const [{ brokers, topics }] = reader.descriptions as [ClusterDescription]
    expect(brokers).to.have.length(1)
    expect(topics.map(({ name, partitions }) => [name, partitions.length])).to.deep.equal([[bench.topic, 2]])
  })

  it('answers each poll once, also if there is nothing, and nothing else', async () => {
    const reader = await reading()
    reader.polling = false
    await bench.until('the poll is over', () => reader.polled === 1)
    await bench.pass(300)
    expect(reader).to.deep.include({ polled: 1, records: [], told: [], failures: [] })
  })

  it('reads each partition from its offset on in order, then what comes, and tells each end behind its records', async () => {
    await write(numbers(0, 2_500))
    await write(numbers(0, 10), 1)
    const reader = await reading({ partition: 0, offset: 3 }, { partition: 1, offset: 10 })
    await reader.tells('end 0@2500')
    await reader.tells('end 1@10')
    expect(reader.texts()).to.deep.equal(numbers(3, 2_500))
    expect(reader.texts(1)).to.deep.equal([])
    await write(numbers(2_500, 2_600))
    await write(numbers(10, 12), 1)
    await reader.tells('end 0@2600')
    await reader.tells('end 1@12')
    expect(reader.texts()).to.deep.equal(numbers(3, 2_600))
    expect(reader.texts(1)).to.deep.equal(['10', '11'])
    // Whenever an end is told, all records before it have been.
    const next = [3, 10]
    for (const each of reader.told) {
      const [partition, offset] = each.replace('end ', '').split('@').map(Number) as [number, number]
      expect(next[partition], each).to.equal(offset)
      if (!each.startsWith('end')) next[partition]!++
    }
    expect(reader.failures).to.deep.equal([])
  })

  it('tells an end again only when it is another one', async () => {
    const reader = await reading({ partition: 0, offset: 0 })
    await reader.tells('end 0@0')
    await reader.idles()
    await write(['a'])
    await reader.tells('end 0@1')
    await reader.idles()
    expect(reader.told).to.deep.equal(['end 0@0', '0@0', 'end 0@1'])
  })

  it('brings key, value, headers and timestamp unharmed', async () => {
    const all = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i))
    const entries: LogEntry[] = [
      { key: all, value: all, timestampMs: 1, headers: [] },
      { key: null, value: null, timestampMs: 1_700_000_000_002, headers: [{ tandem: '1:v:p:1:1:0:1:1' }] },
      {
        key: Buffer.from('k'),
        value: Buffer.alloc(500_000, 7),
        timestampMs: 1_700_000_000_003,
        headers: [{ b: '1' }, { a: '2' }, { b: '3' }, { 'ä €': '' }, { x: '𝄞' }, { ['__proto__']: 'p' }],
      },
    ]
    await bench.write(0, entries)
    const reader = await reading({ partition: 0, offset: 0 })
    await reader.tells('end 0@3')
    for (const [index, { key, value, timestampMs, headers }] of entries.entries()) {
      const found = reader.records[index]!
      expect([found.topic, found.partition, found.offset]).to.deep.equal([bench.topic, 0, index])
      expect(found.timestampMs).to.equal(timestampMs)
      expect(found.key, `key of ${index}`).to.deep.equal(key)
      expect(found.value, `value of ${index}`).to.deep.equal(value)
      const texts = found.headers.map((one) => Object.entries(one).map(([name, text]) => [name, String(text)]))
      expect(texts, `headers of ${index}`).to.deep.equal(headers.map((one) => Object.entries(one)))
      for (const one of found.headers) for (const bytes of Object.values(one)) expect(bytes).to.be.instanceOf(Buffer)
    }
  })

  it('brings nothing more of a paused partition but what it had taken, and all of the rest when it is resumed', async () => {
    const reader = await reading({ partition: 0, offset: 0 }, { partition: 1, offset: 0 })
    await reader.tells('end 0@0')
    reader.client.pause([reader.at(0)])
    await reader.idles()
    await write(numbers(0, 100))
    await write(numbers(0, 100), 1)
    await reader.tells('end 1@100')
    await reader.idles()
    expect(reader.texts()).to.deep.equal([])
    expect(reader.texts(1)).to.deep.equal(numbers(0, 100))
    reader.client.resume([reader.at(0)])
    await reader.tells('end 0@100')
    expect(reader.texts()).to.deep.equal(numbers(0, 100))
  })

  it('brings nothing more of a partition that was taken away, and all from where it is told when it has it again', async () => {
    await write(numbers(0, 20_000))
    await write(numbers(0, 10), 1)
    const reader = await reading({ partition: 0, offset: 0 }, { partition: 1, offset: 0 })
    for (const [index, offset] of [100, 90, 15_000].entries()) {
      await reader.brings(0, 50)
      reader.client.unassign([reader.at(0)])
      const before = reader.texts().length
      if (index > 0) await reader.idles() // or at once, while a poll is under way
      expect(reader.texts().length).to.equal(before)
      reader.client.assign([{ ...reader.at(0), offset }])
      await reader.brings(0, before + 50)
      expect(reader.texts().slice(before, before + 50)).to.deep.equal(numbers(offset, offset + 50))
    }
    await reader.tells('end 0@20000')
    expect(reader.texts().slice(-5_000)).to.deep.equal(numbers(15_000, 20_000))
    expect(reader.failures).to.deep.equal([])
  })

  it('brings everything once and in order, however often it is paused in the middle', async () => {
    await write(numbers(0, 20_000))
    const reader = await reading({ partition: 0, offset: 0 })
    for (let count = 0; count < 6; count++) {
      await bench.until('it reads on', () => reader.records.length >= count * 3_000 + 1)
      reader.client.pause([reader.at(0)])
      if (count % 3 !== 0) await reader.idles() // every third time it is taken back at once
      reader.client.resume([reader.at(0)])
    }
    await reader.tells('end 0@20000')
    expect(reader.texts()).to.deep.equal(numbers(0, 20_000))
  })

  it('moves a partition that is assigned again, and lets the others go on', async () => {
    await write(numbers(0, 10))
    await write(numbers(0, 10), 1)
    const reader = await reading({ partition: 0, offset: 5 })
    await reader.tells('end 0@10')
    reader.assign(1, 8)
    await reader.tells('end 1@10')
    reader.told.length = 0
    reader.assign(0, 2)
    await reader.tells('end 0@10')
    await write(['10'])
    await write(['10'], 1)
    await reader.tells('end 0@11')
    await reader.tells('end 1@11')
    expect(reader.texts()).to.deep.equal([...numbers(5, 10), ...numbers(2, 11)])
    expect(reader.texts(1)).to.deep.equal(numbers(8, 11))
  })

  it('moves a partition in the middle: the old place may go on for a batch, then only the new one', async () => {
    await write(numbers(0, 20_000))
    const reader = await reading({ partition: 0, offset: 0 })
    for (let count = 1; count <= 5; count++) {
      // More than the batch that may still have been under way.
      const known = reader.records.length
      await bench.until('it reads on', () => reader.records.length > known + 1_500)
      reader.assign(0, count * 10)
    }
    await reader.tells('end 0@20000')
    const offsets = reader.records.map(({ offset }) => offset)
    // Runs without a gap; each but the first begins where it was assigned.
    const starts = offsets.filter((offset, index) => offset !== offsets[index - 1]! + 1)
    expect(starts).to.deep.equal([0, 10, 20, 30, 40, 50])
    expect(offsets.at(-1)).to.equal(19_999)
  })

  it('keeps a partition paused that is assigned again', async () => {
    await write(numbers(0, 5))
    const reader = await reading({ partition: 0, offset: 0 }, { partition: 1, offset: 0 })
    await reader.tells('end 0@5')
    reader.client.pause([reader.at(0)])
    await reader.idles()
    reader.told.length = 0
    reader.assign(0, 2)
    await write(['a'], 1)
    await reader.tells('1@0')
    await reader.idles()
    expect(reader.told.filter((what) => what.startsWith('0'))).to.deep.equal([])
    reader.client.resume([reader.at(0)])
    await reader.tells('end 0@5')
    expect(reader.told.filter((what) => what.startsWith('0'))).to.deep.equal(['0@2', '0@3', '0@4'])
  })

  it('pauses what it has just been assigned', async () => {
    await write(numbers(0, 5))
    const reader = await reading({ partition: 0, offset: 0 })
    await reader.tells('end 0@5')
    reader.told.length = 0
    reader.assign(0, 0)
    reader.client.pause([reader.at(0)])
    await reader.idles()
    await reader.idles()
    expect(reader.told.filter((what) => !what.startsWith('end'))).to.deep.equal([])
    reader.client.resume([reader.at(0)])
    await reader.tells('end 0@5')
    expect(reader.told.filter((what) => !what.startsWith('end'))).to.deep.equal(numbers(0, 5).map((n) => `0@${n}`))
  })

  it('answers where a log begins and ends, and what is the first at or after a time', async () => {
    const reader = await reading()
    expect(await reader.queryStart()).to.equal(0)
    expect(await reader.queryEnd()).to.equal(0)
    expect(await reader.queryTime(0)).to.equal(0)
    const now = Math.floor(bench.wallMs)
    await bench.write(
      0,
      [0, 10, 10, 30].map((ms) => entry('x', now + ms)),
    )
    expect(await reader.queryEnd()).to.equal(4)
    expect(await reader.queryEnd(1)).to.equal(0)
    const asked = [-5, 0, 1, 10, 11, 30, 31]
    const found: (number | undefined)[] = []
    for (const ms of asked) found.push(await reader.queryTime(now + ms))
    expect(found).to.deep.equal([0, 0, 1, 1, 3, 3, 4])
  })

  it('answers many questions, each of them once', async () => {
    await write(['a'])
    const reader = await reading()
    const answers: string[] = []
    for (let i = 0; i < 10; i++) {
      reader.client.queryEnd(reader.at(i % 2), (offset) => answers.push(`${i} ${offset}`))
      reader.client.queryTime(reader.at(i % 2), 0, (offset) => answers.push(`${i} ${offset}`))
    }
    await bench.until('all are answered', () => answers.length === 20)
    expect(answers.sort()).to.deep.equal(
      Array.from({ length: 10 }, (_, i) => [`${i} ${i % 2 === 0 ? 1 : 0}`, `${i} 0`])
        .flat()
        .sort(),
    )
  })

  it('commits for the group, and finds what was committed last, also with another client', async () => {
    await write(numbers(0, 10))
    const reader = await reading({ partition: 0, offset: 0 })
    expect(await reader.queryCommittedAgain()).to.equal(UNCOMMITTED)
    expect(await reader.commit(3, 0)).to.equal(undefined)
    expect(await reader.commit(7)).to.equal(undefined)
    expect(await reader.commit(5)).to.equal(undefined)
    const other = await reading()
    expect([await other.queryCommitted(), await other.queryCommitted(1)]).to.deep.equal([5, 0])
  })

  it('says of a commit what became of it, at the latest when a cluster that hung goes on', async () => {
    const reader = await reading({ partition: 0, offset: 0 })
    await reader.queryCommittedAgain()
    await bench.hang()
    const answers: (string | undefined)[] = []
    reader.client.commit([{ ...reader.at(0), offset: 3 }], (failure) => answers.push(failure))
    await bench.pass(1_000)
    await bench.resume()
    await bench.until('it is over', () => answers.length > 0, 60_000)
    expect(await reader.commit(4)).to.equal(undefined)
    expect(await reader.queryCommittedAgain()).to.equal(4)
    expect(answers).to.have.length(1)
  })

  it('stops a partition at an offset outside of the log and says so, until it is assigned anew', async () => {
    await write(numbers(0, 3))
    const reader = await reading({ partition: 1, offset: 0 })
    await reader.tells('end 1@0')
    reader.assign(0, 7)
    await bench.until('it says so', () => reader.failures.length > 0)
    await write(numbers(3, 10))
    await write(['a'], 1)
    await reader.tells('end 1@1')
    await reader.idles()
    expect(reader.texts()).to.deep.equal([])
    expect(reader.failures).to.have.length(1)
    reader.assign(0, 7)
    await reader.tells('end 0@10')
    expect(reader.texts()).to.deep.equal(numbers(7, 10))
    expect(reader.failures).to.have.length(1)
  })

  it('loses no more than an end with a poll that fails', async () => {
    const reader = await reading({ partition: 0, offset: 7 }, { partition: 1, offset: 0 })
    await bench.until('it says so', () => reader.failures.length > 0)
    await reader.idles()
    await write(['a'], 1)
    await reader.tells('end 1@1')
    expect(reader.texts(1)).to.deep.equal(['a'])
  })

  it('does not jump to where a log begins after retention, and begins there when it is told to', async () => {
    bench = await benches.open({ expires: true })
    await bench.write(
      0,
      numbers(0, 3).map((text) => entry(text, LONG_AGO)),
    )
    await bench.expire(0)
    await write(numbers(3, 5))
    const reader = await reading({ partition: 0, offset: 1 })
    await bench.until('it says so', () => reader.failures.length > 0)
    await reader.idles()
    expect(reader.texts()).to.deep.equal([])
    expect(await reader.queryStart()).to.equal(3)
    expect(await reader.queryEnd()).to.equal(5)
    expect(await reader.queryTime(LONG_AGO)).to.equal(3)
    reader.assign(0, 3)
    await reader.tells('end 0@5')
    expect(reader.texts()).to.deep.equal(['3', '4'])
  })

  it('answers polls while the cluster hangs, gives questions up in their time, and goes on after', async () => {
    await write(['a'])
    const reader = await reading({ partition: 0, offset: 0 })
    await reader.tells('end 0@1')
    await bench.hang()
    const other = new Reader(bench, 500)
    const begun = bench.now
    other.client.connect()
    const answers: unknown[] = []
    for (let i = 0; i < 2; i++) reader.client.queryEnd(reader.at(0), (offset) => answers.push(offset))
    reader.client.queryTime(reader.at(1), 0, (offset) => answers.push(offset))
    await reader.idles()
    await bench.until('it gives up', () => other.connectFailed > 0, 1_000 + SLACK_MS)
    expect(bench.now - begun).to.be.at.least(490)
    await bench.until('all are given up', () => answers.length === 3, SLACK_MS)
    expect(answers).to.deep.equal([undefined, undefined, undefined])
    expect(other).to.deep.include({ connectFailed: 1, descriptions: [] })
    await bench.resume()
    await other.close()
    await write(['b'])
    await reader.tells('end 0@2')
    expect(reader.texts()).to.deep.equal(['a', 'b'])
    expect(await reader.queryEndAgain()).to.equal(2)
  })

  it('finds a cluster again that was killed and came back, says first that it was away, and goes on where it was', async () => {
    await write(numbers(0, 100))
    const reader = await reading({ partition: 0, offset: 0 }, { partition: 1, offset: 0 })
    await reader.tells('end 0@100')
    await bench.pass(2_500) // until there are statistics to compare with
    const before = reader.silences.length
    await bench.kill()
    const other = new Reader(bench, 500)
    other.client.connect()
    expect(await reader.queryEnd()).to.equal(undefined)
    expect(await reader.queryTime(0, 1)).to.equal(undefined)
    await reader.idles()
    await bench.until('it gives up', () => other.connectFailed > 0, 1_000 + SLACK_MS)
    await other.close()
    await bench.restart()
    await write(numbers(100, 200))
    await write(['a'], 1)
    await reader.tells('end 0@200')
    await reader.tells('end 1@1')
    expect(reader.texts()).to.deep.equal(numbers(0, 200))
    // A log that lost its end must not be read on as if nothing had been.
    expect(reader.silences[before]).to.equal(100)
    expect(await reader.queryEndAgain()).to.equal(200)
  })

  it('says nothing any more once it is closed', async () => {
    await write(numbers(0, 5_000))
    for (const hung of [false, true]) {
      const reader = await reading({ partition: 0, offset: 0 })
      opened.pop()
      await bench.until('it reads', () => reader.records.length > 0)
      if (hung) await bench.hang()
      let answered = 0
      reader.client.queryEnd(reader.at(0), () => answered++)
      reader.client.queryTime(reader.at(0), 0, () => answered++)
      const { polled } = reader
      let done = 0
      reader.client.close(() => done++)
      expect(done).to.equal(0)
      if (hung) {
        await bench.pass(800)
        await bench.resume()
      }
      await bench.until('it is closed', () => done > 0)
      await bench.pass(200)
      expect({ done, answered, polled: reader.polled }).to.deep.equal({ done: 1, answered: 0, polled })
    }
  })

  it('can be closed before and while it connects', async () => {
    const fresh = new Reader(bench)
    await fresh.close()
    const connecting = new Reader(bench)
    connecting.client.connect()
    await connecting.close()
    await bench.pass(500)
    for (const { descriptions, connectFailed } of [fresh, connecting]) {
      expect({ descriptions, connectFailed }).to.deep.equal({ descriptions: [], connectFailed: 0 })
    }
  })
}

describe('conformance: simulated feed client', () => feedClientSuite(simulatedBenches))

describe('conformance: feed client on librdkafka', function () {
  this.timeout(60_000)
  feedClientSuite(realBenches)
})
