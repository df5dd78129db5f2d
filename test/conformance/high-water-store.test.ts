import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ErrorCode } from '@tandem/common'
import {
  LevelHighWaterStore,
  MemoryHighWaterStore,
  NO_LEASE,
  RedisHighWaterStore,
  type Acquired,
  type Flush,
  type HighWaterStore,
  type Holding,
  type Member,
  type PartitionOfGroup,
  type Renewed,
} from '@tandem/consumer'
import { createTables, openPool } from '@tandem/examples/exactly-once/database'
import { PostgresHighWaterStore } from '@tandem/examples/exactly-once/postgres-high-water-store'
import { POSITION_TABLES } from '@tandem/examples/exactly-once/tables'
import { PostgresServer, RedisCluster, RedisSentinel, RedisServer, TcpProxy } from '@tandem/testing'
import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import type { Pool } from 'pg'

import { World } from '../simulation/world.js'

/** What every HighWaterStore does (position.md, The store), on each implementation. */
const BIG = Number.MAX_SAFE_INTEGER - 1_000_000
const SOME = { groupId: 'g', topic: 't', partition: 999 }

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
  const { take } = takerOf(() => subject().store)
  const flush = (holder: { owner: string; token: number }, number: number, more: Partial<Flush> = {}): Flush => ({
    ...holder,
    number,
    confirmed: number - 1,
    whole: false,
    bornMs: 1_700_000_000_000,
    fields: fieldsOf({ 'f:east': `at ${number}` }),
    finished: [],
    ...more,
  })

  it('begins empty, with a birth and no flush', async () => {
    const holding = await take(partition(), 'x')
    expect(holding.number).to.equal(0)
    expect(holding.fields.size).to.equal(0)
    expect(holding.token).to.be.greaterThan(0)
    expect(holding.bornMs).to.be.greaterThan(1_500_000_000_000)
  })

  it('keeps what was flushed, byte for byte, and the birth', async () => {
    const { store } = subject()
    const id = partition()
    const { token, bornMs } = await take(id, 'x')
    const binary = Uint8Array.from({ length: 256 }, (_, i) => i)
    const fields = new Map([['s:1/ledger', binary]])
    expect(await store.flush(id, flush({ owner: 'x', token }, 1, { fields }))).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, 2))).to.equal('flushed')
    const again = await take(id, 'y')
    expect([...again.fields.get('s:1/ledger')!]).to.deep.equal([...binary])
    expect(Buffer.from(again.fields.get('f:east')!).toString()).to.equal('at 2')
    expect(again).to.deep.include({ number: 2, bornMs })
  })

  it('gives each holder a greater token, above any that was seen', async () => {
    const id = partition()
    const first = await take(id, 'x')
    const second = await take(id, 'y')
    expect(second.token).to.be.greaterThan(first.token)
    const third = await take(id, 'z', BIG)
    expect(third.token).to.equal(BIG + 1)
    expect((await take(id, 'w')).token).to.equal(BIG + 2)
  })

  describe('leases', () => {
    it('shows nothing where nobody was', async () => {
      expect(await subject().store.look(partition())).to.deep.equal(NO_LEASE)
    })

    it('shows owner, token, number of the last flush and of the last renewal', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x')
      expect(await store.look(id)).to.deep.equal({ ...NO_LEASE, owner: 'x', token })
      await store.flush(id, flush({ owner: 'x', token }, 4, { confirmed: 0 }))
      await store.renew(id, { owner: 'x', token, beat: 7 })
      expect(await store.look(id)).to.deep.equal({ ...NO_LEASE, owner: 'x', token, number: 4, beat: 7 })
    })

    it('gives only what is as it was seen: owner, token, rev and beat (acquire-compares)', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x')
      await store.flush(id, flush({ owner: 'x', token }, 4, { confirmed: 0 }))
      await store.renew(id, { owner: 'x', token, beat: 7 })
      const lease = await store.look(id)
      expect(lease).to.include({ number: 4, beat: 7 })
      for (const other of [{ owner: 'w' }, { token: token - 1 }, { number: 3 }, { beat: 6 }]) {
        const claim = { owner: 'y', greatestSeen: 0, seen: { ...lease, ...other } }
        expect(await store.acquire(id, claim), JSON.stringify(other)).to.deep.equal({ kind: 'held', lease })
      }
      expect(await store.acquire(id, { owner: 'y', greatestSeen: 0, seen: NO_LEASE })).to.have.property('kind', 'held')
      expect(await store.acquire(id, { owner: 'y', greatestSeen: 0, seen: lease })).to.have.property('kind', 'acquired')
    })

    it('gives nothing to an attempt that is carried out again, or late', async () => {
      const { store } = subject()
      const id = partition()
      const claim = { owner: 'x', greatestSeen: 0, seen: NO_LEASE }
      expect(await store.acquire(id, claim)).to.have.property('kind', 'acquired')
      const lease = await store.look(id)
      expect(await store.acquire(id, claim)).to.deep.equal({ kind: 'held', lease })
      expect(await store.look(id)).to.deep.equal(lease)
    })

    it('renews for its holder, and never back', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x')
      for (const [beat, stored] of [
        [1, 1],
        [5, 5],
        [3, 5],
        [5, 5],
      ] as const) {
        expect(await store.renew(id, { owner: 'x', token, beat })).to.deep.equal(renewedAt(0))
        expect(await store.look(id)).to.have.property('beat', stored)
      }
    })

    it('says to a renewal which flush it had last', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x', BIG)
      for (const number of [1, 2, BIG]) {
        await store.flush(id, flush({ owner: 'x', token }, number, { confirmed: 0 }))
        expect(await store.renew(id, { owner: 'x', token, beat: 1 })).to.deep.equal(renewedAt(number))
      }
    })

    it('fences a renewal of one that lost it', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x')
      expect(await store.renew(id, { owner: 'y', token, beat: 1 })).to.deep.equal({ kind: 'fenced' })
      await take(id, 'y')
      const lease = await store.look(id)
      expect(await store.renew(id, { owner: 'x', token, beat: 1 })).to.deep.equal({ kind: 'fenced' })
      expect(await store.look(id)).to.deep.equal(lease)
    })

    it('says to a renewal that it knows less, and what it knows', async () => {
      const { store, empty } = subject()
      const id = partition()
      const { token } = await take(id, 'x')
      const lease = await store.look(id)
      const renewal = { owner: 'y', token: token + 1, beat: 9 }
      expect(await store.renew(id, renewal)).to.deep.equal({ kind: 'lesser', lease })
      expect(await store.look(id)).to.deep.equal(lease)
      await empty()
      expect(await store.renew(id, renewal)).to.deep.equal({ kind: 'lesser', lease: NO_LEASE })
      expect(await store.look(id)).to.deep.equal(NO_LEASE)
    })

    it('tells a holder who asks for it, and takes the mark away with the lease', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x')
      await store.want(id, { owner: 'w', token, by: 'y' })
      await store.want(id, { owner: 'x', token: token - 1, by: 'y' })
      expect(await store.renew(id, { owner: 'x', token, beat: 1 })).to.deep.equal(renewedAt(0))
      await store.want(id, { owner: 'x', token, by: 'y' })
      expect(await store.renew(id, { owner: 'x', token, beat: 2 })).to.deep.equal(renewedAt(0, 'y'))
      await take(id, 'z')
      expect(await store.look(id)).to.include({ owner: 'z', want: '', keptFor: '' })
    })

    it('marks nothing where there is no record', async () => {
      const { store } = subject()
      const id = partition()
      await store.want(id, { owner: 'x', token: 1, by: 'y' })
      await store.release(id, { owner: 'x', token: 1, keptFor: 'y' })
      expect(await store.look(id)).to.deep.equal(NO_LEASE)
    })

    it('keeps what is released for the one that asked', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x')
      await store.want(id, { owner: 'x', token, by: 'y' })
      await store.release(id, { owner: 'x', token, keptFor: 'y' })
      expect(await store.look(id)).to.deep.equal({ ...NO_LEASE, token, keptFor: 'y' })
      expect(await store.renew(id, { owner: 'x', token, beat: 9 })).to.deep.equal({ kind: 'fenced' })
      await take(id, 'y')
      expect(await store.look(id)).to.include({ owner: 'y', keptFor: '' })
    })

    it('begins the lease anew with a whole position under a greater token', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x')
      await store.renew(id, { owner: 'x', token, beat: 5 })
      await store.want(id, { owner: 'x', token, by: 'z' })
      await store.flush(id, flush({ owner: 'y', token: token + 5 }, 2, { whole: true }))
      expect(await store.look(id)).to.deep.equal({ ...NO_LEASE, owner: 'y', token: token + 5, number: 2 })
    })

    it('holds numbers of leases up to the largest exactly', async () => {
      const { store } = subject()
      const id = partition()
      const { token } = await take(id, 'x', BIG)
      expect(await store.renew(id, { owner: 'x', token, beat: BIG })).to.have.property('kind', 'renewed')
      await store.flush(id, flush({ owner: 'x', token }, BIG + 3, { confirmed: 0 }))
      const lease = { ...NO_LEASE, owner: 'x', token: BIG + 1, number: BIG + 3, beat: BIG }
      expect(await store.look(id)).to.deep.equal(lease)
      const claim = { owner: 'y', greatestSeen: 0, seen: { ...lease, beat: BIG - 1 } }
      expect(await store.acquire(id, claim)).to.deep.equal({ kind: 'held', lease })
      expect(await store.renew(id, { owner: 'x', token: BIG, beat: 1 })).to.have.property('kind', 'fenced')
      expect(await store.renew(id, { owner: 'x', token: BIG + 2, beat: 1 })).to.deep.equal({ kind: 'lesser', lease })
    })
  })

  describe('members', () => {
    const member = (beat: number): Member => ({ beat, reads: ['east', 'west'], topics: ['a', 'b'], host: 'h' })

    it('are those who said so, each with the last that it said', async () => {
      const { store } = subject()
      const groupId = `group-${next++}`
      expect(await store.meet(groupId, { instance: 'x', member: member(1), gone: [] })).to.deep.equal(
        new Map([['x', member(1)]]),
      )
      await store.meet(groupId, { instance: 'y', member: { ...member(1), reads: [] }, gone: [] })
      expect([...(await store.meet(groupId, { instance: 'x', member: member(2), gone: [] }))].sort()).to.deep.equal([
        ['x', member(2)],
        ['y', { ...member(1), reads: [] }],
      ])
      expect((await store.meet(`${groupId}-other`, { instance: 'z', member: member(1), gone: [] })).size).to.equal(1)
    })

    it('say what they hold', async () => {
      const { store } = subject()
      for (const holds of [[], ['a/0', 'a/17', 'b/3', '__proto__/1', 'with/slash/2']]) {
        const said: Member = { ...member(1), holds, token: BIG }
        const members = await store.meet(`group-${next++}`, { instance: 'x', member: said, gone: [] })
        expect(members).to.deep.equal(new Map([['x', said]]))
      }
    })

    it('leave by themselves, or are struck off', async () => {
      const { store } = subject()
      const groupId = `group-${next++}`
      for (const instance of ['x', 'y', 'z']) await store.meet(groupId, { instance, member: member(1), gone: [] })
      await store.meet(groupId, { instance: 'x', member: undefined, gone: [] })
      const left = await store.meet(groupId, { instance: 'y', member: member(2), gone: ['z', 'nobody'] })
      expect([...left.keys()]).to.deep.equal(['y'])
    })
  })

  it('refuses the flush of a holder that lost the partition', async () => {
    const { store } = subject()
    const id = partition()
    const old = await take(id, 'x')
    await take(id, 'y')
    expect(await store.flush(id, flush({ owner: 'x', token: old.token }, 1))).to.equal('fenced')
    expect(await store.flush(id, flush({ owner: 'x', token: old.token }, 1, { whole: true }))).to.equal('fenced')
  })

  it('refuses another owner under the same token', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await take(id, 'x')
    expect(await store.flush(id, flush({ owner: 'y', token }, 1))).to.equal('fenced')
  })

  it('takes the same number again for a retry after a lost reply: done already', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await take(id, 'x')
    const first = flush({ owner: 'x', token }, 1)
    expect(await store.flush(id, first)).to.equal('flushed')
    expect(await store.flush(id, { ...first, fields: fieldsOf({ 'f:east': 'other' }) })).to.equal('flushed')
    expect(textOf((await take(id, 'y')).fields)).to.deep.equal({ 'f:east': 'at 1' })
  })

  it('refuses a number below the stored one as stale (late-flush)', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await take(id, 'x')
    await store.flush(id, flush({ owner: 'x', token }, 2, { confirmed: 0 }))
    expect(await store.flush(id, flush({ owner: 'x', token }, 1))).to.equal('stale')
    expect(textOf((await take(id, 'y')).fields)).to.deep.equal({ 'f:east': 'at 2' })
  })

  it('says behind when it lost everything, and takes the whole position (store-emptied)', async () => {
    const { store, empty } = subject()
    const id = partition()
    const { token } = await take(id, 'x')
    await store.flush(id, flush({ owner: 'x', token }, 1))
    await empty()
    expect(await store.flush(id, flush({ owner: 'x', token }, 2))).to.equal('behind')
    const whole = flush({ owner: 'x', token }, 3, {
      whole: true,
      fields: fieldsOf({ 'f:east': 'all', 's:1/p': 'all' }),
    })
    expect(await store.flush(id, whole)).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, 4, { confirmed: 0 }))).to.equal('flushed')
    const again = await take(id, 'y', token)
    expect(again).to.deep.include({ number: 4, bornMs: 1_700_000_000_000 })
    expect(again.token).to.be.greaterThan(token)
    expect(textOf(again.fields)).to.deep.equal({ 'f:east': 'at 4', 's:1/p': 'all' })
  })

  it('says behind when its number is below the confirmed one (store-rollback)', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await take(id, 'x')
    await store.flush(id, flush({ owner: 'x', token }, 1))
    expect(await store.flush(id, flush({ owner: 'x', token }, 9, { confirmed: 8 }))).to.equal('behind')
    expect(await store.flush(id, flush({ owner: 'x', token }, 10, { confirmed: 8, whole: true }))).to.equal('flushed')
  })

  it('lets go of fields that a whole position lacks', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await take(id, 'x')
    await store.flush(id, flush({ owner: 'x', token }, 1, { fields: fieldsOf({ 'f:east': '1', 's:old': 'x' }) }))
    await store.flush(id, flush({ owner: 'x', token }, 2, { whole: true, fields: fieldsOf({ 'f:east': '2' }) }))
    expect(textOf((await take(id, 'y')).fields)).to.deep.equal({ 'f:east': '2' })
  })

  it('takes a greater token than the stored one only with the whole position', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await take(id, 'x')
    const greater = { owner: 'y', token: token + 5 }
    expect(await store.flush(id, flush(greater, 7))).to.equal('behind')
    expect(await store.flush(id, flush(greater, 8, { whole: true }))).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, 1))).to.equal('fenced')
  })

  it('holds numbers up to the largest exactly', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await take(id, 'x', BIG)
    expect(await store.flush(id, flush({ owner: 'x', token }, BIG, { whole: true }))).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, BIG + 1))).to.equal('flushed')
    expect(await store.flush(id, flush({ owner: 'x', token }, BIG))).to.equal('stale')
    expect((await take(id, 'y')).number).to.equal(BIG + 1)
  })

  it('releases for its holder alone, and keeps the position', async () => {
    const { store } = subject()
    const id = partition()
    const { token } = await take(id, 'x')
    await store.flush(id, flush({ owner: 'x', token }, 1))
    await store.release(id, { owner: 'y', token, keptFor: '' })
    expect(await store.flush(id, flush({ owner: 'x', token }, 2))).to.equal('flushed')
    await store.release(id, { owner: 'x', token, keptFor: '' })
    expect(await store.flush(id, flush({ owner: 'x', token }, 3))).to.equal('fenced')
    expect(textOf((await take(id, 'y')).fields)).to.deep.equal({ 'f:east': 'at 2' })
  })
}

function renewedAt(number: number, want = ''): Renewed {
  return { kind: 'renewed', want, number }
}

/** Takes partitions, whosever they are, as one does that has seen nothing move for long enough. */
function takerOf(store: () => HighWaterStore): {
  take(id: PartitionOfGroup, owner: string, greatestSeen?: number): Promise<Holding>
} {
  return {
    take: async (id, owner, greatestSeen = 0) => {
      const seen = await store().look(id)
      const acquired: Acquired = await store().acquire(id, { owner, greatestSeen, seen })
      if (acquired.kind === 'acquired') return acquired.holding
      throw new Error(`it is ${JSON.stringify(acquired.lease)}`)
    },
  }
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
    look: (...all) => settled(store.look(...all)),
    acquire: (...all) => settled(store.acquire(...all)),
    flush: (...all) => settled(store.flush(...all)),
    renew: (...all) => settled(store.renew(...all)),
    want: (...all) => settled(store.want(...all)),
    release: (...all) => settled(store.release(...all)),
    meet: (...all) => settled(store.meet(...all)),
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

  highWaterStoreSuite(() => subjectOf(redis, store))

  const id = SOME
  const { take } = takerOf(() => store)

  it('goes on when Redis has forgotten its scripts', async () => {
    const { token } = await take(id, 'x')
    await store.flush(id, flushOf('x', token, 1))
    await store.renew(id, { owner: 'x', token, beat: 1 })
    await redis.script('FLUSH')
    expect(await store.flush(id, flushOf('x', token, 2))).to.equal('flushed')
    expect(await store.renew(id, { owner: 'x', token, beat: 2 })).to.deep.equal(renewedAt(2))
  })

  it('refuses a position of a newer format, and leaves it as it is', async () => {
    const newer = { ...id, partition: 998 }
    const { token } = await take(newer, 'x')
    const key = 'tandem:{g/t/998}:p'
    await redis.hset(key, { v: '2', 's:new': 'what this version knows nothing of' })
    const before = await redis.hgetall(key)
    const seen = { ...NO_LEASE, owner: 'x', token }
    for (const call of [
      () => store.look(newer),
      () => store.acquire(newer, { owner: 'y', greatestSeen: 0, seen }),
      () => store.flush(newer, flushOf('x', token, 1)),
      () => store.flush(newer, { ...flushOf('x', token + 1, 1), whole: true }),
      () => store.renew(newer, { owner: 'x', token, beat: 1 }),
      () => store.renew(newer, { owner: 'x', token: token + 1, beat: 1 }),
    ]) {
      await rejects(call(), 'format 2', 'TANDEM_HIGH_WATER_STORE_UNUSABLE')
    }
    await store.want(newer, { owner: 'x', token, by: 'y' })
    await store.release(newer, { owner: 'x', token, keptFor: '' })
    expect(await redis.hgetall(key)).to.deep.equal(before)
  })

  it('tells a holder that a newer version has taken its partition', async () => {
    const newer = { ...id, partition: 995 }
    const { token } = await take(newer, 'x')
    await redis.hset('tandem:{g/t/995}:p', { v: '2', owner: 'y', token: String(token + 1) })
    expect(await store.flush(newer, flushOf('x', token, 1))).to.equal('fenced')
    expect(await store.renew(newer, { owner: 'x', token, beat: 1 })).to.deep.equal({ kind: 'fenced' })
  })

  it('refuses a lease whose numbers are none', async () => {
    await redis.hset('tandem:{g/t/996}:p', { v: '1', owner: 'x', token: 'many' })
    await rejects(store.look({ ...id, partition: 996 }), 'received "many"', 'TANDEM_HIGH_WATER_STORE_UNUSABLE')
  })

  it('keeps one hash a partition, and one a group, that never expire', async () => {
    await take({ ...id, partition: 997 }, 'x')
    expect(await redis.ttl('tandem:{g/t/997}:p')).to.equal(-1)
    expect(Object.keys(await redis.hgetall('tandem:{g/t/997}:p')).sort()).to.deep.equal([
      'beat',
      'birth',
      'keptFor',
      'owner',
      'rev',
      'token',
      'v',
      'want',
    ])
    await store.meet('g', { instance: 'x', member: { beat: 1, reads: [], host: 'h' }, gone: [] })
    expect(await redis.ttl('tandem:{g}:members')).to.equal(-1)
  })

  it('passes over members that say what it cannot read', async () => {
    const said = [
      '',
      '7',
      'null',
      '{"beat":1}',
      '{"beat":1,"reads":[1],"host":"h","v":1}',
      '{"beat":"1","reads":[],"v":1}',
      '{"beat":1,"reads":[],"topics":"t","host":"h","v":1}',
      '{"beat":1,"reads":[],"holds":{"t":[0]},"host":"h","v":1}',
      '{"beat":1,"reads":[],"holds":{"t":["0"]},"token":1,"host":"h","v":1}',
      '{"beat":1,"reads":[],"holds":{"t":0},"token":1,"host":"h","v":1}',
      '{"beat":1,"reads":[],"holds":null,"token":1,"host":"h","v":1}',
    ]
    for (const [index, text] of said.entries()) await redis.hset('tandem:{odd}:members', `odd-${index}`, text)
    const members = await store.meet('odd', { instance: 'x', member: { beat: 1, reads: [], host: 'h' }, gone: [] })
    expect([...members.keys()]).to.deep.equal(['x'])
  })

  it('knows members of a version that does not say of which topics, and of one that says more', async () => {
    await redis.hset('tandem:{others}:members', {
      older: '{"beat":1,"reads":["east"],"host":"h","v":1}',
      newer: '{"beat":2,"reads":[],"topics":["t"],"host":"h","zone":"b","v":1}',
    })
    const members = await store.meet('others', { instance: 'x', member: undefined, gone: [] })
    expect(Object.fromEntries(members)).to.deep.equal({
      older: { beat: 1, reads: ['east'], host: 'h' },
      newer: { beat: 2, reads: [], topics: ['t'], host: 'h' },
    })
  })

  it('rejects with a typed error, in bounded time, when Redis hangs', async () => {
    const impatient = new RedisHighWaterStore(redis, { timeoutMs: 200 })
    await server.hang()
    try {
      await rejects(impatient.look(id), 'no answer within 200 ms')
      await rejects(impatient.renew(id, { owner: 'x', token: 1, beat: 1 }), 'no answer within 200 ms')
      await rejects(impatient.renew(id, { owner: 'x', token: 1, beat: 2 }), 'has not answered the last renew')
    } finally {
      await server.resume()
    }
    await take(id, 'x')
  })
})

describe('conformance: high-water store in PostgreSQL', function () {
  this.timeout(20_000)
  let server: PostgresServer
  let pool: Pool
  let store: PostgresHighWaterStore

  before(async () => {
    server = await PostgresServer.start()
    pool = openPool({ connectionString: server.url })
    await createTables(pool, POSITION_TABLES)
    store = new PostgresHighWaterStore({ connectionString: server.url })
  })

  after(async () => {
    await Promise.all([store.close(), pool.end()])
    await server.stop()
  })

  highWaterStoreSuite(() => ({
    store,
    empty: async () => {
      await pool.query('truncate tandem_positions, tandem_fields, tandem_booked, tandem_members')
    },
  }))

  const id = { groupId: 'g', topic: 't', partition: 999 }
  const { take } = takerOf(() => store)

  it('gives a partition to one of many that take it at the same time', async () => {
    const stores = Array.from({ length: 5 }, () => new PostgresHighWaterStore({ connectionString: server.url, max: 1 }))
    for (let partition = 0; partition < 10; partition++) {
      const at = { ...id, partition }
      const claims = stores.map((one, index) =>
        one.acquire(at, { owner: `owner-${index}`, greatestSeen: 0, seen: NO_LEASE }),
      )
      const kinds = (await Promise.all(claims)).map(({ kind }) => kind)
      expect(kinds.sort()).to.deep.equal(['acquired', 'held', 'held', 'held', 'held'])
    }
    await Promise.all(stores.map((one) => one.close()))
  })

  it('rejects with a typed error, in bounded time, when PostgreSQL says nothing, and goes on afterwards', async () => {
    await using proxy = await TcpProxy.start({ target: server.port })
    const url = server.url.replace(`:${server.port}/`, `:${proxy.port}/`)
    const impatient = new PostgresHighWaterStore({ connectionString: url }, { timeoutMs: 300 })
    await impatient.look(id)
    proxy.stall()
    await rejects(impatient.look(id), 'did not look')
    await rejects(impatient.renew(id, { owner: 'x', token: 1, beat: 1 }), 'did not renew')
    proxy.pass()
    await impatient.look(id)
    await impatient.close()
  })

  it('goes on when PostgreSQL was killed and is back', async () => {
    const { token } = await take(id, 'x')
    await server.restart()
    expect(await store.renew(id, { owner: 'x', token, beat: 1 }).catch(() => 'failed')).to.not.equal(undefined)
    expect(await store.renew(id, { owner: 'x', token, beat: 2 })).to.deep.equal(renewedAt(0))
  })
})

describe('conformance: high-water store in a Redis Cluster', function () {
  this.timeout(30_000)
  let server: RedisCluster
  let redis: Cluster
  let store: RedisHighWaterStore

  before(async () => {
    server = await RedisCluster.start()
    redis = new Cluster(server.addresses)
    store = new RedisHighWaterStore(redis)
  })

  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  highWaterStoreSuite(() => ({
    store,
    empty: async () => {
      await Promise.all(redis.nodes('master').map((node) => node.flushall()))
    },
  }))

  const { take } = takerOf(() => store)

  it('has partitions on every node', async () => {
    await Promise.all(Array.from({ length: 32 }, (_, partition) => take({ ...SOME, partition }, 'x')))
    for (const node of redis.nodes('master')) expect(await node.dbsize()).to.be.greaterThan(0)
  })

  it('follows a partition to the node that its slot moves to', async () => {
    const { token } = await take(SOME, 'x')
    await store.flush(SOME, flushOf('x', token, 1))
    const key = keyOf(SOME)
    const slot = await redis.cluster('KEYSLOT', key)
    const owners = await Promise.all(redis.nodes('master').map((node) => node.exists(key).catch(() => 0)))
    const from = redis.nodes('master')[owners.indexOf(1)]!
    const to = redis.nodes('master').find((node) => node !== from)!
    const [fromId, toId] = (await Promise.all([from, to].map((node) => node.cluster('MYID')))) as [string, string]
    await to.cluster('SETSLOT', slot, 'IMPORTING', fromId)
    await from.cluster('SETSLOT', slot, 'MIGRATING', toId)
    expect(await store.flush(SOME, flushOf('x', token, 2)), 'before it has moved').to.equal('flushed')
    await from.call('MIGRATE', to.options.host!, to.options.port!, key, 0, 5_000)
    expect(await store.flush(SOME, flushOf('x', token, 3)), 'of a slot that is being moved').to.equal('flushed')
    for (const node of [to, from]) await node.cluster('SETSLOT', slot, 'NODE', toId)
    expect(await store.flush(SOME, flushOf('x', token, 4))).to.equal('flushed')
    expect(await store.look(SOME)).to.include({ owner: 'x', number: 4 })
  })

  it('waits for a node that is away, and says which trouble it is', async () => {
    const { token } = await take(SOME, 'x')
    const [node] = server.nodes
    await node!.kill()
    const said = await until(
      () => store.renew(SOME, { owner: 'x', token, beat: 1 }).then(String, (error: unknown) => error as Error),
      (outcome) => /CLUSTERDOWN/.test(String(outcome)),
    )
    expect(said).to.include({ code: 'TANDEM_HIGH_WATER_STORE_FAILED', retriable: true })
    await node!.restart()
    await server.awaitWhole()
    expect(await store.renew(SOME, { owner: 'x', token, beat: 2 })).to.deep.equal(renewedAt(4))
  })
})

describe('conformance: high-water store in Redis under a Sentinel', function () {
  this.timeout(60_000)
  let server: RedisSentinel
  let redis: Redis
  let store: RedisHighWaterStore
  let token: number

  /** What is confirmed as number 2 was not replicated when the master died. */
  before(async () => {
    server = await RedisSentinel.start()
    const { sentinels, name } = server
    redis = new Redis({ sentinels: [...sentinels], name, retryStrategy: () => 50 })
    redis.on('error', () => undefined) // its master is killed
    store = new RedisHighWaterStore(redis)
    ;({ token } = await take(SOME, 'x'))
    await store.flush(SOME, flushOf('x', token, 1))
    await redis.wait(1, 5_000)
    await server.holdReplication()
    await store.flush(SOME, flushOf('x', token, 2))
    const [master, replica] = server.servers
    await master!.kill()
    await replica!.resume()
  })

  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  const { take } = takerOf(() => store)

  it('is behind after a failover, and takes the whole position', async () => {
    const answer = await until(
      () => store.flush(SOME, flushOf('x', token, 3)).catch(() => undefined),
      (given) => given !== undefined,
    )
    expect(answer).to.equal('behind')
    expect(await store.look(SOME)).to.include({ owner: 'x', token, number: 1 })
    expect(await store.flush(SOME, { ...flushOf('x', token, 4), whole: true })).to.equal('flushed')
    expect(await server.master()).to.equal(server.servers[1])
  })

  highWaterStoreSuite(() => subjectOf(redis, store))
})

function keyOf({ groupId, topic, partition }: PartitionOfGroup): string {
  return `tandem:{${groupId}/${topic}/${partition}}:p`
}

function subjectOf(redis: Redis, store: RedisHighWaterStore): Subject {
  const empty = async (): Promise<void> => {
    await redis.flushall()
  }
  return { store, empty }
}

function flushOf(owner: string, token: number, number: number): Flush {
  const fields = fieldsOf({ 'f:east': `at ${number}` })
  return { owner, token, number, confirmed: number - 1, whole: false, bornMs: 1, fields, finished: [] }
}

/** Asks again until the answer is good; gives up with the last one. */
async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const answer = await ask()
    if (good(answer)) return answer
    if (performance.now() > deadline) throw new Error(`it was last ${String(answer)}`)
    await sleep(20)
  }
}

async function rejects(
  promise: Promise<unknown>,
  text: string,
  code: ErrorCode = 'TANDEM_HIGH_WATER_STORE_FAILED',
): Promise<void> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(outcome).to.have.property('code', code)
  expect((outcome as Error).message).to.include(text)
}
