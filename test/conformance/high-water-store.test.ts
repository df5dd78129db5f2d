import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  LevelHighWaterStore,
  MemoryHighWaterStore,
  RedisHighWaterStore,
  type Flush,
  type HighWaterStore,
} from '@tandem/consumer'
import { RedisServer } from '@tandem/testing'
import { expect } from 'chai'
import { Redis } from 'ioredis'

import { World } from '../simulation/world.js'

/** What every HighWaterStore does (position.md, The store), on each implementation. */
const BIG = Number.MAX_SAFE_INTEGER - 1_000_000

interface Subject {
  readonly store: HighWaterStore
  /** Loses everything. */
  empty(): Promise<void>
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}

function fieldsOf(fields: Record<string, string>): Map<string, Uint8Array> {
  return new Map(Object.entries(fields).map(([name, text]) => [name, bytesOf(text)]))
}

function textOf(fields: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...fields].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]).sort())
}

export function highWaterStoreSuite(subject: () => Subject): void {
  let next = 0
  const partition = () => ({ groupId: 'balances', topic: 'entries', partition: next++ })
  const claim = (owner: string, greatestSeen = 0) => ({ owner, greatestSeen })
  const flush = (holder: { owner: string; token: number }, number: number, more: Partial<Flush> = {}): Flush => ({
    ...holder,
    number,
    confirmed: number - 1,
    whole: false,
    bornMs: 1_700_000_000_000,
    fields: fieldsOf({ 'f:east': `at ${number}` }),
    ...more,
  })

  it('begins empty, with a birth and no flush', async () => {
    const holding = await subject().store.acquire(partition(), claim('x'))
    expect(holding.number).to.equal(0)
    expect(holding.fields.size).to.equal(0)
    expect(holding.token).to.be.greaterThan(0)
    expect(holding.bornMs).to.be.greaterThan(1_500_000_000_000)
  })

  it('keeps what was flushed, byte for byte, and the birth', async () => {
    const { store } = subject()
    const id = partition()
    const { token, bornMs } = await store.acquire(id, claim('x'))
    const binary = Uint8Array.from({ length: 256 }, (_, i) => i)
    const fields = new Map([['s:1/ledger', binary]])
    expect(await store.flush(id, flush({ owner: 'x', token }, 1, { fields }))).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, 2))).to.equal('flushed')
    const again = await store.acquire(id, claim('y'))
    expect([...again.fields.get('s:1/ledger')!]).to.deep.equal([...binary])
    expect(Buffer.from(again.fields.get('f:east')!).toString()).to.equal('at 2')
    expect(again).to.deep.include({ number: 2, bornMs })
  })

  it('gives each holder a greater token, above any that was seen', async () => {
    const { store } = subject()
    const id = partition()
    const first = await store.acquire(id, claim('x'))
    const second = await store.acquire(id, claim('y'))
    expect(second.token).to.be.greaterThan(first.token)
    const third = await store.acquire(id, claim('z', BIG))
    expect(third.token).to.equal(BIG + 1)
    expect((await store.acquire(id, claim('w'))).token).to.equal(BIG + 2)
  })

  it('gives a claimant that holds it the same token again, unless it has seen that one (acquire-again)', async () => {
    const { store } = subject()
    const id = partition()
    const first = await store.acquire(id, claim('x'))
    expect((await store.acquire(id, claim('x'))).token).to.equal(first.token)
    expect((await store.acquire(id, claim('x', first.token))).token).to.be.greaterThan(first.token)
  })

  it('refuses the flush of a holder that lost the partition', async () => {
    const { store } = subject()
    const id = partition()
    const old = await store.acquire(id, claim('x'))
    await store.acquire(id, claim('y'))
    expect(await store.flush(id, flush({ owner: 'x', token: old.token }, 1))).to.equal('fenced')
    expect(await store.flush(id, flush({ owner: 'x', token: old.token }, 1, { whole: true }))).to.equal('fenced')
  })

  it('refuses another owner under the same token', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x'))
    expect(await store.flush(id, flush({ owner: 'y', token }, 1))).to.equal('fenced')
  })

  it('takes the same number again for a retry after a lost reply: done already', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x'))
    const first = flush({ owner: 'x', token }, 1)
    expect(await store.flush(id, first)).to.equal('flushed')
    expect(await store.flush(id, { ...first, fields: fieldsOf({ 'f:east': 'other' }) })).to.equal('flushed')
    expect(textOf((await store.acquire(id, claim('y'))).fields)).to.deep.equal({ 'f:east': 'at 1' })
  })

  it('refuses a number below the stored one as stale (late-flush)', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x'))
    await store.flush(id, flush({ owner: 'x', token }, 2, { confirmed: 0 }))
    expect(await store.flush(id, flush({ owner: 'x', token }, 1))).to.equal('stale')
    expect(textOf((await store.acquire(id, claim('y'))).fields)).to.deep.equal({ 'f:east': 'at 2' })
  })

  it('says behind when it lost everything, and takes the whole position (store-emptied)', async () => {
    const { store, empty } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x'))
    await store.flush(id, flush({ owner: 'x', token }, 1))
    await empty()
    expect(await store.flush(id, flush({ owner: 'x', token }, 2))).to.equal('behind')
    const whole = flush({ owner: 'x', token }, 3, {
      whole: true,
      fields: fieldsOf({ 'f:east': 'all', 's:1/p': 'all' }),
    })
    expect(await store.flush(id, whole)).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, 4))).to.equal('flushed')
    const again = await store.acquire(id, claim('y', token))
    expect(again).to.deep.include({ number: 4, bornMs: 1_700_000_000_000 })
    expect(again.token).to.be.greaterThan(token)
    expect(textOf(again.fields)).to.deep.equal({ 'f:east': 'at 4', 's:1/p': 'all' })
  })

  it('says behind when its number is below the confirmed one (store-rollback)', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x'))
    await store.flush(id, flush({ owner: 'x', token }, 1))
    expect(await store.flush(id, flush({ owner: 'x', token }, 9, { confirmed: 8 }))).to.equal('behind')
    expect(await store.flush(id, flush({ owner: 'x', token }, 10, { confirmed: 8, whole: true }))).to.equal('flushed')
  })

  it('lets go of fields that a whole position lacks', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x'))
    await store.flush(id, flush({ owner: 'x', token }, 1, { fields: fieldsOf({ 'f:east': '1', 's:old': 'x' }) }))
    await store.flush(id, flush({ owner: 'x', token }, 2, { whole: true, fields: fieldsOf({ 'f:east': '2' }) }))
    expect(textOf((await store.acquire(id, claim('y'))).fields)).to.deep.equal({ 'f:east': '2' })
  })

  it('takes a greater token than the stored one only with the whole position', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x'))
    const greater = { owner: 'y', token: token + 5 }
    expect(await store.flush(id, flush(greater, 7))).to.equal('behind')
    expect(await store.flush(id, flush(greater, 8, { whole: true }))).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, 1))).to.equal('fenced')
  })

  it('holds numbers up to the largest exactly', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x', BIG))
    expect(await store.flush(id, flush({ owner: 'x', token }, BIG, { whole: true }))).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, BIG + 1))).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, BIG))).to.equal('stale')
    expect((await store.acquire(id, claim('y'))).number).to.equal(BIG + 1)
  })

  it('releases for its holder alone, and keeps the position', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await store.acquire(id, claim('x'))
    await store.flush(id, flush({ owner: 'x', token }, 1))
    await store.release(id, { owner: 'y', token })
    expect(await store.flush(id, flush({ owner: 'x', token }, 2))).to.equal('flushed')
    await store.release(id, { owner: 'x', token })
    expect(await store.flush(id, flush({ owner: 'x', token }, 3))).to.equal('fenced')
    expect(textOf((await store.acquire(id, claim('y'))).fields)).to.deep.equal({ 'f:east': 'at 2' })
  })
}

describe('conformance: high-water store in memory', () => {
  let store: MemoryHighWaterStore
  beforeEach(() => (store = new MemoryHighWaterStore()))
  highWaterStoreSuite(() => ({
    get store() {
      return store
    },
    empty: () => {
      store.clear()
      return Promise.resolve()
    },
  }))
})

describe('conformance: high-water store on LevelDB', () => {
  let path: string
  let store: LevelHighWaterStore

  before(async () => {
    path = await mkdtemp(join(tmpdir(), 'tandem-high-water-'))
    store = new LevelHighWaterStore(path)
  })

  after(async () => {
    await store.close()
    await rm(path, { recursive: true })
  })

  highWaterStoreSuite(() => ({
    store,
    empty: async () => {
      await store.close()
      await rm(path, { recursive: true })
    },
  }))
})

describe('conformance: simulated high-water store', () => {
  const world = new World()
  const store = inVirtualTime(world, world.store.connection(world.createProcess('consumer')))
  highWaterStoreSuite(() => ({ store, empty: async () => world.store.empty() }))
})

/** A store whose world goes on while it is waited for. */
function inVirtualTime(world: World, store: HighWaterStore): HighWaterStore {
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    let over = false
    const end = (): boolean => (over = true)
    promise.then(end, end)
    expect(await world.until(() => over, 60_000)).to.equal(true)
    return promise
  }
  return {
    name: store.name,
    acquire: (...all) => settled(store.acquire(...all)),
    flush: (...all) => settled(store.flush(...all)),
    release: (...all) => settled(store.release(...all)),
  }
}

describe('conformance: high-water store in Redis', function () {
  this.timeout(20_000)
  let server: RedisServer
  let redis: Redis
  let store: RedisHighWaterStore

  before(async () => {
    server = await RedisServer.start()
    redis = new Redis(server.url)
    store = new RedisHighWaterStore(redis)
  })

  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  highWaterStoreSuite(() => ({
    store,
    empty: async () => {
      await redis.flushall()
    },
  }))

  const id = { groupId: 'g', topic: 't', partition: 999 }

  it('goes on when Redis has forgotten its scripts', async () => {
    const { token } = await store.acquire(id, { owner: 'x', greatestSeen: 0 })
    await redis.script('FLUSH')
    const fields = fieldsOf({ 'f:east': '1' })
    const flush = { owner: 'x', token, number: 1, confirmed: 0, whole: false, bornMs: 1, fields }
    expect(await store.flush(id, flush)).to.equal('flushed')
  })

  it('refuses a position of a newer format', async () => {
    await redis.hset('tandem:{g/t/998}:p', { v: '2', token: '1' })
    const acquired = store.acquire({ ...id, partition: 998 }, { owner: 'x', greatestSeen: 0 })
    await rejects(acquired, 'format 2')
  })

  it('keeps one hash a partition that never expires', async () => {
    await store.acquire({ ...id, partition: 997 }, { owner: 'x', greatestSeen: 0 })
    expect(await redis.ttl('tandem:{g/t/997}:p')).to.equal(-1)
    expect(Object.keys(await redis.hgetall('tandem:{g/t/997}:p')).sort()).to.deep.equal([
      'birth',
      'owner',
      'rev',
      'token',
      'v',
    ])
  })

  it('rejects with a typed error, in bounded time, when Redis hangs', async () => {
    const impatient = new RedisHighWaterStore(redis, { timeoutMs: 200 })
    await server.hang()
    try {
      await rejects(impatient.acquire(id, { owner: 'x', greatestSeen: 0 }), 'no answer within 200 ms')
    } finally {
      await server.resume()
    }
    await store.acquire(id, { owner: 'x', greatestSeen: 0 })
  })
})

async function rejects(promise: Promise<unknown>, text: string): Promise<void> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(outcome).to.have.property('code', 'TANDEM_HIGH_WATER_STORE_FAILED')
  expect((outcome as Error).message).to.include(text)
}
