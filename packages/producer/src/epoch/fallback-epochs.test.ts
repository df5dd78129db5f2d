import { EpochStoreFailedError, isTandemError, ProducerIdHeldError } from '@tandem/common/internal'
import { expect } from 'chai'

import { ManualClock } from '../world.test.js'
import type { EpochStore, EpochTaken } from './epoch-store.js'
import { FallbackEpochs } from './fallback-epochs.js'

const REQUEST = { producerId: 'ledger-7', incarnation: 1, host: 'here' }
const HANGS: EpochStore = { waitMs: 5_000, take: () => new Promise(() => undefined) }

describe('fallback epochs', () => {
  let clock: ManualClock
  beforeEach(() => (clock = new ManualClock()))

  it('are those of the store while it answers', async () => {
    const taken: EpochTaken = { epoch: 7 }
    expect(await new FallbackEpochs({ take: async () => taken }, {}, clock).take(REQUEST)).to.equal(taken)
  })

  it('are the time, with the reason, when the store fails', async () => {
    const store: EpochStore = { take: () => Promise.reject(new EpochStoreFailedError('disk full')) }
    const wall = clock.wall()
    expect(await new FallbackEpochs(store, {}, clock).take(REQUEST)).to.deep.equal({
      epoch: wall,
      substituted: 'disk full',
    })
  })

  it('are the time when it has not answered for so long beyond what it waits for a holder', async () => {
    const epochs = new FallbackEpochs(HANGS, { afterMs: 500 }, clock)
    expect(epochs.waitMs).to.equal(5_500)
    let taken: EpochTaken | undefined
    void epochs.take(REQUEST).then((answer) => (taken = answer))
    await clock.pass(5_499)
    expect(taken).to.equal(undefined)
    await clock.pass(1)
    expect(taken!.epoch).to.equal(clock.wall())
    expect(taken!.substituted).to.contain('5500 ms')
  })

  it('leave a producerId that is held refused', async () => {
    const held = new ProducerIdHeldError('held')
    const store: EpochStore = { take: () => Promise.reject(held) }
    const error: unknown = await new FallbackEpochs(store, {}, clock).take(REQUEST).catch((reason: unknown) => reason)
    expect(error).to.equal(held)
  })

  it('are not taken when the caller has had enough', async () => {
    const caller = new AbortController()
    const reason = new EpochStoreFailedError('enough')
    const taking = new FallbackEpochs(HANGS, {}, clock).take({ ...REQUEST, signal: caller.signal })
    const failed = taking.catch((error: unknown) => error)
    caller.abort(reason)
    await clock.pass(0)
    expect(await failed).to.equal(reason)
  })

  it('refuse a time that is none', () => {
    for (const afterMs of [99, 600_001, NaN, '500', 100.5]) {
      const create = (): unknown => new FallbackEpochs(HANGS, { afterMs: afterMs as number })
      expect(create, String(afterMs)).to.throw('fallbackEpochs.afterMs')
    }
    for (const afterMs of [100, 600_000]) new FallbackEpochs(HANGS, { afterMs })
    expect(
      isTandemError(
        caught(() => new FallbackEpochs(HANGS, { later: 1 } as object)),
        'TANDEM_OPTIONS_INVALID',
      ),
    ).to.equal(true)
  })
})

function caught(task: () => unknown): unknown {
  try {
    return task()
  } catch (error) {
    return error
  }
}
