import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { isTandemError, type TandemError } from '@tandem/common/internal'
import { expect } from 'chai'
import { Redis } from 'ioredis'

import { ManualClock } from '../world.test.js'
import type { EpochTaken } from './epoch-store.js'
import { RELEASE } from './lua/release-1.lua.js'
import { RENEW } from './lua/renew-1.lua.js'
import { TAKE } from './lua/take-1.lua.js'
import { epochKey, RedisEpochStore, type EpochRedis } from './redis-epoch-store.js'

const KEY = epochKey('ledger-7')
const request = (incarnation = 4_294_967_295) => ({ producerId: 'ledger-7', incarnation, host: 'here' })

describe('epoch scripts', () => {
  let folder: string
  let server: ChildProcess
  let redis: Redis

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-epochs-'))
    const socket = join(folder, 'redis.sock')
    server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder], {
      stdio: 'ignore',
    })
    const failed = new Promise<never>((_, reject) => server.once('error', reject))
    redis = new Redis({ path: socket, lazyConnect: true, retryStrategy: () => 20 })
    redis.on('error', () => undefined) // until the server is up
    await Promise.race([redis.connect().catch(() => redis.ping()), failed])
  })

  after(() => {
    redis.disconnect()
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  beforeEach(() => redis.flushall())

  const take = (holder: string, more: readonly string[] = []): Promise<unknown> =>
    redis.eval(TAKE, 1, KEY, holder, '1', `host of ${holder}`, ...(more.length > 0 ? more : ['0', '', '']))
  const renew = (holder: string, renewal: number, epoch: string): Promise<unknown> =>
    redis.eval(RENEW, 1, KEY, holder, String(renewal), epoch, '1', `host of ${holder}`)
  const release = (holder: string): Promise<unknown> => redis.eval(RELEASE, 1, KEY, holder)
  const taken = async (holder: string, more?: readonly string[]): Promise<string> => {
    const [code, epoch] = (await take(holder, more)) as [number, string]
    expect(code).to.equal(1)
    return epoch
  }

  it('take: the time of Redis, written exactly, with who took it, and nothing that expires', async () => {
    const before = Date.now()
    const epoch = await taken('x')
    expect(Number(epoch)).to.be.within(before, Date.now())
    const hash = { epoch, holder: 'x', renewal: '0', incarnation: '1', host: 'host of x' }
    expect(await redis.hgetall(KEY)).to.deep.equal(hash)
    expect(await redis.ttl(KEY)).to.equal(-1)
  })

  it('take: of what was stored before there was a lease, too', async () => {
    await redis.hset(KEY, { epoch: '9007199254740988', incarnation: '7', host: 'old' }) // fourteen digits would not do
    expect(await taken('x')).to.equal('9007199254740989')
    expect(await redis.hget(KEY, 'epoch')).to.equal('9007199254740989')
  })

  it('take again after a lost reply: the same epoch, and nothing changes', async () => {
    const epoch = await taken('x')
    await renew('x', 3, epoch)
    const before = await redis.hgetall(KEY)
    expect(await taken('x')).to.equal(epoch)
    expect(await redis.hgetall(KEY)).to.deep.equal(before)
  })

  it('take: held by another, until that is released, taken over, or known to have stood still at that number', async () => {
    const first = await taken('x')
    await renew('x', 3, first)
    expect(await take('y')).to.deep.equal([2, 'x', '3', 'host of x'])
    expect(await take('y', ['0', 'x', '2'])).to.deep.equal([2, 'x', '3', 'host of x'])
    expect(await take('y', ['0', 'z', '3'])).to.deep.equal([2, 'x', '3', 'host of x'])
    const second = await taken('y', ['0', 'x', '3'])
    expect(Number(second)).to.be.above(Number(first))
    expect(await take('x', ['0', 'y', '3'])).to.deep.equal([2, 'y', '0', 'host of y'])
    const third = await taken('x', ['1', '', ''])
    await release('x')
    expect(Number(await taken('z'))).to.be.above(Number(third))
  })

  it('take: refuses to go on from what is no epoch, and leaves it', async () => {
    for (const stored of ['x', '-5', '1.5', '9007199254740990', '1e400', 'nan', 'inf', '']) {
      await redis.hset(KEY, 'epoch', stored)
      expect(await take('x', ['1', '', ''])).to.deep.equal([3, stored])
      expect(await redis.hgetall(KEY)).to.deep.equal({ epoch: stored })
    }
  })

  it('renew: moves the number up; again, or late, it changes nothing', async () => {
    const epoch = await taken('x')
    for (const renewal of [1, 3, 3, 2]) expect(await renew('x', renewal, epoch)).to.deep.equal([1])
    expect(await redis.hget(KEY, 'renewal')).to.equal('3')
  })

  it('renew: taken by who has a greater epoch, released or not, or this one', async () => {
    const old = await taken('x')
    const epoch = await taken('y', ['1', '', ''])
    const before = await redis.hgetall(KEY)
    expect(await renew('x', 1, old)).to.deep.equal([2, 'host of y'])
    expect(await renew('x', 1, epoch)).to.deep.equal([2, 'host of y'])
    expect(await redis.hgetall(KEY)).to.deep.equal(before)
    await release('y')
    expect(await renew('x', 2, old)).to.deep.equal([2, 'host of y'])
  })

  it('renew: teaches a Redis that lost it, wholly or in part; the greatest epoch wins', async () => {
    const old = await taken('x')
    const before = await redis.hgetall(KEY)
    const epoch = await taken('y', ['1', '', ''])
    const after = { ...before, epoch, holder: 'y', renewal: '5', host: 'host of y' }
    await redis.hset(KEY, before) // fell back
    expect(await renew('y', 5, epoch)).to.deep.equal([1])
    expect(await redis.hgetall(KEY)).to.deep.equal(after)
    await redis.del(KEY) // emptied
    expect(await renew('y', 6, epoch)).to.deep.equal([1])
    expect(await renew('x', 1, old)).to.deep.equal([2, 'host of y'])
    expect(await redis.hgetall(KEY)).to.deep.equal({ ...after, renewal: '6' })
  })

  it('renew: does not write over what is no epoch', async () => {
    for (const stored of ['x', '', 'nan']) {
      await redis.hset(KEY, 'epoch', stored)
      expect(await renew('x', 1, '7')).to.deep.equal([3, stored])
      expect(await redis.hgetall(KEY)).to.deep.equal({ epoch: stored })
    }
  })

  it('release: for its holder alone, once or twice; the epoch stays', async () => {
    const epoch = await taken('x')
    expect(await release('y')).to.deep.equal([0])
    expect(await take('y')).to.deep.equal([2, 'x', '0', 'host of x'])
    expect(await release('x')).to.deep.equal([1])
    expect(await release('x')).to.deep.equal([0])
    expect(Number(await taken('y'))).to.be.above(Number(epoch))
    expect(await release('x')).to.deep.equal([0]) // late
    expect(await redis.hget(KEY, 'holder')).to.equal('y')
  })
})

/** A Redis whose answers are given by hand, in the order of the calls. */
class FakeRedis implements EpochRedis {
  readonly calls: { script: string; args: string[]; answer: (value: unknown) => void; fail: (error: Error) => void }[] =
    []

  eval(script: string, _keys: number, _key: string, ...args: string[]): Promise<unknown> {
    return new Promise((answer, fail) => this.calls.push({ script, args, answer, fail }))
  }

  get last() {
    return this.calls.at(-1)!
  }
}

describe('redis epoch store', () => {
  let clock: ManualClock
  let redis: FakeRedis
  let store: RedisEpochStore

  beforeEach(() => {
    clock = new ManualClock()
    redis = new FakeRedis()
    store = new RedisEpochStore(redis, {}, clock)
  })

  /** What becomes of a `take()`, looked at without waiting. */
  function taking(signal?: AbortSignal): { taken?: EpochTaken; error?: TandemError } {
    const outcome: { taken?: EpochTaken; error?: TandemError } = {}
    store.take(signal === undefined ? request() : { ...request(), signal }).then(
      (taken) => (outcome.taken = taken),
      (error: TandemError) => (outcome.error = error),
    )
    return outcome
  }

  it('asks again while Redis cannot be reached, one question at a time', async () => {
    const outcome = taking()
    await clock.pass(60_000)
    expect(redis.calls.length).to.equal(1) // not answered: it may hang, and ioredis keeps what it is given
    redis.last.fail(new Error('Connection is closed.'))
    await clock.pass(249)
    expect(redis.calls.length).to.equal(1)
    await clock.pass(1)
    expect(redis.calls.length).to.equal(2)
    redis.last.answer([1, '7'])
    await clock.pass(0)
    expect(outcome.taken?.epoch).to.equal(7)
  })

  it('says what is wrong when it has to give up', async () => {
    const enough = new AbortController()
    const outcome = taking(enough.signal)
    await clock.pass(0)
    redis.last.fail(new Error('Connection is closed.'))
    await clock.pass(100)
    enough.abort()
    await clock.pass(0)
    expect(outcome.error?.code).to.equal('TANDEM_EPOCH_STORE_FAILED')
    expect(outcome.error?.message).to.contain('Connection is closed.')
  })

  it('gives back what is carried out after it has given up', async () => {
    const enough = new AbortController()
    const outcome = taking(enough.signal)
    await clock.pass(0)
    const [holder] = redis.last.args
    enough.abort()
    await clock.pass(60_000)
    expect(outcome.error?.code).to.equal('TANDEM_EPOCH_STORE_FAILED')
    expect(redis.calls.length).to.equal(1)
    redis.last.answer([1, '7'])
    await clock.pass(0)
    expect(redis.calls.length).to.equal(2)
    expect([redis.last.script, redis.last.args]).to.deep.equal([RELEASE, [holder]])
    redis.last.fail(new Error('Connection is closed.')) // nobody minds
    await clock.pass(60_000)
    expect(redis.calls.length).to.equal(2)
  })

  it('does not ask at all for who has had enough before', async () => {
    const outcome = taking(AbortSignal.abort())
    await clock.pass(0)
    expect(outcome.error?.code).to.equal('TANDEM_EPOCH_STORE_FAILED')
    expect(redis.calls).to.deep.equal([])
  })

  it('refuses at once what will not pass', async () => {
    const outcome = taking()
    await clock.pass(0)
    redis.last.answer([3, 'x\n'])
    await clock.pass(0)
    expect(outcome.error?.code).to.equal('TANDEM_EPOCH_STORE_FAILED')
    expect(outcome.error?.message).to.contain(KEY).and.to.contain('x.')
  })

  it('names the holder that it cannot wait out', async () => {
    const enough = new AbortController()
    const outcome = taking(enough.signal)
    await clock.pass(0)
    redis.last.answer([2, 'x', '3', 'there'])
    await clock.pass(100)
    enough.abort()
    await clock.pass(0)
    expect(outcome.error?.code).to.equal('TANDEM_PRODUCER_ID_HELD')
    expect(outcome.error?.details).to.deep.equal({ producerId: 'ledger-7', holder: 'there', host: 'here' })
  })

  it('takes from a holder after a whole lease without a renewal, and says which number it saw', async () => {
    taking()
    await clock.pass(0)
    const startedAt = clock.now()
    while (redis.last.args[4] === '' && clock.now() - startedAt < 60_000) {
      redis.last.answer([2, 'x', '3', 'there'])
      await clock.pass(250)
    }
    expect(clock.now() - startedAt).to.equal(5_000)
    expect(redis.last.args.slice(3)).to.deep.equal(['0', 'x', '3'])
  })

  it('asks to take over if it is told to', async () => {
    store = new RedisEpochStore(redis, { takeOver: true }, clock)
    taking()
    await clock.pass(0)
    expect(redis.last.args.slice(3)).to.deep.equal(['1', '', ''])
  })

  it('is known by its process, too: two may draw the same incarnation', async () => {
    taking()
    store = new RedisEpochStore(redis, {}, clock)
    taking()
    await clock.pass(0)
    expect(redis.calls[0]!.args[0]).to.not.equal(redis.calls[1]!.args[0])
    expect(redis.calls[0]!.args[0]).to.match(/:4294967295$/)
  })

  it('counts its renewals, whether or not they are answered', async () => {
    const outcome = taking()
    await clock.pass(0)
    redis.last.answer([1, '7'])
    await clock.pass(0)
    const lease = outcome.taken!.lease!
    const failed = lease.renew().catch((error: unknown) => error)
    redis.last.fail(new Error('Connection is closed.'))
    expect(isTandemError(await failed, 'TANDEM_EPOCH_STORE_FAILED')).to.equal(true)
    const renewed = lease.renew()
    expect(redis.last.args.slice(1)).to.deep.equal(['2', '7', '4294967295', 'here'])
    redis.last.answer([1])
    expect(await renewed).to.deep.equal({ kind: 'renewed' })
    const lost = lease.renew()
    redis.last.answer([2, 'there'])
    expect(await lost).to.deep.equal({ kind: 'taken', by: 'there' })
  })

  it('refuses options that make no sense', () => {
    for (const leaseMs of [2_999, 600_001, 3_000.5, NaN, Infinity, '5000', null]) {
      const create = (): unknown => new RedisEpochStore(redis, { leaseMs: leaseMs as number })
      expect(create, String(leaseMs)).to.throw('option redisEpochStore.leaseMs')
    }
    for (const leaseMs of [3_000, 600_000]) expect(new RedisEpochStore(redis, { leaseMs }).waitMs).to.equal(leaseMs)
    expect(new RedisEpochStore(redis).waitMs).to.equal(5_000)
    expect(() => new RedisEpochStore(redis, { takeOver: 'yes' as unknown as boolean })).to.throw('takeOver')
    expect(() => new RedisEpochStore(redis, { takeover: true } as object)).to.throw('takeover')
  })
})
