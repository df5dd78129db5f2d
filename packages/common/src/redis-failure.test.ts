import { expect } from 'chai'

import { redisFailureOf } from './redis-failure.js'

/** As Redis 7.0 and ioredis 6 have them. */
const PERMANENT = [
  'WRONGPASS invalid username-password pair or user is disabled.',
  'NOAUTH Authentication required.',
  "NOPERM this user has no permissions to run the 'eval' command",
  "ERR The user executing the script can't run this command or subcommand script: a32970, on @user_script:1.",
  'WRONGTYPE Operation against a key holding the wrong kind of value',
  "ERR unknown command 'EVALSHA'",
  'ERR invalid password',
]
const TRANSIENT = [
  'LOADING Redis is loading the dataset in memory',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  "READONLY You can't write against a read only replica. script: a32970, on @user_script:1.",
  'TRYAGAIN Multiple keys request during rehashing of slot',
  'CLUSTERDOWN The cluster is down',
  "OOM command not allowed when used memory > 'maxmemory'.",
  'connect ECONNREFUSED 127.0.0.1:6379',
  'Connection is closed.',
  'no answer within 2000 ms',
  'a user called NOAUTH',
]

describe('failure of Redis', () => {
  for (const message of PERMANENT) {
    it(`is not mended by waiting: ${message}`, () => {
      expect(redisFailureOf(new Error(message))).to.include({ reason: message, permanent: true })
    })
  }

  for (const message of TRANSIENT) {
    it(`is waited for: ${message}`, () => {
      expect(redisFailureOf(new Error(message))).to.include({ reason: message, permanent: false })
    })
  }

  it('is told without what was sent', () => {
    const error = new Error("ERR unknown command 'AUTH', with args beginning with: 'secret' ")
    const failure = redisFailureOf(Object.assign(error, { command: { name: 'auth', args: ['secret'] } }))
    expect(failure).to.include({ reason: "ERR unknown command 'AUTH'", permanent: true })
    expect(JSON.stringify({ ...(failure.cause as Error) }) + (failure.cause as Error).stack).not.to.include('secret')
  })

  it('of a cluster is what its last node said', () => {
    const lastNodeError = new Error('WRONGPASS no')
    const error = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError })
    expect(redisFailureOf(error)).to.include({ reason: 'WRONGPASS no', permanent: true })
  })

  it('may be anything', () => {
    for (const thrown of [undefined, null, 'away', 7, Object.create(null), { message: 'WRONGPASS' }]) {
      expect(redisFailureOf(thrown)).to.include({ permanent: false })
    }
  })
})
