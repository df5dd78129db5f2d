import { expect } from 'chai'
import { isTandemError } from '@tandem/common/internal'
import { freePort } from './free-ports.js'
import { redisCommand } from './redis-command.js'
import { RedisServer } from './redis-server.js'

describe('RedisServer', function () {
  this.timeout(20_000)

  it('is Redis, at its url', async () => {
    await using redis = await RedisServer.start()
    expect(redis.url).to.equal(`redis://127.0.0.1:${redis.port}`)
    expect(await command(redis, 'SET name value')).to.equal('+OK')
    expect(await command(redis, 'CONFIG GET maxmemory-policy')).to.include('noeviction')
  })

  it('listens on the port that it is told, with the arguments that it is told', async () => {
    const port = await freePort()
    await using redis = await RedisServer.start({ port, args: ['--appendfsync', 'always'] })
    expect(redis.port).to.equal(port)
    expect(await command(redis, 'CONFIG GET appendfsync')).to.include('always')
  })

  it('may want a password', async () => {
    await using redis = await RedisServer.start({ args: ['--requirepass', 'secret'] })
    expect(await command(redis, 'GET name')).to.match(/^-NOAUTH/)
  })

  it('keeps over kill and restart what it answered, unless told to come back empty', async () => {
    await using redis = await RedisServer.start()
    await command(redis, 'SET name value')
    await redis.kill()
    expect(redis.state).to.equal('killed')
    await redis.restart()
    expect(await command(redis, 'GET name')).to.include('value')
    await redis.restart({ empty: true })
    expect(await command(redis, 'GET name')).to.equal('$-1')
  })

  it('falls back to what it had when it was told to keep a copy', async () => {
    await using redis = await RedisServer.start()
    await command(redis, 'SET name old')
    await redis.dump()
    for (const value of ['new', 'newer']) {
      await command(redis, `SET name ${value}`)
      await redis.restart({ from: 'dump' })
      expect(await command(redis, 'GET name')).to.include('old')
    }
  })

  it('answers nothing while it hangs, and all of it when it is resumed', async () => {
    await using redis = await RedisServer.start()
    await redis.hang()
    const answer = command(redis, 'PING')
    expect(await Promise.race([answer, silence()])).to.equal('silence')
    await redis.resume()
    expect(await answer).to.equal('+PONG')
  })

  it('shows the end of the log when it does not start', async () => {
    const error = await failure(RedisServer.start({ args: ['--appendfsync', 'sometimes'] }))
    expect(isTandemError(error, 'TANDEM_SERVICE_FAILED'), String(error)).to.equal(true)
    expect(error.message)
      .to.match(/did not start: ended with exit status 1/)
      .and.to.include('appendfsync')
  })

  it('does not take another server at its port for itself', async () => {
    await using redis = await RedisServer.start()
    const error = await failure(RedisServer.start({ port: redis.port }))
    expect(isTandemError(error, 'TANDEM_SERVICE_FAILED'), String(error)).to.equal(true)
    expect(error.message).to.match(/in use/)
  })

  it('names the command that installs Redis when there is none', async () => {
    const { PATH } = process.env
    process.env.PATH = '/var/empty'
    try {
      const error = await failure(RedisServer.start())
      expect(isTandemError(error, 'TANDEM_SERVICE_MISSING'), String(error)).to.equal(true)
      expect(error.message).to.include('apt-get install redis-server')
    } finally {
      process.env.PATH = PATH
    }
  })

  it('refuses options that it does not have', async () => {
    for (const options of [{ port: 0 }, { port: '6379' }, { ports: 1 }, { args: 'none' }]) {
      const error = await failure(RedisServer.start(options as object))
      expect(isTandemError(error, 'TANDEM_OPTIONS_INVALID'), JSON.stringify(options)).to.equal(true)
    }
  })
})

function command(redis: RedisServer, text: string): Promise<string> {
  return redisCommand(redis.port, text)
}

/** Long against the fraction of a millisecond that an answer takes. */
function silence(): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('silence'), 300))
}

function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error('nothing was wrong'),
    (error: unknown) => error as Error,
  )
}
