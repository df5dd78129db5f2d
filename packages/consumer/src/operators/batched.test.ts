import { expect } from 'chai'
import { concatMap, from, tap } from 'rxjs'

import { Bench, settled } from '../world.test.js'
import { batched, type DeliveryBatch } from './batched.js'

class Batches {
  readonly given: DeliveryBatch<Buffer>[] = []

  get said(): string[] {
    return this.given.map((batch) => batch.map(({ value }) => String(value)).join(' '))
  }
}

async function start(
  ms: number,
  count: number,
  options: ConstructorParameters<typeof Bench>[0] = {},
): Promise<{ bench: Bench; batches: Batches }> {
  const bench = new Bench(options)
  const batches = new Batches()
  await bench.start((deliveries$) =>
    deliveries$.pipe(
      batched(ms, count),
      tap((batch) => batches.given.push(batch)),
      concatMap((batch) => from(batch)),
    ),
  )
  return { bench, batches }
}

describe('batched', () => {
  it('gives as many as it may, or what there is after so long, and acknowledges all of a batch at once', async () => {
    const { bench, batches } = await start(100, 3)
    await bench.bring(0, 1, 5)
    expect(batches.said).to.deep.equal(['1 2 3'])
    await bench.clock.pass(100)
    expect(batches.said).to.deep.equal(['1 2 3', '4 5'])
    batches.given[1]!.ack()
    expect(bench.consumer.status().unacknowledged).to.equal(3)
    batches.given[0]!.ack()
    batches.given[0]!.ack()
    expect(bench.consumer.status().unacknowledged).to.equal(0)
  })

  it('gives again what is refused, but for what is acknowledged of it', async () => {
    const { bench, batches } = await start(100, 3)
    await bench.bring(0, 1, 3)
    batches.given[0]![1]!.ack()
    batches.given[0]!.nack(new Error('deadlock'), { delayMs: 500 })
    await bench.clock.pass(600)
    expect(batches.said).to.deep.equal(['1 2 3', '1 3'])
    expect(batches.given[1]!.every(({ redelivered }) => redelivered)).to.equal(true)
  })

  it('does not stall when it may have more than the window takes: then a batch is as large as the window', async () => {
    const { bench, batches } = await start(3_600_000, 1_000, { unacknowledgedMax: 4 })
    await bench.bring(0, 1, 11)
    expect(batches.said).to.deep.equal(['1 2 3 4'])
    batches.given[0]!.ack()
    expect(batches.said).to.deep.equal(['1 2 3 4', '5 6 7 8'])
    for (const delivery of batches.given[1]!) delivery.ack()
    await bench.clock.pass(3_600_000)
    expect(batches.said).to.deep.equal(['1 2 3 4', '5 6 7 8', '9 10 11'])
  })

  it('nor when the window is bounded by bytes', async () => {
    const { bench, batches } = await start(3_600_000, 1_000, { unacknowledgedBytesMax: 2 })
    await bench.bring(0, 1, 4)
    expect(batches.said).to.deep.equal(['1 2'])
  })

  it('gives back what it has when the consumer closes, which does not wait for it', async () => {
    const { bench, batches } = await start(1_000, 10)
    await bench.bring(0, 1, 3)
    void bench.consumer.close()
    await bench.clock.pass(100)
    expect(bench.completed).to.equal(true)
    expect(batches.said).to.deep.equal([])
    expect(bench.clock.timers).to.equal(0)
    const other = await start(1_000, 10)
    await other.bench.bring(0, 1, 3)
    other.bench.subscription!.unsubscribe()
    await other.bench.clock.pass(100)
    expect(other.bench.clock.timers).to.equal(0)
  })

  it('gives the rest when its source completes', async () => {
    const given: number[] = []
    const made = { topic: 't', ack: () => undefined, nack: () => undefined, signal: new AbortController().signal }
    from([made, made, made] as never[])
      .pipe(batched(60_000, 2))
      .subscribe(({ length }) => given.push(length))
    await settled()
    expect(given).to.deep.equal([2, 1])
  })

  it('looks like an array of deliveries', async () => {
    const { bench, batches } = await start(100, 2)
    await bench.bring(0, 1, 2)
    expect(Array.isArray(batches.given[0])).to.equal(true)
    expect(Object.keys(batches.given[0]!)).to.deep.equal(['0', '1'])
  })

  it('refuses what is no time and no count', () => {
    for (const [ms, count] of [
      [0, 1],
      [1, 0],
      [1.5, 1],
      ['1', 1],
      [1, Infinity],
    ] as const) {
      expect(() => batched(ms as number, count))
        .to.throw('batched.')
        .with.property('code', 'TANDEM_OPTIONS_INVALID')
    }
  })
})
