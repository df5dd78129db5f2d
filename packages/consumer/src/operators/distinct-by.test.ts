import { expect } from 'chai'

import type { Delivery } from '../delivery.js'
import { Bench } from '../world.test.js'
import { distinctBy, type BusinessKey, type DistinctByOptions } from './distinct-by.js'

async function start(
  keyOf: (delivery: Delivery<Buffer>) => BusinessKey,
  options: DistinctByOptions = {},
): Promise<Bench> {
  return new Bench().start((deliveries$) => deliveries$.pipe(distinctBy(keyOf, options)))
}

/** The business key is the last digit. */
const lastDigit = ({ value }: Delivery<Buffer>): string => String(value).slice(-1)

describe('distinctBy', () => {
  it('acknowledges what brings a key for the second time, and counts it', async () => {
    const bench = await start(lastDigit)
    await bench.bring(0, 1, 13)
    expect(bench.out).to.equal('1 2 3 4 5 6 7 8 9 10')
    expect(bench.consumer.status().unacknowledged).to.equal(10)
    await bench.clock.pass(1_000)
    const counts = bench.told.map((event) => (event.kind === 'duplicate-filtered' ? event.count : 0))
    expect(counts.reduce((sum, count) => sum + count, 0)).to.equal(3)
  })

  it('does not take what comes again for a duplicate of itself', async () => {
    const bench = await start(lastDigit)
    await bench.bring(0, 1)
    bench.deliveries[0]!.nack()
    await bench.clock.pass(1_000)
    expect(bench.out).to.equal('1 1r')
  })

  it('forgets by number and by age', async () => {
    const few = await start(lastDigit, { keysMax: 9 })
    await few.bring(0, 1, 11)
    expect(few.out).to.match(/ 10 11$/)
    const brief = await start(lastDigit, { ageMsMax: 1_000 })
    await brief.bring(0, 1, 10)
    await brief.clock.pass(1_000)
    await brief.bring(0, 11)
    expect(brief.out).to.match(/ 10 11$/)
  })

  it('lets pass what has no key, and what has none because it cannot be read', async () => {
    const none = await start(() => undefined)
    await none.bring(0, 1, 3)
    expect(none.out).to.equal('1 2 3')
    const broken = await start(() => {
      throw new Error('no JSON')
    })
    await broken.bring(0, 1, 3)
    expect(broken.out).to.equal('1 2 3')
  })

  it('tells keys apart by kind and by every byte, however long they are', async () => {
    const keys: BusinessKey[] = ['1', 1, 1n, Buffer.from('1'), 'x'.repeat(100), 'x'.repeat(99) + 'y', 'x'.repeat(101)]
    const bench = await start(({ position }) => keys[(position.counter - 1) % keys.length])
    await bench.bring(0, 1, 2 * keys.length)
    expect(bench.deliveries).to.have.length(keys.length)
  })

  it('refuses options that it does not know', () => {
    for (const options of [{ keysMax: 0 }, { ageMsMax: 0 }, { windowMs: 5 }]) {
      expect(() => distinctBy(lastDigit, options as never)).to.throw('distinctBy.')
    }
    expect(() => distinctBy('id' as never))
      .to.throw('distinctBy.keyOf')
      .with.property('code', 'TANDEM_OPTIONS_INVALID')
  })
})
