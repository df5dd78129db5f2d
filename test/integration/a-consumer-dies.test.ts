import { expect } from 'chai'
import { Redis } from 'ioredis'
import { setTimeout as sleep } from 'node:timers/promises'

import { flushedPositions, readEffects } from './flushed-positions.js'
import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { linesOf, Program, until } from './program.js'
import { publish } from './publisher.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'

/** I1 and I2 on real clusters: what was acknowledged and flushed does not come again, everything else does. */
describe('no loss when a consumer is killed with SIGKILL', function () {
  this.timeout(120_000)

  it('and again only what was not flushed', async () => {
    const real = await realClusters()
    const files = new LedgerFiles()
    const topic = await createTopic(real, 'consumer-killed')
    const clusters = clustersOf(real)
    const options = { clusters, topic, groupId: 'balances', effects: files.effects, redisUrl: real.redis.url }
    const first = new Program('subscriber', options)
    const load = { clusters, topic, acknowledgements: files.acknowledgements, first: 1, count: 10_000 }
    const published = publish({ ...load, ratePerSecond: 1_000, accounts: ACCOUNTS })
    await until('the subscriber is at work', () => linesOf(files.effects) > 2_000)
    await first.kill()
    const effectsBefore = await readEffects(files.effects)
    const redis = new Redis(real.redis.url)
    const flushed = await flushedPositions(redis, topic)
    redis.disconnect()

    const second = new Program('subscriber', options)
    await published
    await until('all is delivered', () => linesOf(files.effects) >= 10_000)
    await sleep(2_000)
    await second.end()

    const { lost, outOfOrder, delivered } = await files.judge(10_000)
    expect({ lost, outOfOrder, delivered }).to.deep.equal({ lost: 0, outOfOrder: 0, delivered: 10_000 })
    const effectsAfter = (await readEffects(files.effects)).slice(effectsBefore.length)
    const again = effectsAfter.filter((effect) => flushed(effect))
    expect(again, 'what was flushed came again').to.deep.equal([])
    const twice = new Set(effectsBefore.map(({ number }) => number))
    const unflushed = effectsBefore.filter((effect) => !flushed(effect)).length
    const repeated = effectsAfter.filter(({ number }) => twice.has(number)).length
    expect(repeated, 'only what was not flushed comes again').to.equal(unflushed)
    files.remove()
  })
})
