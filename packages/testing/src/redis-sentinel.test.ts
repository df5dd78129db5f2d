import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { redisCommand } from './redis-command.js'
import { RedisSentinel } from './redis-sentinel.js'

describe('RedisSentinel', function () {
  this.timeout(30_000)

  it('makes the replica the master when the master is killed, with what it has of it', async () => {
    await using redis = await RedisSentinel.start()
    const [master, replica] = redis.servers
    expect(await redis.master()).to.equal(master)
    await redisCommand(master!.port, 'SET before value')
    await redisCommand(master!.port, 'WAIT 1 5000')
    await redis.holdReplication()
    await redisCommand(master!.port, 'SET after value')
    await master!.kill()
    await replica!.resume()
    const deadline = performance.now() + 20_000
    while ((await redis.master()) !== replica || (await redisCommand(replica.port, 'SET name value')) !== '+OK') {
      expect(performance.now()).to.be.below(deadline)
      await sleep(50)
    }
    expect(await redisCommand(replica.port, 'GET before')).to.include('value')
    expect(await redisCommand(replica.port, 'GET after')).to.equal('$-1')
  })
})
