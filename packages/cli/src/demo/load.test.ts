import { OptionsInvalidError } from '@tandem/common'
import type { Clock } from '@tandem/common/internal'
import { expect } from 'chai'

import type { Acknowledgement } from '../judge/acknowledgements.js'
import { Load, type LoadOptions } from './load.js'
import { TransferSource } from './transfer-source.js'

/** Time passes only when somebody waits for it. */
class WaitedClock implements Clock {
  #now = 0
  now() {
    return this.#now
  }
  wall() {
    return this.#now
  }
  schedule(atMs: number, task: () => void) {
    setImmediate(() => {
      this.#now = Math.max(this.#now, atMs)
      task()
    })
    return () => undefined
  }
}

describe('load', () => {
  const clock = new WaitedClock()
  const acknowledged: Acknowledgement[] = []
  const load = (options: Partial<LoadOptions>) => {
    acknowledged.length = 0
    return new Load({
      messages: 100,
      rate: 1000,
      source: new TransferSource({ accounts: 5, seed: 1 }),
      send: async ({ number }) => ({
        position: { producerId: 'p', epoch: 1, incarnation: 2, counter: number },
        keyRange: 3,
      }),
      acknowledge: (acknowledgement) => acknowledged.push(acknowledgement),
      clock,
      ...options,
    })
  }
  const never = new AbortController().signal

  it('sends all messages at the rate, and reports each', async () => {
    const counts: number[] = []
    const startedAt = clock.now()
    const all = load({})
    await all.run(never, (count) => counts.push(count))
    expect(counts).to.deep.equal(Array.from({ length: 100 }, (_, index) => index + 1))
    expect(clock.now() - startedAt).to.be.within(100, 115)
    expect(all).to.include({ sent: 100, acknowledged: 100, open: 0 })
    expect(acknowledged.map(({ number }) => number)).to.deep.equal(counts)
    expect(acknowledged[0]).to.include({ producerId: 'p', epoch: 1, incarnation: 2, counter: 1, keyRange: 3, order: 1 })
  })

  it('does not wait for answers', async () => {
    const unanswered = load({ send: () => new Promise(() => undefined) })
    await unanswered.run(never, () => undefined)
    expect(unanswered).to.include({ sent: 100, acknowledged: 0, open: 100 })
  })

  it('counts rejected sends by their reason, and never as acknowledged', async () => {
    const refused = load({
      send: async ({ number }) => {
        throw number % 2 === 0 ? new OptionsInvalidError('no') : new Error('broken')
      },
    })
    await refused.run(never, () => undefined)
    expect(refused).to.include({ sent: 100, acknowledged: 0, open: 0 })
    expect([...refused.refusals]).to.deep.equal([
      ['Error: broken', 50],
      ['TANDEM_OPTIONS_INVALID: no', 50],
    ])
  })

  it('ends when acknowledgements cannot be written', async () => {
    const error = new Error('disk full')
    const stopped = load({
      acknowledge: () => {
        throw error
      },
    })
    expect(await stopped.run(never, () => undefined).catch((reason: unknown) => reason)).to.equal(error)
    expect(stopped.acknowledged).to.equal(0)
  })

  it('ends when it is interrupted', async () => {
    const controller = new AbortController()
    const interrupted = load({})
    const run = interrupted.run(controller.signal, (count) => count === 10 && controller.abort())
    expect(await run.then(() => 'finished').catch(() => 'interrupted')).to.equal('interrupted')
    expect(interrupted.sent).to.be.within(10, 99)
  })
})
