import type { LogRange, LogRecord, LogSpan } from '@tandem/producer/internal'
import { expect } from 'chai'

import type { LogEntry } from '../simulation/simulated-log.js'
import { entry, LONG_AGO, SLACK_MS, type Benches, type ClusterBench } from './cluster-bench.js'
import { embeddedBenches, realBenches } from './real-benches.js'
import { simulatedBenches } from './simulated-benches.js'

/** What every LogReader does, towards a cluster that serves and hangs. */
function logReaderSuite(benches: Benches): void {
  const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => String(from + i))

  function write(bench: ClusterBench, texts: readonly string[], partition = 0): Promise<void> {
    return bench.write(
      partition,
      texts.map((text): LogEntry => ({ ...entry(''), headers: [{ other: 'x' }, { tandem: text }] })),
    )
  }

  interface Reading {
    readonly offsets: number[]
    readonly texts: string[]
    readonly end: LogSpan | Error
  }

  /** Reads, stopping at the record with this text, if there is one. */
  async function read(bench: ClusterBench, range: Partial<LogRange> = {}, last?: string): Promise<Reading> {
    const offsets: number[] = []
    const texts: string[] = []
    const see = ({ offset, headers }: LogRecord): boolean => {
      offsets.push(offset)
      texts.push(String(headers.find((one) => 'tandem' in one)?.['tandem']))
      return texts.at(-1) !== last
    }
    const ends: (LogSpan | Error)[] = []
    const whole = { topic: bench.topic, partition: 0, from: 0, signal: new AbortController().signal, ...range }
    bench
      .createLogReader()
      .read(whole, see)
      .then(
        (span) => ends.push(span),
        (error: Error) => ends.push(error),
      )
    await bench.until('it has been read', () => ends.length > 0, 20_000 + SLACK_MS)
    return { offsets, texts, end: ends[0]! }
  }

  it('gives each record from an offset to the end, in order, with its offset and headers', async () => {
    const bench = await benches.open()
    await write(bench, numbers(0, 2_500))
    await write(bench, numbers(7_000, 7_003), 1)
    const all = await read(bench, { from: 1_234 })
    expect(all.texts).to.deep.equal(numbers(1_234, 2_500))
    expect(all.offsets.map(String)).to.deep.equal(all.texts)
    expect(all.end).to.deep.equal({ start: 0, end: 2_500 })
    expect(await read(bench, { partition: 1 })).to.deep.equal({
      offsets: [0, 1, 2],
      texts: numbers(7_000, 7_003),
      end: { start: 0, end: 3 },
    })
  })

  it('gives nothing of an empty log, nor from its end', async () => {
    const bench = await benches.open()
    expect(await read(bench)).to.deep.equal({ offsets: [], texts: [], end: { start: 0, end: 0 } })
    await write(bench, numbers(0, 3))
    expect(await read(bench, { from: 3 })).to.deep.equal({ offsets: [], texts: [], end: { start: 0, end: 3 } })
  })

  it('begins at the start of a log that is shorter than it is said to be', async () => {
    const bench = await benches.open()
    await write(bench, numbers(0, 3))
    expect(await read(bench, { from: 4 })).to.deep.equal({
      offsets: [0, 1, 2],
      texts: numbers(0, 3),
      end: { start: 0, end: 3 },
    })
  })

  it('ends as soon as nothing more is wanted', async () => {
    const bench = await benches.open()
    await write(bench, numbers(0, 1_500))
    const { texts, end } = await read(bench, {}, '700')
    expect(texts).to.deep.equal(numbers(0, 701))
    expect(end).to.deep.equal({ start: 0, end: 1_500 })
  })

  it('ends at the end that was there at the call, whoever goes on writing', async () => {
    const bench = await benches.open()
    await write(bench, numbers(0, 1_000))
    const reading = read(bench)
    const writing = write(bench, numbers(1_000, 1_500))
    const { texts, end } = await reading
    await writing
    const { end: last } = end as LogSpan
    expect(last).to.be.within(1_000, 1_500)
    expect(texts).to.deep.equal(numbers(0, last))
  })

  it('rejects at once when it is told to end, and sees nothing any more', async () => {
    const bench = await benches.open()
    await write(bench, numbers(0, 10))
    const before = new AbortController()
    before.abort(new Error('enough'))
    expect((await read(bench, { signal: before.signal })).end).to.include({ message: 'enough' })
    await bench.hang()
    const abort = new AbortController()
    const reading = read(bench, { signal: abort.signal })
    const abortedAt = bench.now
    abort.abort(new Error('enough'))
    const { texts, end } = await reading
    expect(bench.now - abortedAt).to.be.below(SLACK_MS)
    await bench.resume()
    await bench.pass(500)
    expect(end).to.include({ message: 'enough' })
    expect(texts).to.deep.equal([])
  })

  it('rejects when the cluster says nothing for long', async () => {
    const bench = await benches.open()
    await write(bench, numbers(0, 10))
    await bench.hang()
    const { texts, end } = await read(bench)
    await bench.resume()
    expect(end).to.be.instanceOf(Error)
    expect(texts).to.deep.equal([])
    // One that stood still for longer than its own patience needs a while to have leaders again.
    await bench.read(0)
    expect((await read(bench)).texts).to.deep.equal(numbers(0, 10))
  }).timeout(120_000)
}

function retentionSuite(benches: Benches): void {
  it('begins where retention has left off, and says where that is', async () => {
    const bench = await benches.open({ expires: true })
    await bench.write(
      0,
      Array.from({ length: 5 }, () => entry('old', LONG_AGO)),
    )
    await bench.expire(0)
    await bench.write(0, [{ ...entry('new', bench.wallMs), headers: [{ tandem: 'new' }] }])
    const offsets: number[] = []
    const spans: LogSpan[] = []
    const range = { topic: bench.topic, partition: 0, from: 2, signal: new AbortController().signal }
    void bench
      .createLogReader()
      .read(range, ({ offset }) => offsets.push(offset) > 0)
      .then((span) => spans.push(span))
    await bench.until('it has been read', () => spans.length > 0)
    expect({ offsets, spans }).to.deep.equal({ offsets: [5], spans: [{ start: 5, end: 6 }] })
  })
}

describe('conformance: simulated log reader', () => {
  logReaderSuite(simulatedBenches)
  retentionSuite(simulatedBenches)
})

describe('conformance: log reader on librdkafka, embedded cluster', function () {
  this.timeout(60_000)
  logReaderSuite(embeddedBenches)
})

describe('conformance: log reader on librdkafka', function () {
  this.timeout(60_000)
  logReaderSuite(realBenches)
  retentionSuite(realBenches)
})
