import { CodecFailedError, type TandemFact } from '@tandem/common/internal'
import { expect } from 'chai'
import { filter, NEVER, Subject, take } from 'rxjs'

import { DELIVERY_HOST, type DeliveryHost } from '../delivery-host.js'
import type { Delivery } from '../delivery.js'
import { Bench, ManualClock, settled } from '../world.test.js'
import { inKeyOrder, type InKeyOrderOptions } from './in-key-order.js'

/** Calls of the handler, each of which ends when the test says so. */
class Calls {
  readonly #open = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>()
  readonly said: string[] = []

  readonly handler = (delivery: Delivery<Buffer>): Promise<void> => {
    const name = String(delivery.value)
    this.said.push(name)
    return new Promise((resolve, reject) => this.#open.set(name, { resolve, reject }))
  }

  async end(name: string, error?: unknown): Promise<void> {
    const call = this.#open.get(name)!
    this.#open.delete(name)
    if (error === undefined) call.resolve()
    else call.reject(error)
    await settled()
  }
}

/** Messages 1, 2, 3 … of a consumer, the odd ones of key a, the even ones of key b. */
async function start(
  options: InKeyOrderOptions = {},
  consumer: ConstructorParameters<typeof Bench>[0] = {},
): Promise<{ bench: Bench; calls: Calls }> {
  const bench = new Bench(consumer)
  const calls = new Calls()
  await bench.start((deliveries$) => deliveries$.pipe(inKeyOrder(calls.handler, options)))
  for (const feed of bench.feeds) feed.keyOf = (counter) => Buffer.from(counter % 2 === 1 ? 'a' : 'b')
  return { bench, calls }
}

const refused = (code: string): Error => Object.assign(new Error(`refused: ${code}`), { code })

describe('inKeyOrder', () => {
  it('handles keys at the same time and each in order, acknowledges what resolves, and passes it on', async () => {
    const { bench, calls } = await start()
    await bench.bring(0, 1, 4)
    expect(calls.said).to.deep.equal(['1', '2'])
    await calls.end('2')
    expect(calls.said).to.deep.equal(['1', '2', '4'])
    expect(bench.out).to.equal('2')
    expect(bench.consumer.status().unacknowledged).to.equal(3)
    await calls.end('1')
    await calls.end('3')
    await calls.end('4')
    expect(bench.out).to.equal('2 1 3 4')
    expect(bench.consumer.status().unacknowledged).to.equal(0)
  })

  it('lets nothing of a key pass while it waits to be tried again, by the time of the consumer', async () => {
    const { bench, calls } = await start()
    await bench.bring(0, 1, 4)
    await calls.end('1', refused('ECONNREFUSED'))
    await bench.clock.pass(99)
    expect(calls.said).to.deep.equal(['1', '2'])
    await bench.clock.pass(1)
    expect(calls.said).to.deep.equal(['1', '2', '1'])
    await calls.end('1')
    expect(calls.said.at(-1)).to.equal('3')
  })

  it('takes an error that is thrown, and anything else that is rejected with', async () => {
    const bench = new Bench()
    let calls = 0
    const handler = (): unknown => {
      calls++
      if (calls === 1) throw new Error('at once')
      return calls === 2 ? Promise.reject(undefined) : 'done'
    }
    await bench.start((deliveries$) => deliveries$.pipe(inKeyOrder(handler)))
    await bench.bring(0, 1)
    await bench.clock.pass(1_000)
    expect(bench.out).to.equal('1')
    expect(calls).to.equal(3)
    const failed = bench.told.filter(({ kind }) => kind === 'delivery-failed')
    expect(failed.map((event) => (event as { reason: string }).reason)).to.deep.equal(['Error', 'undefined'])
  })

  it('publishes a dead letter after as many attempts, and acknowledges and goes on only when it is kept', async () => {
    const letters: string[] = []
    let keep = (): void => undefined
    const deadLetter: InKeyOrderOptions['deadLetter'] = ({ bytes }, { error, attempts, groupId }) => {
      letters.push(`${String(bytes)} ${(error as Error).message} ${attempts} ${groupId}`)
      return new Promise<void>((resolve) => (keep = resolve))
    }
    const { bench, calls } = await start({ deadLetter, retry: { attempts: 2 } })
    await bench.bring(0, 1, 3)
    await calls.end('2')
    await calls.end('1', refused('23505'))
    await bench.clock.pass(100)
    await calls.end('1', refused('23505'))
    await bench.clock.pass(3_600_000)
    expect(letters).to.deep.equal(['1 refused: 23505 2 g'])
    expect(calls.said).to.deep.equal(['1', '2', '1'])
    expect(bench.consumer.status().unacknowledged).to.equal(2)
    keep()
    await settled()
    expect(calls.said.at(-1)).to.equal('3')
    expect(bench.consumer.status().unacknowledged).to.equal(1)
    expect(bench.count('dead-letter-published')).to.equal(0)
    await bench.clock.pass(1)
    expect(bench.count('dead-letter-published')).to.equal(1)
  })

  it('tries again to publish a dead letter, says so, and does not handle the message meanwhile', async () => {
    let attempts = 0
    const deadLetter = (): Promise<void> =>
      ++attempts < 3 ? Promise.reject(refused('TANDEM_SHED')) : Promise.resolve()
    const { bench, calls } = await start({ deadLetter, classify: () => 'permanent' })
    await bench.bring(0, 1)
    await calls.end('1', new Error('never'))
    await bench.clock.pass(1_000)
    expect(attempts).to.equal(3)
    expect(calls.said).to.deep.equal(['1'])
    expect(bench.out).to.equal('1')
    const [failed] = bench.told.filter(({ kind }) => kind === 'dead-letter-failed')
    expect(failed).to.deep.include({ topic: 't', reason: 'TANDEM_SHED', count: 1 })
  })

  it('never makes a dead letter of a transient error; meanwhile the window fills and nothing more is read', async () => {
    const deadLetter = (): Promise<void> => Promise.reject(new Error('must not be called'))
    const options = { deadLetter, classify: () => 'transient' as const, retry: { attempts: 1 } }
    const { bench, calls } = await start(options, { unacknowledgedMax: 4 })
    await bench.bring(0, 1, 10)
    for (let attempt = 0; attempt < 20; attempt++) {
      await calls.end('1', refused('ECONNREFUSED'))
      await bench.clock.pass(10_000)
    }
    expect(bench.count('dead-letter-failed')).to.equal(0)
    expect(new Set(calls.said)).to.deep.equal(new Set(['1', '2']))
    expect(bench.consumer.status().unacknowledged).to.equal(4)
    expect(bench.consumer.health().degraded).to.contain('the window is full and nothing is acknowledged')
    const failed = bench.told.filter(({ kind }) => kind === 'delivery-failed')
    expect(failed[0]).to.deep.include({ topic: 't', verdict: 'transient', reason: 'ECONNREFUSED', count: 1 })
  })

  it('tells that a key stands if there are no dead letters, with what names the message', async () => {
    const { bench, calls } = await start({ retry: { attempts: 1 } })
    await bench.bring(0, 1)
    await calls.end('1', refused('23505'))
    await bench.clock.pass(100)
    const told = bench.told.filter(({ kind }) => kind === 'key-stalled')
    expect(told).to.have.length(1)
    expect(told[0]).to.deep.include({
      topic: 't',
      partition: 0,
      cluster: 'east',
      offset: 0,
      attempts: 1,
      reason: 'Error: refused: 23505',
    })
  })

  it('takes a value that cannot be decoded for a permanent error, and a classifier that throws for one without opinion', async () => {
    const letters: string[] = []
    const deadLetter = ({ bytes }: Delivery): Promise<void> => Promise.resolve(void letters.push(String(bytes)))
    const classify = (): never => {
      throw new Error('a bug of its own')
    }
    const { bench, calls } = await start({ deadLetter, classify })
    await bench.bring(0, 1, 2)
    await calls.end('1', new CodecFailedError('no JSON'))
    expect(letters).to.deep.equal(['1'])
    await calls.end('2', new Error('odd'))
    await bench.clock.pass(100)
    expect(calls.said).to.deep.equal(['1', '2', '2'])
  })

  it('needs no ack() and no nack() of a handler, and is not confused by them', async () => {
    const bench = new Bench()
    let calls = 0
    const handler = (delivery: Delivery<Buffer>): void => {
      calls++
      if (String(delivery.value) === '1') return delivery.ack()
      delivery.nack()
      if (calls < 5) throw new Error('refused in both ways')
    }
    await bench.start((deliveries$) => deliveries$.pipe(inKeyOrder(handler, { retry: { delayMs: 5_000 } })))
    await bench.bring(0, 1, 2)
    await bench.clock.pass(60_000)
    expect(calls, 'each attempt 5 s or more after the one before').to.equal(5)
    expect(bench.out).to.equal('1 2r')
    expect(bench.consumer.status().unacknowledged).to.equal(0)
  })

  it('gives what comes again its place in the order of arrival', async () => {
    const bench = new Bench()
    const calls = new Calls()
    const refuse = (delivery: Delivery<Buffer>): boolean => {
      const again = String(delivery.value) === '3' && !delivery.redelivered
      if (again) delivery.nack()
      return !again
    }
    await bench.start((deliveries$) => deliveries$.pipe(filter(refuse), inKeyOrder(calls.handler)))
    for (const feed of bench.feeds) feed.keyOf = () => Buffer.from('a')
    await bench.bring(0, 1, 4)
    await bench.clock.pass(1_000)
    for (const name of ['1', '2', '4', '3']) await calls.end(name)
    expect(bench.out).to.equal('1 2 4 3r')
  })

  describe('closing', () => {
    it('lets handlers at work finish, begins nothing new, and does not wait for what was not begun', async () => {
      const { bench, calls } = await start()
      await bench.bring(0, 1, 6)
      await calls.end('2', refused('ECONNREFUSED'))
      void bench.consumer.close()
      await bench.clock.pass(5_000)
      expect(calls.said).to.deep.equal(['1', '2'])
      expect(bench.completed).to.equal(false)
      await calls.end('1')
      await bench.clock.pass(50)
      expect(bench.completed).to.equal(true)
      expect(bench.out).to.equal('1')
      expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 1])
      expect(bench.clock.timers).to.equal(0)
    })

    it('does the same when nobody is subscribed any more', async () => {
      const { bench, calls } = await start()
      await bench.bring(0, 1, 4)
      bench.subscription!.unsubscribe()
      await calls.end('1')
      await calls.end('2', new Error('too late'))
      await bench.clock.pass(100)
      expect(calls.said).to.deep.equal(['1', '2'])
      expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 1])
      expect(bench.clock.timers).to.equal(0)
    })

    it('finishes what is at work when downstream has enough', async () => {
      const bench = new Bench()
      const calls = new Calls()
      await bench.start((deliveries$) => deliveries$.pipe(inKeyOrder(calls.handler), take(1)))
      await bench.bring(0, 1, 2)
      await calls.end('2')
      expect(bench.completed).to.equal(true)
      await calls.end('1')
      await bench.clock.pass(100)
      expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 2])
    })
  })

  describe('with deliveries of the test', () => {
    /** A delivery of a partition that can be lost. */
    function delivery(name: string, signal: AbortSignal, host?: Partial<DeliveryHost>): Delivery<Buffer> {
      const acknowledged = { ack: () => undefined, nack: () => undefined }
      const made = { topic: 't', key: Buffer.from(name[0]!), value: Buffer.from(name), signal, ...acknowledged }
      return (host === undefined ? made : { ...made, [DELIVERY_HOST]: host }) as unknown as Delivery<Buffer>
    }

    it('starts nothing of a partition that was lost, and hears no more of what was at work', async () => {
      const source$ = new Subject<Delivery<Buffer>>()
      const calls = new Calls()
      const partition = new AbortController()
      const clock = new ManualClock()
      const told: string[] = []
      const host: Partial<DeliveryHost> = {
        clock,
        closing: new AbortController().signal,
        count: ({ kind }: { kind: TandemFact['kind'] }) => void told.push(kind),
      }
      source$.pipe(inKeyOrder(calls.handler, { concurrency: 1 })).subscribe()
      for (const name of ['a1', 'a2', 'b1']) source$.next(delivery(name, partition.signal, host))
      partition.abort()
      source$.next(delivery('a3', new AbortController().signal, host))
      await calls.end('a1', new Error('the effect was refused for its fence'))
      expect(calls.said).to.deep.equal(['a1', 'a3'])
      expect(told).to.deep.equal([])
    })

    it('works without a consumer, and completes when its source has and all is handled', async () => {
      const source$ = new Subject<Delivery<Buffer>>()
      const calls = new Calls()
      let completed = false
      source$.pipe(inKeyOrder(calls.handler)).subscribe({ complete: () => (completed = true) })
      source$.next(delivery('a1', new AbortController().signal))
      source$.complete()
      expect(completed).to.equal(false)
      await calls.end('a1')
      expect(completed).to.equal(true)
    })

    it('passes an error of its source on at once', async () => {
      const source$ = new Subject<Delivery<Buffer>>()
      const calls = new Calls()
      let failure: unknown
      source$.pipe(inKeyOrder(calls.handler)).subscribe({ error: (error: unknown) => (failure = error) })
      source$.next(delivery('a1', new AbortController().signal))
      source$.next(delivery('a2', new AbortController().signal))
      source$.error(new Error('of the source'))
      expect(failure).to.have.property('message', 'of the source')
      await calls.end('a1')
      expect(calls.said).to.deep.equal(['a1'])
    })
  })

  it('refuses options that it does not know', () => {
    for (const [options, path] of [
      [{ concurrency: 0 }, 'inKeyOrder.concurrency'],
      [{ retry: { attempts: 0 } }, 'inKeyOrder.retry.attempts'],
      [{ retry: { backoff: 5 } }, 'inKeyOrder.retry.backoff'],
      [{ deadLetter: 'entries.dlq' }, 'inKeyOrder.deadLetter'],
      [{ parallel: 5 }, 'inKeyOrder.parallel'],
    ] as const) {
      expect(() => inKeyOrder(() => NEVER, options as never), path).to.throw(path)
    }
    expect(() => inKeyOrder(undefined as never))
      .to.throw('inKeyOrder.handler')
      .with.property('code', 'TANDEM_OPTIONS_INVALID')
  })
})
