import { expect } from 'chai'
import type { Redis } from 'ioredis'

import type { Flush } from './high-water-store.js'
import { RedisHighWaterStore } from './redis-high-water-store.js'

/** What ioredis does with a command while Redis is away or hangs: keeps it, and answers when it can. */
class HangingRedis {
  readonly answers: ((code: number) => void)[] = []

  defineCommand(): void {}

  on(): void {}

  tandemFlush(): Promise<number> {
    return new Promise((resolve) => this.answers.push(resolve))
  }
}

const PARTITION = { groupId: 'g', topic: 't', partition: 0 }

function flush(number: number): Flush {
  return { owner: 'x', token: 1, number, confirmed: 0, bornMs: 0, whole: false, fields: new Map(), finished: [] }
}

async function codeOf(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    (value) => value,
    (error: { code: string }) => error.code,
  )
}

describe('redis high-water store', () => {
  it('leaves one call of a kind and a partition at most with a connection that does not answer', async () => {
    const redis = new HangingRedis()
    const store = new RedisHighWaterStore(redis as unknown as Redis, { timeoutMs: 1 })
    for (let number = 1; number <= 10; number++) {
      expect(await codeOf(store.flush(PARTITION, flush(number)))).to.equal('TANDEM_HIGH_WATER_STORE_FAILED')
    }
    expect(redis.answers).to.have.length(1)

    const other = store.flush({ ...PARTITION, partition: 1 }, flush(1))
    redis.answers[1]!(1)
    expect(await other).to.equal('flushed')

    redis.answers[0]!(1)
    await Promise.resolve()
    const next = store.flush(PARTITION, flush(11))
    redis.answers[2]!(1)
    expect(await next).to.equal('flushed')
  })

  it('refuses a time that is none', () => {
    for (const timeoutMs of [NaN, 0, Infinity, '2']) {
      expect(
        () => new RedisHighWaterStore(new HangingRedis() as unknown as Redis, { timeoutMs: timeoutMs as number }),
      ).to.throw('redisHighWaterStore.timeoutMs')
    }
  })
})
