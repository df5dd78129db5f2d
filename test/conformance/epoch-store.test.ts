import { isTandemError, systemClock } from '@tandem/common/internal'
import { ClockEpochs, RedisEpochStore, type EpochStore } from '@tandem/producer'
import { RedisServer } from '@tandem/testing'
import { expect } from 'chai'
import { Redis } from 'ioredis'

import { clockEpochs } from '../simulation/simulated-epoch-store.js'
import { World } from '../simulation/world.js'

/** What every EpochStore does (protocol.md, Numbering 6); the shared ones also keep what they gave. */
interface Subject {
  readonly store: EpochStore
  /** The store's time, ms since 1970. */
  wallMs(): Promise<number>
  /** Lets time pass, where it does not by itself, until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T>
}

interface SharedSubject extends Subject {
  /** The same store from elsewhere. */
  other(): EpochStore
}

let producers = 0
const epochKey = (producerId: string) => `tandem:{${producerId}}:epoch`
const request = () => ({ producerId: `ledger-${++producers}`, incarnation: 4_294_967_295, host: 'here' })

function epochStoreSuite(subject: () => Subject): void {
  it('takes its time, as an integer below 2^53', async () => {
    const { store, wallMs, settle } = subject()
    const before = await wallMs()
    const { epoch } = await settle(store.take(request()))
    expect(epoch).to.be.within(before, await wallMs())
    expect(epoch).to.satisfy(Number.isSafeInteger)
  })

  it('takes a greater one each time, also within one millisecond', async () => {
    const { store, settle } = subject()
    const one = request()
    let last = 0
    for (let i = 0; i < 100; i++) {
      const { epoch } = await settle(store.take(one))
      expect(epoch).to.be.greaterThan(last)
      last = epoch
    }
  })

  it('gives each of many at once its own', async () => {
    const { store, settle } = subject()
    const one = request()
    const taken = await settle(Promise.all(Array.from({ length: 50 }, () => store.take(one))))
    expect(new Set(taken.map(({ epoch }) => epoch)).size).to.equal(50)
  })
}

function sharedEpochStoreSuite(subject: () => SharedSubject): void {
  epochStoreSuite(subject)

  it('gives each process its own, at once and one after the other', async () => {
    const { store, other, settle } = subject()
    const one = request()
    const stores = [store, other(), other()]
    const taken: number[] = []
    for (let i = 0; i < 10; i++) {
      const epochs = (await settle(Promise.all(stores.map((each) => each.take(one))))).map(({ epoch }) => epoch)
      expect(Math.min(...epochs)).to.be.greaterThan(Math.max(0, ...taken))
      taken.push(...epochs)
    }
    expect(new Set(taken).size).to.equal(taken.length)
  })

  it('counts for each producer by itself', async () => {
    const { store, wallMs, settle } = subject()
    const one = request()
    for (let i = 0; i < 50; i++) await settle(store.take(one))
    const before = await wallMs()
    const { epoch } = await settle(store.take(request()))
    expect(epoch).to.be.within(before, await wallMs())
  })
}

const immediate = <T>(promise: Promise<T>): Promise<T> => promise

describe('conformance: clock epochs', () => {
  let store: EpochStore
  beforeEach(() => (store = new ClockEpochs()))
  epochStoreSuite(() => ({ store, wallMs: async () => Math.floor(systemClock.wall()), settle: immediate }))
})

describe('conformance: simulated clock epochs', () => {
  const world = new World()
  const process = world.createProcess('producer')
  let store: EpochStore
  beforeEach(() => (store = clockEpochs(process)))
  epochStoreSuite(() => ({ store, wallMs: async () => process.clock.wall(), settle: immediate }))
})

describe('conformance: simulated epoch store', () => {
  const world = new World()
  const process = world.createProcess('producer')
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false
    const over = (): boolean => (settled = true)
    promise.then(over, over)
    expect(await world.until(() => settled, 60_000)).to.equal(true)
    return promise
  }
  sharedEpochStoreSuite(() => ({
    store: world.epochs.connection(process),
    other: () => world.epochs.connection(world.createProcess('other')),
    wallMs: async () => process.clock.wall(),
    settle,
  }))
})

describe('conformance: epoch store in Redis', function () {
  this.timeout(20_000)
  let server: RedisServer
  let redis: Redis
  let others: Redis[] = []

  before(async () => {
    server = await RedisServer.start()
    redis = new Redis(server.url)
    redis.on('error', () => undefined) // it is restarted below
  })

  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  afterEach(() => {
    for (const each of others) each.disconnect()
    others = []
  })

  sharedEpochStoreSuite(() => ({
    store: new RedisEpochStore(redis),
    other: () => {
      const connection = new Redis(server.url)
      others.push(connection)
      return new RedisEpochStore(connection)
    },
    wallMs: async () => {
      const [seconds, micros] = (await redis.time()) as unknown as [number, number]
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
    },
    settle: immediate,
  }))

  it('goes on above what it gave before it was killed, also if its clock is behind', async () => {
    const one = request()
    const ahead = Date.now() + 1_000_000_000
    await redis.hset(epochKey(one.producerId), 'epoch', String(ahead))
    const { epoch } = await new RedisEpochStore(redis).take(one)
    expect(epoch).to.equal(ahead + 1)
    await server.kill()
    await server.restart()
    expect((await new RedisEpochStore(redis).take(one)).epoch).to.equal(ahead + 2)
  })

  it('takes the time if it lost everything', async () => {
    const one = request()
    await new RedisEpochStore(redis).take(one)
    await server.restart({ empty: true })
    const before = Date.now()
    expect((await new RedisEpochStore(redis).take(one)).epoch).to.be.within(before - 1, Date.now())
  })

  it('refuses with a typed error to go on from what is no epoch, and from what cannot be exceeded', async () => {
    const one = request()
    for (const stored of ['x', '-5', '1.5', '9007199254740990', '1e400', 'nan', 'inf', '']) {
      await redis.hset(epochKey(one.producerId), 'epoch', stored)
      const outcome: unknown = await new RedisEpochStore(redis).take(one).catch((error: unknown) => error)
      if (stored === '0x1')
        expect(outcome).to.have.property('epoch') // what Lua reads as a number may be gone on from
      else expect(isTandemError(outcome, 'TANDEM_EPOCH_STORE_FAILED'), `${stored}: ${String(outcome)}`).to.equal(true)
    }
  })
})
