import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isTandemError } from '@tandem/common/internal'
import { expect } from 'chai'
import { Redis } from 'ioredis'

import { ClockEpochs } from './epoch-store.js'
import { epochKey, RedisEpochStore } from './redis-epoch-store.js'

const REQUEST = { producerId: 'ledger-7', incarnation: 4_294_967_295, host: 'here' }

describe('clock epochs', () => {
  it('take the time, and are always greater than the one before', async () => {
    let wall = 1_000.7
    const epochs = new ClockEpochs({ now: () => 0, wall: () => wall, schedule: () => () => undefined })
    expect(await epochs.take()).to.deep.equal({ epoch: 1_000 })
    wall = 500 // the clock was set back
    expect(await epochs.take()).to.deep.equal({ epoch: 1_001 })
    wall = 2_000
    expect(await epochs.take()).to.deep.equal({ epoch: 2_000 })
  })
})

describe('redis epoch store', () => {
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

  it('takes the time of Redis, written exactly, with who took it', async () => {
    const before = Date.now()
    const { epoch } = await new RedisEpochStore(redis).take(REQUEST)
    expect(epoch).to.be.within(before, Date.now())
    expect(await redis.hgetall(epochKey('ledger-7'))).to.deep.equal({
      epoch: String(epoch),
      incarnation: '4294967295',
      host: 'here',
    })
  })

  it('takes a greater one each time, also when the clock of Redis was ahead before', async () => {
    const store = new RedisEpochStore(redis)
    const first = await store.take(REQUEST)
    const second = await store.take(REQUEST)
    expect(second.epoch).to.be.above(first.epoch)
    await redis.hset(epochKey('ledger-7'), 'epoch', '9007199254740988') // fourteen digits would not do
    expect((await store.take(REQUEST)).epoch).to.equal(9_007_199_254_740_989)
    expect(await redis.hget(epochKey('ledger-7'), 'epoch')).to.equal('9007199254740989')
  })

  it('gives each of many at once its own', async () => {
    const store = new RedisEpochStore(redis)
    const taken = await Promise.all(Array.from({ length: 50 }, () => store.take(REQUEST)))
    expect(new Set(taken.map(({ epoch }) => epoch)).size).to.equal(50)
    const other = await store.take({ ...REQUEST, producerId: 'ledger-8' })
    expect(other.epoch).to.be.at.most(Math.max(...taken.map(({ epoch }) => epoch)))
  })

  it('refuses to go on from what is no epoch', async () => {
    for (const stored of ['x', '-5', '1.5', '9007199254740990', '1e400', '']) {
      await redis.hset(epochKey('ledger-7'), 'epoch', stored)
      const error: unknown = await new RedisEpochStore(redis).take(REQUEST).catch((reason: unknown) => reason)
      expect(isTandemError(error, 'TANDEM_EPOCH_STORE_FAILED'), stored).to.equal(true)
      expect(await redis.hget(epochKey('ledger-7'), 'epoch')).to.equal(stored)
    }
  })
})
