import { HighWaterStoreFailedError } from '@tandem/common/internal'
import { expect } from 'chai'

import { Bench } from './world.test.js'

const MINUTE = 60_000

/** A consumer whose store fears what the test says. */
async function started(hazards: () => Promise<readonly string[]>): Promise<Bench> {
  const bench = new Bench()
  Object.assign(bench.store, { hazards })
  return bench.start()
}

describe('store watch', () => {
  it('tells once of what is to be feared, and is well again when that is mended', async () => {
    let hazards = ['it evicts']
    const bench = await started(async () => hazards)
    expect(bench.told.at(-1)).to.deep.include({ kind: 'store-unsafe', reason: 'it evicts' })
    expect(bench.consumer.health()).to.deep.include({
      ready: true,
      degraded: ['the high-water store is unsafe: it evicts'],
    })
    await bench.clock.pass(10 * MINUTE)
    expect(bench.count('store-unsafe')).to.equal(1)
    hazards = []
    await bench.clock.pass(MINUTE)
    expect(bench.consumer.health().degraded).to.deep.equal([])
    hazards = ['it evicts']
    await bench.clock.pass(MINUTE)
    expect(bench.count('store-unsafe')).to.equal(2)
    await bench.consumer.close()
    await bench.clock.pass(0)
    expect(bench.clock.timers).to.equal(0)
  })

  it('asks again where it had no answer, which by itself is no failure of the store', async () => {
    let asked = 0
    const bench = await started(() => {
      asked++
      throw new HighWaterStoreFailedError('away')
    })
    await bench.clock.pass(MINUTE)
    expect(asked).to.equal(2)
    expect(bench.consumer.health().degraded).to.deep.equal([])
  })

  it('says why the store does not answer', async () => {
    const bench = await new Bench().start()
    bench.store.away = true
    await bench.clock.pass(5_000)
    expect(bench.consumer.health().degraded).to.deep.equal(['the high-water store does not answer: away'])
    bench.store.away = false
    await bench.clock.pass(5_000)
    expect(bench.consumer.health().degraded).to.deep.equal([])
  })
})
