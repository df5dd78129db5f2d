import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

import type { ErrorCode, TandemError } from '@tandem/common'
import { NO_LEASE, RedisHighWaterStore } from '@tandem/consumer'
import { RedisEpochStore } from '@tandem/producer'
import { RedisCluster, RedisServer } from '@tandem/testing'
import { expect } from 'chai'
import { Cluster, Redis, type RedisOptions } from 'ioredis'

/**
 * What both stores make of a Redis that is not as it should be: an error whose code says whether waiting mends it, which
 * names the cause in Redis's words and tells no secret.
 */
describe('conformance: stores in a bad Redis', function () {
  this.timeout(30_000)
  let server: RedisServer
  let admin: Redis
  let clients: (Redis | Cluster)[] = []

  beforeEach(async () => {
    server = await RedisServer.start()
    admin = connect()
  })

  afterEach(async () => {
    for (const client of clients) client.disconnect()
    clients = []
    await server.stop()
  })

  function adopted<C extends Redis | Cluster>(client: C): C {
    client.on('error', () => undefined) // what a call says of it is looked at
    clients.push(client)
    return client
  }

  function connect(options: RedisOptions = {}): Redis {
    return adopted(new Redis({ host: '127.0.0.1', port: server.port, ...options }))
  }

  /** A user who may do all that the rules do not take away. */
  async function userWith(...rules: readonly string[]): Promise<RedisOptions> {
    await admin.acl('SETUSER', 'tandem', 'on', `>${SECRET}`, '~*', '+@all', ...rules)
    return { username: 'tandem', password: SECRET }
  }

  async function passwordWanted(): Promise<void> {
    await admin.config('SET', 'requirepass', 'right')
  }

  const REFUSED: readonly (readonly [what: string, text: string, spoil: () => Promise<RedisOptions>])[] = [
    ['a wrong password', 'WRONGPASS', () => passwordWanted().then(() => ({ password: SECRET }))],
    ['no password', 'NOAUTH', () => passwordWanted().then(() => ({}))],
    ['a user that does not exist', 'WRONGPASS', async () => ({ username: 'nobody', password: SECRET })],
    ['who may not run scripts', "NOPERM this user has no permissions to run the 'eval'", () => userWith('-eval')],
    ['who may not touch our keys', 'NOPERM', () => userWith('resetkeys', '~other:*')],
    ['who may not do what a script does', "can't run this command", () => userWith('-hset')],
    [
      'a password where there is no AUTH',
      "unknown command 'auth'",
      async () => {
        await server.stop()
        server = await RedisServer.start({ args: ['--rename-command', 'AUTH', 'OTHER'] })
        return { password: SECRET, protocol: 2 }
      },
    ],
  ]

  for (const [what, text, spoil] of REFUSED) {
    it(`refuse at once: ${what}`, async () => {
      const redis = connect(await spoil())
      const begun = performance.now()
      const store = new RedisHighWaterStore(redis)
      const errors = [
        await failureOf(store.acquire(ID, CLAIM), 'TANDEM_HIGH_WATER_STORE_UNUSABLE'),
        await failureOf(new RedisEpochStore(redis).take(REQUEST), 'TANDEM_EPOCH_STORE_FAILED'),
      ]
      expect(performance.now() - begun, 'not tried until time is up').to.be.below(10_000)
      for (const error of errors) {
        expect(error.message).to.include(text)
        expect(inspect(error, { depth: 10, showHidden: true })).not.to.include(SECRET)
      }
    })
  }

  it('refuse at once: a wrong password to a cluster', async () => {
    await using nodes = await RedisCluster.start()
    const right = adopted(new Cluster(nodes.addresses))
    await right.ping()
    for (const node of right.nodes()) await node.config('SET', 'requirepass', 'right')
    const redis = adopted(new Cluster(nodes.addresses, { redisOptions: { password: SECRET } }))
    const store = new RedisHighWaterStore(redis)
    const error = await failureOf(store.look(ID), 'TANDEM_HIGH_WATER_STORE_UNUSABLE')
    expect(error.message).to.include('WRONGPASS')
  })

  const WAITED_FOR: readonly (readonly [text: string, spoil: readonly string[][], mend: readonly string[][]])[] = [
    ['READONLY', [['REPLICAOF', '127.0.0.1', '1']], [['REPLICAOF', 'NO', 'ONE']]],
    [
      'MASTERDOWN',
      [
        ['CONFIG', 'SET', 'replica-serve-stale-data', 'no'],
        ['REPLICAOF', '127.0.0.1', '1'],
      ],
      [['REPLICAOF', 'NO', 'ONE']],
    ],
    ['OOM', [['CONFIG', 'SET', 'maxmemory', '1']], [['CONFIG', 'SET', 'maxmemory', '0']]],
    [
      'NOREPLICAS',
      [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
      [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
    ],
  ]

  /** The high-water store says why, and the epoch store asks again, until it is mended. */
  async function isWaitedFor(text: string, mended: () => Promise<unknown>): Promise<void> {
    const redis = connect({ enableReadyCheck: false })
    const store = new RedisHighWaterStore(redis)
    const error = await failureOf(store.acquire(ID, CLAIM), 'TANDEM_HIGH_WATER_STORE_FAILED')
    expect(error.message).to.include(text)
    expect(error.retriable).to.equal(true)
    const epoch = new RedisEpochStore(redis).take(REQUEST)
    await mended()
    expect((await epoch).epoch).to.be.greaterThan(0)
    expect(await store.acquire(ID, CLAIM)).to.have.property('kind', 'acquired')
  }

  for (const [text, spoil, mend] of WAITED_FOR) {
    it(`wait for one that says ${text}`, async () => {
      for (const [command, ...args] of spoil) await admin.call(command!, ...args)
      await isWaitedFor(text, async () => {
        await sleep(500)
        for (const [command, ...args] of mend) await admin.call(command!, ...args)
      })
    })
  }

  it('wait for one that says LOADING', async () => {
    await server.stop()
    server = await RedisServer.start({ args: ['--key-load-delay', '500'] })
    const keys = connect().pipeline()
    for (let i = 0; i < 12_000; i++) keys.set(`key-${i}`, '') // for 6 s, so that it is asked meanwhile
    await keys.exec()
    await server.kill()
    const loaded = server.restart()
    await isWaitedFor('LOADING', () => loaded)
  })

  it('are told whether it evicts positions, also where CONFIG is refused', async () => {
    const store = new RedisHighWaterStore(connect(await userWith('-config')))
    for (const [policy, hazards] of [
      ['noeviction', []],
      ['volatile-lru', []],
      ['allkeys-lru', ['its maxmemory-policy is allkeys-lru, which evicts positions; set noeviction']],
      ['allkeys-random', ['its maxmemory-policy is allkeys-random, which evicts positions; set noeviction']],
    ] as const) {
      await admin.config('SET', 'maxmemory-policy', policy)
      expect(await store.hazards(), policy).to.deep.equal(hazards)
    }
    const blind = new RedisHighWaterStore(connect({ ...(await userWith('-info')), enableReadyCheck: false }))
    const [hazard] = await blind.hazards()
    expect(hazard).to.match(/^whether it keeps positions is not known: .*NOPERM/)
  })

  it('are told whether a restart loses positions, with snapshots and without', async () => {
    const store = new RedisHighWaterStore(connect(await userWith('-config')))
    const hazards = ['it has no append-only file, so a restart loses positions; set appendonly yes']
    await admin.config('SET', 'appendonly', 'no')
    expect(await store.hazards()).to.deep.equal(hazards)
    await admin.config('SET', 'save', '3600 1')
    expect(await store.hazards()).to.deep.equal(hazards)
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
    expect(await store.hazards(), 'both').to.have.length(2)
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    await admin.config('SET', 'appendonly', 'yes')
    expect(await store.hazards()).to.deep.equal([])
  })

  it('are told so of any node of a cluster', async () => {
    await using nodes = await RedisCluster.start()
    const redis = adopted(new Cluster(nodes.addresses))
    const store = new RedisHighWaterStore(redis)
    await redis.ping()
    expect(await store.hazards()).to.deep.equal([])
    await redis.nodes('master')[2]!.config('SET', 'maxmemory-policy', 'allkeys-lfu')
    expect((await store.hazards())[0]).to.include('allkeys-lfu')
    await redis.nodes('master')[1]!.config('SET', 'appendonly', 'no')
    expect((await store.hazards())[1]).to.include('append-only')
  })
})

async function failureOf(promise: Promise<unknown>, code: ErrorCode): Promise<TandemError> {
  const error = await promise.then(
    (value) => new Error(`it resolved to ${inspect(value)}`),
    (error: unknown) => error as TandemError,
  )
  expect(error).to.have.property('code', code)
  return error as TandemError
}

const SECRET = 'a-secret'
const ID = { groupId: 'g', topic: 't', partition: 0 }
const CLAIM = { owner: 'x', greatestSeen: 0, seen: NO_LEASE }
const REQUEST = { producerId: 'ledger', incarnation: 1, host: 'here' }
