import { HighWaterStoreFailedError, HighWaterStoreUnusableError } from '@tandem/common/internal'
import { expect } from 'chai'
import { bufferCount } from 'rxjs'

import type { Delivery } from './delivery.js'
import { MemoryHighWaterStore } from './high-water/memory-high-water-store.js'
import { decodePosition } from './high-water/position-codec.js'
import type { DeliveryFailure } from './operators/dead-letter.js'
import { Bench, FailingStore } from './world.test.js'

describe('consumer', () => {
  it('stores what is acknowledged while closing waits for the rest', async () => {
    const bench = await new Bench().start()
    await bench.bring(0, 1, 2)
    void bench.consumer.close()
    bench.deliveries[1]!.ack()
    await bench.clock.pass(500)
    expect(bench.completed, 'it still waits for 1').to.equal(false)
    expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([2, 2])
  })

  it('stores that delivery went past a hole, though nothing came of it', async () => {
    const bench = await new Bench({ gapTimeoutMs: 5_000 }).start()
    await bench.bring(0, 1)
    bench.deliveries[0]!.ack()
    bench.feeds[0]!.bring(0, 2, 2, 'void')
    await bench.clock.pass(6_000)
    expect(bench.count('debt-opened')).to.equal(1)
    expect((await bench.stored(0))?.frontier).to.equal(2)
  })

  it('does not deliver what a store has as booked, and stores it', async () => {
    const bench = new Bench()
    bench.store.booked = [{ keyRange: 0, producerId: 'p', epoch: 1, incarnation: 1, first: 2, last: 3 }]
    await bench.start()
    await bench.bring(0, 1, 4)
    expect(bench.out).to.equal('1 4')
    for (const delivery of bench.deliveries) delivery.ack()
    await bench.clock.pass(500)
    const id = { keyRange: 0, producerId: 'p', epoch: 1, incarnation: 1 }
    expect(bench.store.flushed.flat(), 'it need not be kept as booked').to.deep.include({ ...id, first: 1, last: 4 })
    expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 4])
  })

  it('takes no partition of which it is not known what is booked', async () => {
    const bench = new Bench({ connectTimeoutMs: 5_000 })
    bench.store.booked = [{ keyRange: 0, producerId: 'p', epoch: 1, incarnation: 1, first: '2' as never, last: 2 }]
    await bench.start()
    await bench.clock.pass(10_000)
    expect(bench.failure).to.have.property('code', 'TANDEM_HIGH_WATER_STORE_UNUSABLE')
    expect([...bench.store.held]).to.deep.equal([])
  })

  describe('start', () => {
    it('tells when libuv has few threads', async () => {
      for (const [threads, told] of [
        [9, 1],
        [10, 0],
      ] as const) {
        const bench = await new Bench({}, threads).start()
        expect(bench.count('threads-scarce')).to.equal(told)
      }
    })

    it('asks a store that is away again, for as long as a start may take', async () => {
      const bench = new Bench({ connectTimeoutMs: 5_000 })
      bench.store.away = true
      await bench.start()
      await bench.clock.pass(4_000)
      bench.store.away = false
      await bench.clock.pass(500)
      expect(bench.failure).to.equal(undefined)
      expect([bench.count('store-away'), bench.count('store-returned')]).to.deep.equal([1, 1])
      await bench.bring(0, 1)
      expect(bench.out).to.equal('1')
    })

    for (const [how, fail] of [
      ['fails with whatever', (store: FailingStore) => (store.away = true)],
      ['never answers', (store: FailingStore) => store.hush()],
    ] as const) {
      it(`ends in time, with a code, if the store ${how}`, async () => {
        const bench = new Bench({ connectTimeoutMs: 5_000 })
        fail(bench.store)
        await bench.start()
        await bench.clock.pass(30_000)
        expect(bench.failure).to.have.property('code', 'TANDEM_HIGH_WATER_STORE_FAILED')
        expect(bench.clock.timers).to.equal(0)
      })
    }

    for (const call of ['acquire', 'meet'] as const) {
      it(`waits for a store that can only be read (${call}), and ends with a code if it stays so`, async () => {
        const bench = new Bench({ connectTimeoutMs: 5_000 })
        const whole = bench.store[call].bind(bench.store)
        const broken = async (): Promise<never> => raise(new HighWaterStoreFailedError('READONLY'))
        Object.assign(bench.store, { [call]: broken })
        await bench.start()
        await bench.clock.pass(2_000)
        Object.assign(bench.store, { [call]: whole })
        await bench.clock.pass(500)
        await bench.bring(0, 1)
        expect(bench.out).to.equal('1')

        const other = new Bench({ connectTimeoutMs: 5_000 })
        Object.assign(other.store, { [call]: broken })
        await other.start()
        await other.clock.pass(4_000)
        expect(other.failure).to.equal(undefined)
        await other.clock.pass(1_000)
        expect(other.failure).to.include({ code: 'TANDEM_HIGH_WATER_STORE_FAILED', message: 'READONLY' })
      })
    }

    it('ends at once, with what the store said, if no time mends that', async () => {
      for (const call of ['look', 'acquire', 'meet'] as const) {
        const bench = new Bench({ connectTimeoutMs: 600_000 })
        Object.assign(bench.store, { [call]: async () => raise(new HighWaterStoreUnusableError('WRONGPASS')) })
        await bench.start()
        await bench.clock.pass(1_000)
        expect(bench.failure, call).to.include({ code: 'TANDEM_HIGH_WATER_STORE_UNUSABLE', message: 'WRONGPASS' })
      }
    })

    it('says why the store does not answer, also when the last call has no answer at all', async () => {
      const bench = new Bench({ connectTimeoutMs: 5_000 })
      bench.store.away = true
      await bench.start()
      await bench.clock.pass(1_000)
      bench.store.look = () => new Promise(() => undefined)
      await bench.clock.pass(30_000)
      expect(bench.failure).to.have.property('code', 'TANDEM_HIGH_WATER_STORE_FAILED')
      expect((bench.failure as Error).message).to.match(/: away$/)
    })

    it('that is closed gives back what the store grants, before it is closed and after', async () => {
      for (const answeredAfterMs of [1_000, 60_000]) {
        const bench = new Bench({ connectTimeoutMs: 600_000, closeTimeoutMs: 3_000 })
        bench.store.hushWhenTaken()
        await bench.start()
        let closed = false
        void bench.consumer.close().then(() => (closed = true))
        await bench.clock.pass(answeredAfterMs)
        expect(closed).to.equal(answeredAfterMs > 10_000)
        bench.store.speak()
        await bench.clock.pass(100)
        expect(closed).to.equal(true)
        expect(bench.store.taken).to.equal(2)
        expect([...bench.store.held]).to.deep.equal([])
      }
    })
  })

  describe('a cluster that comes later', () => {
    it('and lacks a topic stays out, told once, until it has it', async () => {
      const bench = new Bench()
      Object.assign(bench.clusters.west, { up: false, partitions: 0 })
      await bench.start()
      await bench.clock.pass(5_000)
      bench.clusters.west.up = true
      await bench.clock.pass(60_000)
      expect(bench.failure).to.equal(undefined)
      expect([bench.count('cluster-mismatched'), bench.count('cluster-connected')]).to.deep.equal([1, 1])
      expect(bench.consumer.health().degraded).to.deep.equal(['feed west is away'])
      bench.clusters.west.partitions = 3
      await bench.clock.pass(60_000)
      expect(bench.count('cluster-mismatched'), 'another reason').to.equal(2)
      bench.clusters.west.partitions = 2
      await bench.clock.pass(6_000)
      expect(bench.count('cluster-connected')).to.equal(2)
      bench.feeds.at(-1)!.bring(0, 1)
      await bench.clock.pass(100)
      expect(bench.out).to.equal('1')
    })

    it('that lacks a topic ends a start that it is part of', async () => {
      const bench = new Bench()
      bench.clusters.west.partitions = 0
      await bench.start()
      await bench.clock.pass(100)
      expect(bench.failure).to.have.property('code', 'TANDEM_TOPIC_MISSING')
      expect(bench.clock.timers).to.equal(0)
    })
  })

  describe('acknowledgements', () => {
    it('does not hand out again what was acknowledged after it was refused', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1)
      bench.deliveries[0]!.nack(new Error('busy'))
      bench.deliveries[0]!.ack()
      await bench.clock.pass(5_000)
      expect(bench.out).to.equal('1')
      expect(bench.consumer.status()).to.include({ unacknowledged: 0, delivered: 1 })
    })

    it('hands out once again what was refused twice, and after the default delay if the one given is none', async () => {
      for (const delayMs of [NaN, -1, Infinity, '5', null, undefined] as number[]) {
        const bench = await new Bench().start()
        await bench.bring(0, 1)
        bench.deliveries[0]!.nack(undefined, { delayMs })
        bench.deliveries[0]!.nack(undefined, { delayMs: 0 })
        await bench.clock.pass(999)
        expect(bench.out).to.equal('1')
        await bench.clock.pass(1)
        expect(bench.out).to.equal('1 1r')
        bench.deliveries[1]!.nack(undefined, null as never)
        await bench.clock.pass(1_000)
        expect(bench.out).to.equal('1 1r 1r')
      }
    })

    it('counts once what is acknowledged twice, and nothing of what is refused after that', async () => {
      const bench = await new Bench({ unacknowledgedMax: 2 }).start()
      await bench.bring(0, 1, 5)
      const [first] = bench.deliveries
      first!.ack()
      first!.ack()
      first!.nack(new Error('no'), { delayMs: 0 })
      await bench.clock.pass(5_000)
      expect(bench.out, 'one place of the window, not two').to.equal('1 2 3')
      expect(bench.consumer.status()).to.include({ unacknowledged: 2, delivered: 3 })
      expect([bench.count('delivery-failed'), bench.count('acknowledgement-ignored')]).to.deep.equal([0, 0])
      expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 1])
    })

    it('changes nothing by what is acknowledged after its lease was lost, says so, and delivers it again', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1, 3)
      await bench.takeOver(0)
      await bench.clock.pass(2_000)
      const ofLost = [...bench.deliveries]
      for (const delivery of ofLost) delivery.ack()
      ofLost[0]!.nack()
      await bench.clock.pass(1_000)
      const ignored = bench.told.flatMap((event) => (event.kind === 'acknowledgement-ignored' ? [event] : []))
      expect(ignored.every(({ topic }) => topic === 't')).to.equal(true)
      expect(ignored.reduce((sum, { count }) => sum + count, 0)).to.equal(3)
      await bench.clock.pass(15_000)
      await bench.bring(0, 4)
      expect(bench.out, 'by this instance, which has taken it again').to.equal('1 2 3 1 2 3 4')
      for (const delivery of ofLost) delivery.ack()
      expect(bench.consumer.status().unacknowledged).to.equal(4)
      expect((await bench.stored(0))?.finished.toArray() ?? []).to.deep.equal([])
    })

    it('frees the window of a partition that was lost, whatever handlers do with what they have of it', async () => {
      const bench = await new Bench({ unacknowledgedMax: 3 }).start()
      await bench.bring(0, 1, 3)
      const [kept, refused, acknowledged] = bench.deliveries
      refused!.nack(undefined, { delayMs: 60_000 })
      await bench.takeOver(0)
      await bench.clock.pass(500)
      expect(kept!.signal.aborted).to.equal(true)
      expect(bench.consumer.status().unacknowledged).to.equal(0)
      acknowledged!.ack()
      expect(bench.consumer.status().unacknowledged).to.equal(0)
      await bench.bring(1, 1, 3)
      expect(bench.out).to.equal('1 2 3 1 2 3')
    })
  })

  for (const broken of ['pause', 'poll', 'queryEnd', 'record'] as const) {
    it(`ends deliveries$ with a code when something throws (${broken}), stores what is well, and loses nothing`, async () => {
      const bench = await new Bench({ heldMessagesMax: 1 }).start()
      await bench.bring(1, 1)
      await bench.bring(0, 1, 2)
      for (const feed of bench.feeds) feed.broken = broken
      bench.feeds[0]!.bring(0, 4)
      await bench.clock.pass(1_000)
      expect(bench.consumer.health().live).to.equal(false)
      for (const delivery of bench.deliveries) delivery.ack()
      await bench.clock.pass(20_000)
      expect(bench.failure).to.have.property('code', 'TANDEM_INVARIANT')
      expect(bench.failure).to.have.property('cause').with.property('message')
      expect(bench.clock.timers).to.equal(0)
      expect((await bench.stored(1))?.finished.toArray(), 'a partition that is well').to.deep.equal([1, 1])
      const wellKnown = broken === 'poll'
      expect((await bench.stored(0))?.finished.toArray() ?? []).to.deep.equal(wellKnown ? [1, 2] : [])
      expect(bench.deliveries.map(({ signal }) => signal.aborted)).to.deep.equal([true, true, true])
    })
  }

  it('says so when a codec does not answer, which holds up everything, and can be closed', async () => {
    let answer = (): void => undefined
    const decode = (bytes: Buffer): unknown =>
      String(bytes) === '2' ? new Promise<void>((resolve) => (answer = resolve)) : bytes
    const codec = { name: 'slow', encode: () => Buffer.alloc(0), decode }
    const bench = await new Bench({ topics: { t: { codec } } }).start()
    await bench.bring(0, 1, 3)
    await bench.bring(1, 1)
    await bench.clock.pass(9_900)
    expect(bench.count('codec-stalled')).to.equal(0)
    await bench.clock.pass(30_000)
    expect(bench.out).to.equal('1')
    expect(bench.count('codec-stalled')).to.equal(1)
    expect(bench.consumer.health().degraded).to.deep.equal(['the codec of t does not answer'])
    answer()
    await bench.clock.pass(100)
    expect(bench.out).to.equal('1 2 3 1')
    expect(bench.consumer.health().degraded).to.deep.equal([])
    await bench.bring(1, 2)
    for (const delivery of bench.deliveries) delivery.ack()
    void bench.consumer.close()
    await bench.clock.pass(100)
    expect(bench.completed).to.equal(true)
  })

  it('does not take a feed that is only silent for away, at the lowest limit and with answers that take their time', async () => {
    const bench = await new Bench({ feedAwayAfterMs: 1_000 }).start()
    for (const feed of bench.feeds) feed.answersAfterMs = 300
    await bench.clock.pass(60_000)
    expect(bench.count('feed-away')).to.equal(0)
    for (const feed of bench.feeds) feed.answersAfterMs = Infinity
    await bench.clock.pass(2_000)
    expect(bench.count('feed-away')).to.equal(4)
  })

  it('takes an answer of the store that there is none of for a failure of the store', async () => {
    const bench = await new Bench().start()
    bench.store.flush = () => Promise.resolve('done' as never)
    await bench.bring(0, 1)
    await bench.clock.pass(1_000)
    expect(bench.count('store-away')).to.equal(1)
  })

  it('tells once of what is not acknowledged in time, and leaves it with its handler', async () => {
    const bench = await new Bench({ ackTimeoutMs: 20_000 }).start()
    await bench.bring(0, 1, 3)
    await bench.bring(1, 1)
    bench.deliveries[1]!.ack()
    await bench.clock.pass(19_000)
    expect(bench.count('acknowledgement-overdue')).to.equal(0)
    await bench.clock.pass(3_600_000)
    expect(bench.count('acknowledgement-overdue'), 'one for each partition').to.equal(2)
    expect(bench.count('window-stalled')).to.equal(0)
    expect(bench.out).to.equal('1 2 3 1')
    expect(bench.consumer.health().degraded).to.deep.equal(['acknowledgements are overdue: 3'])
    bench.deliveries[0]!.ack()
    bench.deliveries[2]!.nack(undefined, { delayMs: 3_600_000 })
    bench.deliveries[3]!.ack()
    expect(bench.consumer.health().degraded).to.deep.equal([])
  })

  it('counts what is refused, with the kind of the error, and brings it again without end', async () => {
    const bench = await new Bench().start()
    await bench.bring(0, 1)
    for (let time = 1; time <= 100; time++) {
      bench.deliveries.at(-1)!.nack(Object.assign(new Error('no'), { code: '40001' }), { delayMs: 10 })
      bench.deliveries.at(-1)!.nack()
      await bench.clock.pass(10)
    }
    await bench.clock.pass(1_000)
    expect(bench.deliveries).to.have.length(101)
    const counted = bench.told.filter((event) => event.kind === 'delivery-failed')
    expect(new Set(counted.map(({ verdict, reason }) => `${verdict} ${reason}`))).to.deep.equal(
      new Set(['refused 40001']),
    )
    expect(counted.reduce((sum, { count }) => sum + count, 0)).to.equal(100)
    expect(counted.length).to.be.below(10)
  })

  describe('what is refused without end', () => {
    it('counts its attempts, is told of once, and stays in health() until it is acknowledged', async () => {
      const bench = await new Bench().start()
      await bench.bring(1, 1)
      const [delivery] = bench.deliveries
      const attempts: number[] = []
      for (let time = 1; time <= 100; time++) {
        attempts.push(delivery!.attempt)
        expect(delivery!.redelivered).to.equal(time > 1)
        delivery!.nack(new Error('no'))
        await bench.clock.pass(1_000)
        if (time === 9) expect(bench.consumer.health().degraded).to.deep.equal([])
      }
      expect(attempts).to.deep.equal(Array.from({ length: 100 }, (_, index) => index + 1))
      expect(bench.told.filter(({ kind }) => kind === 'delivery-stalled')).to.deep.equal([
        {
          ...bench.told.find(({ kind }) => kind === 'delivery-stalled')!,
          topic: 't',
          partition: 1,
          offset: 0,
          count: 1,
        },
      ])
      expect(bench.consumer.health().degraded).to.deep.equal(['deliveries are refused again and again: 1'])
      delivery!.ack()
      expect(bench.consumer.health().degraded).to.deep.equal([])
    })

    it('takes one place of the window, and stops nothing else: all that follows is finished', async () => {
      const bench = await new Bench({ unacknowledgedMax: 2 }).start()
      await bench.bring(0, 1)
      const [refused] = bench.deliveries
      for (let next = 2; next <= 300; next++) {
        refused!.nack(new Error('no'), { delayMs: 0 })
        await bench.bring(0, next)
        bench.deliveries.findLast((delivery) => delivery !== refused)!.ack()
        await bench.clock.pass(100)
      }
      expect(bench.consumer.status()).to.include({ unacknowledged: 1, held: 0 })
      expect([refused!.attempt, bench.count('delivery-stalled'), bench.count('window-stalled')]).to.deep.equal([
        300, 1, 0,
      ])
      const stored = await bench.stored(0)
      expect([stored!.frontier, stored!.finished.toArray()]).to.deep.equal([0, [2, 300]])
    })

    it('by the thousand is told of once for each partition', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1, 1_000)
      await bench.bring(1, 1, 10)
      for (let time = 1; time <= 20; time++) {
        for (const delivery of bench.deliveries.slice(0, 1_010)) delivery.nack(undefined, { delayMs: 500 })
        await bench.clock.pass(500)
      }
      const told = bench.told.flatMap((event) => (event.kind === 'delivery-stalled' ? [event] : []))
      expect(told.map(({ partition, offset, count }) => [partition, offset, count])).to.deep.equal([
        [0, 0, 1_000],
        [1, 0, 10],
      ])
      expect(bench.consumer.health().degraded).to.deep.equal(['deliveries are refused again and again: 1010'])
      await bench.takeOver(0)
      await bench.clock.pass(2_000)
      expect(bench.consumer.health().degraded).to.deep.equal(['deliveries are refused again and again: 10'])
    })
  })

  it('names an operator that waits for more than the window lets out', async () => {
    const bench = new Bench({ unacknowledgedMax: 3, ackTimeoutMs: 20_000 })
    const gathered: number[] = []
    bench.consumer.events$.subscribe(({ kind }) => bench.events.push(kind))
    bench.consumer.deliveries$.pipe(bufferCount(4)).subscribe(({ length }) => gathered.push(length))
    await bench.clock.pass(10)
    await bench.bring(0, 1, 5)
    await bench.clock.pass(21_000)
    expect(gathered).to.deep.equal([])
    expect(bench.count('window-stalled')).to.equal(1)
    expect(bench.consumer.health().degraded).to.contain('the window is full and nothing is acknowledged')
  })

  it('does not take a full window for stalled as long as something is acknowledged', async () => {
    const bench = await new Bench({ unacknowledgedMax: 2, ackTimeoutMs: 20_000 }).start()
    await bench.bring(0, 1, 10)
    for (let next = 0; next < 8; next++) {
      await bench.clock.pass(15_000)
      bench.deliveries[next]!.ack()
    }
    expect(bench.count('window-stalled')).to.equal(0)
  })

  describe('records without a stamp', () => {
    const texts = (bench: Bench): string[] =>
      bench.deliveries.map(({ bytes, stamped }) => `${String(bytes)}${stamped ? '' : '?'}`)

    it('are told of and passed over', async () => {
      const bench = await new Bench().start()
      bench.feeds[0]!.bringForeign(0, 'a')
      bench.feeds[0]!.bringForeign(0, 'b', 'nonsense')
      await bench.bring(0, 1)
      expect(texts(bench)).to.deep.equal(['1'])
      expect([bench.count('record-unstamped'), bench.count('stamp-malformed')]).to.deep.equal([1, 1])
    })

    it('of one cluster are delivered in the order of its log, between those with one; of the other they are told of', async () => {
      const bench = await new Bench({ unstamped: { deliver: 'east' } }).start()
      const [east, west] = bench.feeds
      east!.bringForeign(0, 'a')
      await bench.bring(0, 1)
      east!.bringForeign(0, 'b')
      east!.bringForeign(0, 'c', 'nonsense')
      west!.bringForeign(0, 'd')
      await bench.clock.pass(10)
      expect(texts(bench)).to.deep.equal(['a?', '1', 'b?'])
      expect(bench.deliveries[0]!.position).to.deep.equal({ producerId: ':east', epoch: 0, incarnation: 0, counter: 1 })
      expect([bench.count('record-unstamped'), bench.count('stamp-malformed')]).to.deep.equal([1, 1])
      expect(bench.consumer.status()).to.include({ delivered: 3, late: 0, held: 0 })
    })

    it('come again after a crash if they were not acknowledged, and only then', async () => {
      const bench = await new Bench({ unstamped: { deliver: 'east' } }).start()
      for (const text of ['a', 'b', 'c']) bench.feeds[0]!.bringForeign(0, text)
      await bench.bring(0, 1)
      await bench.clock.pass(10)
      expect(texts(bench)).to.deep.equal(['a?', 'b?', 'c?', '1'])
      bench.deliveries[0]!.ack()
      bench.deliveries[2]!.ack()
      bench.deliveries[3]!.ack()
      await bench.clock.pass(500)
      const { fields } = await bench.takeOver(0)
      const { feeds, streams } = decodePosition(fields)
      expect(feeds['east']!.resumeOffset).to.equal(1)
      const stream = streams.find(({ producerId }) => producerId === ':east')!
      expect(stream.sequences[0]!.finished.toArray()).to.deep.equal([1, 1, 3, 3])
      expect(stream.sequences[0]!.frontier).to.equal(1)
    })

    it('go to the dead letters, those with a stamp that cannot be read as well, and are tried again until they are there', async () => {
      const buried: string[] = []
      let fails = 1
      const deadLetter = (delivery: Delivery, failure: DeliveryFailure): Promise<void> => {
        buried.push(`${delivery.from} ${String(delivery.bytes)} ${failure.attempts}`)
        expect(failure.error).to.have.property('code', 'TANDEM_STAMP_MALFORMED')
        return fails-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve()
      }
      const bench = await new Bench({ unstamped: { deadLetter } }).start()
      const [east, west] = bench.feeds
      east!.bringForeign(0, 'a')
      west!.bringForeign(0, 'b', 'nonsense')
      await bench.bring(0, 1)
      await bench.clock.pass(100)
      expect(buried).to.deep.equal(['east a 1', 'west b 1'])
      expect(texts(bench)).to.deep.equal(['1'])
      await bench.clock.pass(2_000)
      expect(buried).to.deep.equal(['east a 1', 'west b 1', 'east a 2'])
      bench.deliveries[0]!.ack()
      await bench.clock.pass(2_000)
      expect(bench.consumer.status()).to.include({ delivered: 1, unacknowledged: 0 })
      expect([bench.count('dead-letter-published') > 0, bench.count('dead-letter-failed')]).to.deep.equal([true, 1])
    })

    it('are not delivered to somebody who throws it away instead', async () => {
      const deadLetter = (): never => {
        throw new Error('at once')
      }
      const bench = await new Bench({ unstamped: { deadLetter } }).start()
      bench.feeds[0]!.bringForeign(0, 'a')
      await bench.clock.pass(500)
      expect([texts(bench), bench.failure]).to.deep.equal([[], undefined])
      expect(bench.consumer.status()).to.include({ delivered: 0, unacknowledged: 1 })
    })
  })

  describe('commits', () => {
    const committed = (bench: Bench, partition = 0): (number | undefined)[] => {
      return [bench.clusters.east, bench.clusters.west].map((cluster) => cluster.committed.get(partition))
    }

    it('follow what is stored, to both clusters', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1, 3)
      bench.deliveries[0]!.ack()
      bench.deliveries[2]!.ack()
      await bench.clock.pass(5_000)
      expect(committed(bench)).to.deep.equal([1, 1])
      bench.deliveries[1]!.ack()
      expect(committed(bench)).to.deep.equal([1, 1])
      await bench.clock.pass(5_000)
      expect(committed(bench)).to.deep.equal([3, 3])
    })

    it('are not ahead of a store that does not answer', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1)
      await bench.clock.pass(5_000)
      bench.store.away = true
      for (const delivery of bench.deliveries) delivery.ack()
      await bench.clock.pass(6_000)
      expect(committed(bench)).to.deep.equal([0, 0])
    })

    it('are made once more when it closes', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1)
      for (const delivery of bench.deliveries) delivery.ack()
      void bench.consumer.close()
      await bench.clock.pass(1_000)
      expect(committed(bench)).to.deep.equal([1, 1])
    })

    it('that fail are told once for each reason, and made again', async () => {
      const bench = new Bench()
      bench.clusters.west.refusesCommits = 'Broker: Group authorization failed'
      await bench.start()
      await bench.bring(0, 1)
      await bench.clock.pass(30_000)
      expect(bench.told.filter(({ kind }) => kind === 'commit-failed')).to.deep.equal([
        {
          kind: 'commit-failed',
          atMs: bench.told.at(-1)!.atMs,
          cluster: 'west',
          reason: 'Broker: Group authorization failed',
        },
      ])
      bench.clusters.west.refusesCommits = undefined
      await bench.clock.pass(5_000)
      expect(committed(bench)).to.deep.equal([0, 0])
    })

    it('are where a group begins that has nothing in the store, a thousand records and some time earlier', async () => {
      const bench = new Bench()
      for (const cluster of [bench.clusters.east, bench.clusters.west]) cluster.committed.set(0, 3)
      await bench.start()
      await bench.bring(0, 1, 4)
      await bench.clock.pass(15_000)
      expect(bench.told.filter(({ kind }) => kind === 'position-recovered').length).to.equal(2)
      expect(bench.out).to.equal('1 2 3 4')
    })

    it('are not asked for with a store that forgets on purpose', async () => {
      const highWater = new MemoryHighWaterStore()
      const bench = new Bench({ highWater })
      for (const cluster of [bench.clusters.east, bench.clusters.west]) cluster.committed.set(0, 2_000)
      await bench.start()
      await bench.bring(0, 1, 2)
      expect(bench.count('position-recovered')).to.equal(0)
      expect(bench.out).to.equal('1 2')
    })

    it('of one cluster make another instance wait for a lease where the store has nothing', async () => {
      const bench = new Bench()
      bench.clusters.west.committed.set(0, 3)
      await bench.start()
      await bench.clock.pass(9_000)
      expect([...bench.store.held]).to.deep.equal([1])
      await bench.clock.pass(6_000)
      expect([...bench.store.held]).to.deep.equal([1, 0])
    })
  })

  describe('a second subscription', () => {
    const errorOf = (bench: Bench): Promise<unknown> =>
      new Promise((resolve) => bench.consumer.deliveries$.subscribe({ error: resolve }))

    it('is refused with a code, and takes nothing from the first one', async () => {
      const bench = await new Bench().start()
      expect(await errorOf(bench)).to.have.property('code', 'TANDEM_ALREADY_SUBSCRIBED')
      expect(await errorOf(bench)).to.have.property('code', 'TANDEM_ALREADY_SUBSCRIBED')
      await bench.bring(0, 1)
      bench.deliveries[0]!.ack()
      await bench.clock.pass(500)
      expect([bench.out, bench.failure, bench.consumer.health().live]).to.deep.equal(['1', undefined, true])
      expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 1])
    })

    it('after the first one, or after close(), is told that the consumer is closed', async () => {
      const bench = await new Bench().start()
      bench.subscription!.unsubscribe()
      expect(await errorOf(bench), 'while it closes').to.have.property('code', 'TANDEM_CLOSED')
      await bench.clock.pass(10_000)
      expect(await errorOf(bench)).to.have.property('code', 'TANDEM_CLOSED')
      const unused = new Bench()
      const closed = unused.consumer.close()
      await unused.clock.pass(10_000)
      await closed
      expect(await errorOf(unused)).to.have.property('code', 'TANDEM_CLOSED')
    })

    it('of late$ is as good as the first, and starts nothing', async () => {
      const bench = new Bench()
      for (let time = 1; time <= 2; time++) bench.consumer.late$.subscribe()
      await bench.clock.pass(1_000)
      expect(bench.feeds.length).to.equal(0)
    })
  })

  describe('to unsubscribe with deliveries in flight', () => {
    it('hands out nothing more, waits for what is in hands, stores it and gives the partitions up', async () => {
      const bench = await new Bench({ unacknowledgedMax: 3 }).start()
      let ended = false
      bench.consumer.events$.subscribe({ complete: () => (ended = true) })
      await bench.bring(0, 1, 5)
      bench.subscription!.unsubscribe()
      await bench.clock.pass(2_000)
      expect([bench.out, ended]).to.deep.equal(['1 2 3', false])
      expect(bench.consumer.health()).to.include({ live: false, ready: false })
      bench.deliveries[0]!.ack()
      bench.deliveries[1]!.nack(new Error('no'))
      bench.deliveries[2]!.ack()
      await bench.clock.pass(100)
      expect([bench.out, ended]).to.deep.equal(['1 2 3', true])
      expect([bench.clock.timers, [...bench.store.held], bench.count('delivery-failed')]).to.deep.equal([0, [], 0])
      expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 1, 3, 3])
    })

    it('does not wait for longer than closeTimeoutMs, and what is acknowledged then comes again', async () => {
      const bench = await new Bench({ closeTimeoutMs: 3_000 }).start()
      await bench.bring(0, 1, 2)
      const [first, second] = bench.deliveries
      first!.ack()
      bench.subscription!.unsubscribe()
      await bench.clock.pass(3_100)
      expect([second!.signal.aborted, bench.clock.timers, [...bench.store.held]]).to.deep.equal([true, 0, []])
      second!.ack()
      second!.nack()
      await bench.clock.pass(60_000)
      expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 1])
    })

    it('before it has started starts nothing', async () => {
      const bench = new Bench()
      bench.consumer.deliveries$.subscribe().unsubscribe()
      await bench.clock.pass(10_000)
      expect([bench.consumer.health().live, bench.clock.timers, [...bench.store.held]]).to.deep.equal([false, 0, []])
    })
  })

  describe('closing', () => {
    it('does not wait for what was refused, since nobody has it, and leaves no timer', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1, 2)
      bench.deliveries[0]!.nack(undefined, { delayMs: 3_600_000 })
      const closed = bench.consumer.close()
      bench.deliveries[1]!.nack()
      await bench.clock.pass(50)
      expect(bench.completed).to.equal(true)
      await closed
      expect(bench.clock.timers).to.equal(0)
      expect(bench.out).to.equal('1 2')
    })

    it('waits for what is in a handler', async () => {
      const bench = await new Bench().start()
      await bench.bring(0, 1)
      void bench.consumer.close()
      await bench.clock.pass(5_000)
      expect(bench.completed).to.equal(false)
      bench.deliveries[0]!.ack()
      await bench.clock.pass(50)
      expect(bench.completed).to.equal(true)
    })
  })

  describe('a store that does not answer', () => {
    it('holds up closing for no longer than that may take', async () => {
      const bench = await new Bench({ closeTimeoutMs: 3_000 }).start()
      await bench.bring(0, 1)
      bench.deliveries[0]!.ack()
      bench.store.hush()
      void bench.consumer.close()
      await bench.clock.pass(3_000)
      expect(bench.completed).to.equal(false)
      await bench.clock.pass(7_000)
      expect(bench.completed).to.equal(true)
      expect(bench.clock.timers).to.equal(0)
    })

    for (const [how, fail] of [
      ['throws before it gives a promise', raise],
      ['rejects with what is no Error', async () => raise('away')],
      ['rejects with nothing', async () => raise(undefined)],
    ] as const) {
      it(`${how}: it is a store that is away, and nothing is lost`, async () => {
        const bench = new Bench({ connectTimeoutMs: 5_000 })
        const calls = ['look', 'acquire', 'flush', 'renew', 'want', 'release', 'meet'] as const
        const whole = Object.fromEntries(calls.map((call) => [call, bench.store[call].bind(bench.store)]))
        const broken = Object.fromEntries(calls.map((call) => [call, fail]))
        Object.assign(bench.store, broken)
        await bench.start()
        await bench.clock.pass(2_000)
        Object.assign(bench.store, whole)
        await bench.clock.pass(2_000)
        await bench.bring(0, 1)
        Object.assign(bench.store, broken)
        bench.deliveries[0]!.ack()
        await bench.clock.pass(5_000)
        expect(bench.consumer.status().store).to.equal('away')
        Object.assign(bench.store, whole)
        await bench.clock.pass(3_000)
        expect(bench.consumer.status().store).to.equal('answering')
        expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 1])
        Object.assign(bench.store, broken)
        void bench.consumer.close()
        await bench.clock.pass(30_000)
        expect([bench.completed, bench.failure]).to.deep.equal([true, undefined])
      })

      it(`${how}, and never does otherwise: the start ends with a code`, async () => {
        const bench = new Bench({ connectTimeoutMs: 5_000 })
        Object.assign(bench.store, { look: fail, meet: fail })
        await bench.start()
        await bench.clock.pass(10_000)
        expect(bench.failure).to.have.property('code', 'TANDEM_HIGH_WATER_STORE_FAILED')
      })
    }

    it('is told of once, and has returned when it has answered for each partition', async () => {
      const bench = await new Bench().start()
      bench.store.failing.add(0).add(1)
      await bench.bring(0, 1)
      bench.deliveries[0]!.ack()
      await bench.clock.pass(1_000)
      expect(bench.count('store-away')).to.equal(1)
      expect(bench.count('store-returned')).to.equal(0)
      expect(bench.consumer.status().store).to.equal('away')
      bench.store.failing.delete(1)
      await bench.bring(1, 1)
      bench.deliveries[1]!.ack()
      await bench.clock.pass(1_000)
      expect(bench.count('store-returned')).to.equal(0)
      bench.store.failing.delete(0)
      await bench.clock.pass(1_000)
      expect(bench.count('store-away')).to.equal(1)
      expect(bench.count('store-returned')).to.equal(1)
    })
  })
})

function raise(thrown: unknown): never {
  throw thrown
}
