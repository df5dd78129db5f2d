import { setTimeout as sleep } from 'node:timers/promises'

import type { TandemEvent } from '@tandem/common'
import type { Consumer } from '@tandem/consumer'
import { RedisSentinel, RedisServer } from '@tandem/testing'
import { expect } from 'chai'
import { Redis } from 'ioredis'

import { flushedPositions, readEffects } from './flushed-positions.js'
import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { until } from './program.js'
import { publish } from './publisher.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'
import { subscribe } from './subscriber.js'

/** I1, I2 and I3 on real clusters: whatever becomes of the store, a living holder loses nothing and repeats nothing. */
describe('no loss, no duplicate, in order', function () {
  this.timeout(120_000)

  it('when Redis is killed and restarted with its data, killed again and restarted empty', async () => {
    await using redis = await RedisServer.start()
    const told = await play({ name: 'restarts', messages: 12_000, connect: () => new Redis(redis.url) }, async () => {
      await sleep(2_000)
      await redis.kill()
      await sleep(3_000)
      await redis.restart()
      await sleep(3_000)
      await redis.kill()
      await redis.restart({ empty: true })
    })
    expect(told.map(({ kind }) => kind)).to.include.members(['store-away', 'store-returned', 'store-behind'])
  })

  it('when the master of Redis is killed, and a replica that was behind takes its place', async () => {
    await using redis = await RedisSentinel.start()
    const { sentinels, name, servers } = redis
    const connect = (): Redis => new Redis({ sentinels: [...sentinels], name })
    const told = await play({ name: 'fails-over', messages: 10_000, connect }, async ({ consumer }) => {
      await until('some is delivered', () => consumer.status().delivered > 2_000)
      await redis.holdReplication()
      // By then most accounts have had their last message: only with the whole position does the new master hear of it.
      await until('most is delivered', () => consumer.status().delivered > 6_000)
      await servers[0]!.kill()
      // No other one can take its place before it is missed, however quick a Sentinel is.
      await until('the store is away', () => consumer.status().store === 'away')
      await servers[1]!.resume()
      await until('the store is back', () => consumer.status().store === 'answering')
    })
    expect(await redis.master()).to.equal(servers[1])
    const kinds = told.map(({ kind }) => kind)
    expect(kinds).to.include.members(['store-away', 'store-returned', 'store-behind'])
    expect(kinds).not.to.include('lease-lost')
  })

  it('when Redis forgets scripts, is read-only, full, takes away rights or wants a password for a while', async () => {
    await using redis = await RedisServer.start()
    const connect = (): Redis => new Redis(redis.url, { retryStrategy: () => 50 })
    const reasons: string[] = []
    await play({ name: 'refuses', messages: 16_000, connect }, async ({ consumer, told }) => {
      const admin = new Redis(redis.url)
      await sleep(1_000)
      await admin.script('FLUSH')
      await sleep(500)
      expect(told.map(({ kind }) => kind)).not.to.include('store-away')
      for (const [spoil, mend] of REFUSALS) {
        const before = told.length
        for (const command of spoil) await admin.call(...command)
        await until(`the store is away: ${spoil.join()}`, () => consumer.status().store === 'away')
        await sleep(1_000)
        for (const command of mend) await admin.call(...command)
        await until(`the store is back: ${mend.join()}`, () => consumer.status().store === 'answering')
        reasons.push(...told.slice(before).flatMap((event) => (event.kind === 'store-away' ? [event.reason] : [])))
      }
      admin.disconnect()
    })
    const text = reasons.join('\n')
    for (const code of ['READONLY', 'OOM', 'NOPERM', 'NOAUTH']) expect(text).to.include(code)
  })
})

type Call = [command: string, ...args: string[]]

const REFUSALS: readonly (readonly [spoil: readonly Call[], mend: readonly Call[]])[] = [
  [[['REPLICAOF', '127.0.0.1', '1']], [['REPLICAOF', 'NO', 'ONE']]],
  [[['CONFIG', 'SET', 'maxmemory', '1']], [['CONFIG', 'SET', 'maxmemory', '0']]],
  [[['ACL', 'SETUSER', 'default', '-evalsha', '-eval']], [['ACL', 'SETUSER', 'default', '+@all']]],
  [
    [
      ['CONFIG', 'SET', 'requirepass', 'secret'],
      ['CLIENT', 'KILL', 'TYPE', 'normal'],
    ],
    [['CONFIG', 'SET', 'requirepass', '']],
  ],
]

interface Played {
  readonly consumer: Consumer<unknown>
  /** Events so far. */
  readonly told: readonly TandemEvent[]
}

/**
 * A load that is published and delivered while something is done to Redis, judged by what was delivered; its second half
 * goes to a few accounts only. In the end Redis has all of it as finished, and a second life of the group is given nothing.
 */
async function play(
  { name, messages, connect }: { readonly name: string; readonly messages: number; readonly connect: () => Redis },
  disturb: (played: Played) => Promise<void>,
): Promise<readonly TandemEvent[]> {
  const real = await realClusters()
  const files = new LedgerFiles()
  const topic = await createTopic(real, name)
  const clusters = clustersOf(real)
  const told: TandemEvent[] = []
  const options = { clusters, topic, groupId: 'balances', effects: files.effects }
  const { consumer, close } = await subscribe(options, (event) => told.push(event), connect())
  const publishAll = async (): Promise<void> => {
    const count = messages / 2
    const load = { clusters, topic, acknowledgements: files.acknowledgements, count, ratePerSecond: 800 }
    await publish({ ...load, first: 1, accounts: ACCOUNTS })
    await publish({ ...load, first: 1 + count, accounts: ACCOUNTS / 10 })
  }
  await Promise.all([publishAll(), disturb({ consumer, told })])
  await until('all is delivered', () => consumer.status().delivered >= messages)
  await close()

  const redis = connect()
  const flushed = await flushedPositions(redis, topic)
  redis.disconnect()
  const unflushed = (await readEffects(files.effects)).filter((effect) => !flushed(effect))
  expect(unflushed.length, 'delivered, and not finished in Redis').to.equal(0)
  const again = await subscribe(options, undefined, connect())
  await sleep(2_000)
  expect(again.consumer.status().delivered).to.equal(0)
  await again.close()

  const { lost, duplicated, outOfOrder, delivered } = await files.judge(messages)
  expect({ lost, duplicated, outOfOrder, delivered }).to.deep.equal({
    lost: 0,
    duplicated: 0,
    outOfOrder: 0,
    delivered: messages,
  })
  files.remove()
  return told
}
