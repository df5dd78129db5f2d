import { EpochStoreFailedError, isTandemError, ProducerIdHeldError } from '@tandem/common/internal'
import { expect } from 'chai'

import { ManualClock } from '../world.test.js'
import type { EpochRequest, EpochStore, EpochTaken } from './epoch-store.js'
import { takeEpoch } from './take-epoch.js'

const REQUEST = { producerId: 'ledger-7', incarnation: 1, host: 'here' }

describe('taking an epoch', () => {
  let clock: ManualClock
  beforeEach(() => (clock = new ManualClock()))

  const take = (store: EpochStore, signal?: AbortSignal): Promise<EpochTaken> =>
    takeEpoch(store, signal === undefined ? REQUEST : { ...REQUEST, signal }, { timeoutMs: 10_000, clock })

  async function failure(taking: Promise<unknown>, ms = 0): Promise<unknown> {
    const failed = taking.then(
      () => expect.fail('was taken'),
      (error: unknown) => error,
    )
    await clock.pass(ms)
    return failed
  }

  it('gives what the store gives', async () => {
    let asked: EpochRequest | undefined
    const taken = { epoch: 7 }
    expect(
      await take({
        take: async (request) => {
          asked = request
          return taken
        },
      }),
    ).to.equal(taken)
    expect(asked).to.deep.include(REQUEST)
    await clock.pass(60_000)
    expect(asked!.signal!.aborted).to.equal(false)
  })

  it('refuses what is no epoch', async () => {
    for (const epoch of [0, -1, 1.5, 2 ** 53, '7', undefined, null, NaN]) {
      const error = await failure(take({ take: async () => ({ epoch }) as EpochTaken }))
      expect(isTandemError(error, 'TANDEM_EPOCH_STORE_FAILED'), String(epoch)).to.equal(true)
    }
    const nothing = await failure(take({ take: async () => undefined as unknown as EpochTaken }))
    expect(isTandemError(nothing, 'TANDEM_EPOCH_STORE_FAILED')).to.equal(true)
  })

  it('makes an error of tandem of whatever the store throws, and leaves those as they are', async () => {
    const thrown = new ProducerIdHeldError('held')
    expect(await failure(take({ take: () => Promise.reject(thrown) }))).to.equal(thrown)
    for (const cause of [new Error('disk'), 'disk', undefined, null]) {
      const store = (): Promise<EpochTaken> => {
        throw cause as Error
      }
      const error = await failure(take({ take: store }))
      expect(isTandemError(error, 'TANDEM_EPOCH_STORE_FAILED'), String(cause)).to.equal(true)
      if (cause) expect((error as Error).message).to.contain('disk')
    }
  })

  it('ends in time although the store hangs', async () => {
    const error = await failure(take({ take: () => new Promise(() => undefined) }), 10_000)
    expect(isTandemError(error, 'TANDEM_EPOCH_STORE_FAILED')).to.equal(true)
    expect((error as Error).message).to.contain('10000 ms')
  })

  it('prefers what the store says when time is up', async () => {
    const held = new ProducerIdHeldError('held')
    const late: EpochStore = {
      take: ({ signal }) =>
        new Promise((_, reject) => {
          signal!.addEventListener('abort', () => clock.schedule(clock.now() + 1, () => reject(held)))
        }),
    }
    expect(isTandemError(await failure(take(late), 20_000), 'TANDEM_EPOCH_STORE_FAILED')).to.equal(true)

    const prompt: EpochStore = {
      take: ({ signal }) => new Promise((_, reject) => signal!.addEventListener('abort', () => reject(held))),
    }
    expect(await failure(take(prompt), 10_000)).to.equal(held)
  })

  it('ends with the reason of the signal of the caller', async () => {
    const caller = new AbortController()
    const reason = new EpochStoreFailedError('enough')
    const failed = failure(take({ take: () => new Promise(() => undefined) }, caller.signal))
    caller.abort(reason)
    await clock.pass(0)
    expect(await failed).to.equal(reason)
    let asked = false
    const store: EpochStore = {
      take: async () => {
        asked = true
        return { epoch: 1 }
      },
    }
    expect(await failure(take(store, caller.signal))).to.equal(reason)
    expect(asked).to.equal(false)
  })

  it('gives back a lease that comes too late', async () => {
    let answer: (taken: EpochTaken) => void = () => undefined
    const error = await failure(take({ take: () => new Promise((resolve) => (answer = resolve)) }), 10_000)
    expect(isTandemError(error, 'TANDEM_EPOCH_STORE_FAILED')).to.equal(true)
    let released = 0
    const release = (): Promise<void> => {
      released++
      return Promise.reject(new Error('away again'))
    }
    answer({ epoch: 1, lease: { renewEveryMs: 1, renew: async () => ({ kind: 'renewed' }), release } })
    await clock.pass(0)
    expect(released).to.equal(1)
  })
})
