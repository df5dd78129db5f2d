import { expect } from 'chai'

import { NO_LEASE, type LeaseRecord } from './core/lease.js'
import type { ConsumerOptions } from './options.js'
import { inKeyOrder } from './operators/in-key-order.js'
import { Bench, settled } from './world.test.js'

const L = 10_000
/** 0.98 L − 200 ms. */
const TRUST = 9_600
const BEAT = 2_000

const at = (partition: number) => ({ groupId: 'g', topic: 't', partition })

function started(options: Partial<ConsumerOptions> = {}): Promise<Bench> {
  return new Bench(options).start()
}

function lease(bench: Bench, partition: number): Promise<LeaseRecord> {
  return bench.store.look(at(partition))
}

describe('leases of a consumer', () => {
  it('are taken without waiting where nobody was, and renewed', async () => {
    const bench = await started()
    expect(bench.count('lease-acquired')).to.equal(2)
    const { token } = await lease(bench, 0)
    await bench.bring(0, 1)
    expect(bench.deliveries[0]!.fence).to.equal(token)
    await bench.clock.pass(60_000)
    expect(await lease(bench, 0)).to.include({ owner: 'owner', token, beat: 30 })
    expect([bench.count('lease-lapsed'), bench.count('lease-lost')]).to.deep.equal([0, 0])
    expect(bench.consumer.status()).to.include({ instance: 'owner', instances: 1 })
  })

  it('are released when it closes, and it leaves the group', async () => {
    const bench = await started()
    await bench.consumer.close()
    await bench.clock.pass(0)
    expect(await lease(bench, 0)).to.include({ owner: '', keptFor: '' })
    expect((await bench.store.meet('g', { instance: 'x', member: undefined, gone: [] })).size).to.equal(0)
    expect(bench.clock.timers).to.equal(0)
  })

  it('of another are watched, and taken when they have stood still for L', async () => {
    const bench = new Bench()
    await bench.store.acquire(at(0), { owner: 'other', greatestSeen: 0, seen: NO_LEASE })
    await bench.start()
    expect(bench.consumer.status().partitions.map(({ partition }) => partition)).to.deep.equal([1])
    expect(bench.consumer.health().ready).to.equal(true)
    await bench.clock.pass(L - 20)
    expect((await lease(bench, 0)).owner).to.equal('other')
    await bench.clock.pass(BEAT)
    expect((await lease(bench, 0)).owner).to.equal('owner')
    await bench.bring(0, 1)
    expect(bench.out).to.equal('1')
  })

  it('of another are not looked at while it says that it holds them, and taken when it is not heard from', async () => {
    const bench = new Bench()
    await bench.store.acquire(at(0), { owner: 'other', greatestSeen: 0, seen: NO_LEASE })
    const { token } = await lease(bench, 0)
    const looks: number[] = []
    const look = bench.store.look.bind(bench.store)
    bench.store.look = (id) => {
      if (id.partition === 0) looks.push(bench.clock.now())
      return look(id)
    }
    const said = { reads: ['east', 'west'], topics: ['t'], holds: ['t/0'], token, host: 'there' }
    const show = async (beat: number): Promise<void> => {
      await bench.store.meet('g', { instance: 'other', member: { ...said, beat }, gone: [] })
      await bench.store.renew(at(0), { owner: 'other', token, beat })
    }
    await show(1)
    await bench.start()
    for (let beat = 2; beat <= 20; beat++) {
      await show(beat)
      await bench.clock.pass(BEAT)
    }
    expect(looks, 'once, to know it').to.have.length(1)
    await bench.clock.pass(L)
    expect((await lease(bench, 0)).owner).to.equal('other')
    await bench.clock.pass(2 * BEAT)
    expect((await lease(bench, 0)).owner).to.equal('owner')
    expect((await lease(bench, 0)).token).to.be.greaterThan(token)
  })

  it('are said to be held for as long as they are renewed, with the greatest token', async () => {
    const bench = await started()
    const said = async () => (await bench.store.meet('g', { instance: 'x', member: undefined, gone: [] })).get('owner')
    await bench.clock.pass(BEAT)
    const tokens = [(await lease(bench, 0)).token, (await lease(bench, 1)).token]
    expect(await said()).to.deep.include({ holds: ['t/0', 't/1'], token: Math.max(...tokens) })
    const renew = bench.store.renew.bind(bench.store)
    bench.store.renew = (id, renewal) => (id.partition === 0 ? Promise.reject(new Error('away')) : renew(id, renewal))
    await bench.clock.pass(TRUST + BEAT)
    expect(await said()).to.deep.include({ holds: ['t/1'], token: tokens[1] })
  })

  it('are taken under a token above all that others say they have', async () => {
    const bench = new Bench()
    const member = { beat: 1, reads: ['east', 'west'], topics: ['t'], holds: [], token: 2 ** 52, host: 'there' }
    await bench.store.meet('g', { instance: 'other', member, gone: [] })
    await bench.start()
    await bench.clock.pass(L + 2 * BEAT)
    expect((await lease(bench, 0)).token).to.equal(2 ** 52 + 1)
  })

  it('that are lost end what was handed out, and are taken again when nobody renews them', async () => {
    const bench = await started()
    await bench.bring(0, 1, 2)
    const [finished, open] = bench.deliveries
    finished!.ack()
    await bench.clock.pass(200)
    await bench.takeOver(0)
    await bench.clock.pass(BEAT)
    expect(bench.count('lease-lost')).to.equal(1)
    expect([open!.signal.aborted, bench.consumer.status().unacknowledged]).to.deep.equal([true, 0])
    await bench.clock.pass(L + BEAT)
    await bench.bring(0, 1, 2)
    expect(bench.out).to.equal('1 2 2')
    expect(bench.deliveries[2]!.fence).to.be.greaterThan(open!.fence)
    open!.ack()
    expect(bench.consumer.status().unacknowledged).to.equal(1)
  })

  describe('while the store is away', () => {
    it('are trusted for 0.98 L − 200 ms; then nothing begins, and all is kept', async () => {
      const bench = await started()
      bench.store.away = true
      await bench.clock.pass(TRUST - 100)
      await bench.bring(0, 1, 3)
      expect(bench.out).to.equal('1 2 3')
      const [first, second, third] = bench.deliveries
      await bench.clock.pass(100)
      expect([first!.signal.aborted, bench.count('lease-lapsed')]).to.deep.equal([true, 2])
      await bench.bring(0, 4)
      third!.nack()
      second!.nack()
      await bench.clock.pass(60_000)
      expect(bench.out).to.equal('1 2 3')
      first!.ack()
      expect(bench.consumer.health().degraded).to.include('leases lapsed, of which nothing is delivered: 2')
      bench.store.away = false
      await bench.clock.pass(BEAT)
      expect(bench.out, 'what was given back comes again, in order and before what is new').to.equal('1 2 3 2r 3r 4')
      expect([bench.count('lease-regained'), bench.count('lease-lost')]).to.deep.equal([2, 0])
      expect(second!.signal.aborted).to.equal(false)
      expect(second!.fence).to.equal((await lease(bench, 0)).token)
      second!.ack()
      expect(bench.consumer.status().unacknowledged).to.equal(2)
      expect(bench.count('delivery-failed'), 'to give back is not to fail').to.equal(0)
    })

    it('let delivery go on without them, if told so', async () => {
      const bench = await started({ whenStoreAway: 'continue' })
      bench.store.away = true
      await bench.clock.pass(60_000)
      await bench.bring(0, 1)
      expect([bench.out, bench.count('lease-lapsed')]).to.deep.equal(['1', 0])
    })

    it('bring again what was refused, once it is time', async () => {
      const bench = await started()
      await bench.bring(0, 1, 2)
      bench.store.away = true
      bench.deliveries[0]!.nack(undefined, { delayMs: 15_000 })
      bench.deliveries[1]!.nack(undefined, { delayMs: 60_000 })
      await bench.clock.pass(20_000)
      expect(bench.out).to.equal('1 2')
      bench.store.away = false
      await bench.clock.pass(BEAT)
      expect(bench.out).to.equal('1 2 1r')
      await bench.clock.pass(60_000)
      expect(bench.out).to.equal('1 2 1r 2r')
    })
  })

  describe('of a store that comes back empty', () => {
    it('are stored anew at once while they are trusted', async () => {
      const bench = await started()
      const { token } = await lease(bench, 0)
      await bench.bring(0, 1)
      bench.deliveries[0]!.ack()
      await bench.clock.pass(200)
      bench.store.clear()
      await bench.clock.pass(BEAT + 200)
      expect(await lease(bench, 0)).to.include({ owner: 'owner', token })
      expect((await bench.stored(0))?.finished.toArray()).to.deep.equal([1, 1])
    })

    it('are stored anew after they lapsed when nobody has taken them for L', async () => {
      const bench = await started()
      await bench.bring(0, 1)
      bench.deliveries[0]!.ack()
      bench.store.away = true
      await bench.clock.pass(60_000)
      bench.store.clear()
      bench.store.away = false
      await bench.clock.pass(L - BEAT)
      expect(await lease(bench, 0)).to.deep.equal(NO_LEASE)
      await bench.clock.pass(3 * BEAT + 200)
      expect((await lease(bench, 0)).owner).to.equal('owner')
      expect([bench.count('lease-regained'), bench.count('lease-lost')]).to.deep.equal([2, 0])
      await bench.bring(0, 1, 2)
      expect(bench.out).to.equal('1 2')
    })

    it('are lost after they lapsed when somebody new has taken them', async () => {
      const bench = await started()
      bench.store.away = true
      await bench.clock.pass(60_000)
      bench.store.clear()
      bench.store.away = false
      await bench.takeOver(0)
      await bench.clock.pass(BEAT)
      expect(bench.count('lease-lost')).to.equal(1)
    })
  })

  describe('of a process that stood still', () => {
    it('are not trusted when it wakes, before any timer has told it', async () => {
      const bench = await started()
      await bench.bring(0, 1)
      bench.clock.stop(TRUST)
      bench.feeds[0]!.bring(0, 2)
      expect(bench.out).to.equal('1')
      expect(bench.deliveries[0]!.signal.aborted).to.equal(true)
      await bench.clock.pass(BEAT)
      expect(bench.out).to.equal('1 2')
    })

    it('are not trusted when only the clock of the machine shows it', async () => {
      const bench = await started()
      bench.clock.wallBy = TRUST
      bench.feeds[0]!.bring(0, 1)
      expect(bench.out).to.equal('')
      await bench.clock.pass(BEAT)
      expect(bench.out).to.equal('1')
    })

    it('let no handler begin, and let it begin in order when they are regained', async () => {
      const bench = new Bench()
      const handled: string[] = []
      let finish = (): void => undefined
      const handler = (delivery: { bytes: Buffer | null }): Promise<void> => {
        handled.push(delivery.bytes!.toString())
        return new Promise((resolve) => (finish = resolve))
      }
      await bench.start(inKeyOrder(handler, { concurrency: 1 }))
      for (const feed of bench.feeds) feed.keyOf = () => Buffer.from('k')
      await bench.bring(0, 1, 3)
      bench.clock.stop(TRUST)
      finish()
      await settled()
      expect(handled, 'the handler of 1 ended').to.deep.equal(['1'])
      for (const expected of [
        ['1', '2'],
        ['1', '2', '3'],
      ]) {
        await bench.clock.pass(BEAT)
        expect(handled).to.deep.equal(expected)
        finish()
      }
      await bench.clock.pass(BEAT)
      expect(bench.out).to.equal('1 2r 3r')
    })
  })

  describe('that another one asks for', () => {
    /** An instance that holds nothing, and asks. */
    async function ask(bench: Bench, forMs: number, partition = 1): Promise<void> {
      const { owner, token } = await lease(bench, partition)
      await bench.store.want(at(partition), { owner, token, by: 'you' })
      for (let beat = 1; beat <= forMs / BEAT; beat++) {
        const member = { beat, reads: ['east', 'west'], host: 'there' }
        await bench.store.meet('g', { instance: 'you', member, gone: [] })
        await bench.clock.pass(BEAT)
      }
    }

    it('are drained, stored and kept for it', async () => {
      const bench = await started()
      await bench.bring(1, 1)
      await ask(bench, 2 * BEAT)
      expect(bench.consumer.status().partitions.map(({ lease }) => lease)).to.deep.equal(['held', 'draining'])
      await bench.bring(1, 2)
      await bench.bring(0, 1)
      expect(bench.out, 'nothing more of it').to.equal('1 1')
      bench.deliveries[0]!.ack()
      await bench.clock.pass(100)
      expect(await lease(bench, 1)).to.include({ owner: '', keptFor: 'you' })
      expect(bench.count('lease-released')).to.equal(1)
      await bench.clock.pass(3 * BEAT)
      expect((await lease(bench, 1)).owner, 'three heartbeats later it is for anybody').to.equal('')
      await bench.clock.pass(2 * L)
      expect((await lease(bench, 1)).owner, 'who asked is dead').to.equal('owner')
    })

    it('are given up in bounded time, whatever handlers do', async () => {
      const bench = await started({ closeTimeoutMs: 3_000 })
      await bench.bring(1, 1)
      await ask(bench, 2 * BEAT)
      await bench.clock.pass(3_000)
      expect(bench.deliveries[0]!.signal.aborted).to.equal(true)
      expect((await lease(bench, 1)).keptFor).to.equal('you')
      expect(bench.consumer.status().unacknowledged).to.equal(0)
    })

    it('are kept for as long as the store cannot be told what was finished', async () => {
      const bench = await started({ closeTimeoutMs: 3_000 })
      await bench.bring(1, 1, 2)
      await ask(bench, 2 * BEAT)
      bench.store.away = true
      bench.deliveries[0]!.ack()
      await bench.clock.pass(L)
      expect(bench.consumer.status().partitions.map(({ lease }) => lease)).to.deep.equal(['lapsed', 'draining'])
      bench.store.away = false
      await bench.clock.pass(BEAT)
      expect(await lease(bench, 1)).to.include({ owner: '', keptFor: 'you' })
      expect((await bench.stored(1))?.finished.toArray()).to.deep.equal([1, 1])
      expect(bench.out).to.equal('1 2')
    })

    it('are kept if that one has as many', async () => {
      const bench = new Bench()
      await bench.store.acquire(at(0), { owner: 'you', greatestSeen: 0, seen: NO_LEASE })
      await bench.start()
      await ask(bench, 2 * BEAT)
      expect((await lease(bench, 1)).owner).to.equal('owner')
    })
  })

  describe('of a group whose other instance reads another topic', () => {
    /** It is alive, and reads both clusters. */
    async function meet(bench: Bench, topics: readonly string[], forMs: number): Promise<void> {
      for (let beat = 1; beat <= forMs / BEAT; beat++) {
        const member = { beat, reads: ['east', 'west'], topics, host: 'there' }
        await bench.store.meet('g', { instance: 'you', member, gone: [] })
        if (bench.subscription === undefined) await bench.start()
        await bench.clock.pass(BEAT)
      }
    }

    it('are all taken at once, and kept, though that one reads more clusters', async () => {
      const bench = new Bench()
      bench.clusters.west.up = false
      await meet(bench, ['other'], 3 * L)
      expect(bench.count('lease-acquired')).to.equal(2)
      expect([bench.count('share-withheld'), bench.count('lease-released')]).to.deep.equal([0, 0])
      expect(bench.consumer.status()).to.include({ instances: 2 })
    })

    it('are given up when it reads this one, too', async () => {
      const bench = new Bench()
      bench.clusters.west.up = false
      await meet(bench, ['other', 't'], 3 * L)
      expect(bench.told.filter(({ kind }) => kind === 'share-withheld')).to.have.length(1)
      expect(bench.told.find(({ kind }) => kind === 'share-withheld')).to.include({ topic: 't', reads: 1, by: 'you' })
      expect(bench.consumer.status().partitions).to.deep.equal([])
    })

    it('are told of to the others', async () => {
      const bench = await started()
      const members = await bench.store.meet('g', { instance: 'you', member: undefined, gone: [] })
      expect(members.get('owner')).to.deep.include({ topics: ['t'] })
    })
  })

  it('of one that has more are asked for again, if the store would not hear it', async () => {
    const bench = new Bench()
    const owner = 'you'
    const tokens: number[] = []
    for (const partition of [0, 1]) {
      await bench.store.acquire(at(partition), { owner, greatestSeen: 0, seen: NO_LEASE })
      tokens.push((await lease(bench, partition)).token)
    }
    let asked = 0
    bench.store.want = () => {
      asked++
      throw new Error('away')
    }
    await bench.start()
    for (let beat = 1; beat <= 20; beat++) {
      await bench.store.meet('g', {
        instance: owner,
        member: { beat, reads: ['east', 'west'], host: 'there' },
        gone: [],
      })
      for (const [partition, token] of tokens.entries()) await bench.store.renew(at(partition), { owner, token, beat })
      await bench.clock.pass(BEAT)
    }
    expect(asked).to.equal(2)
    expect(bench.failure).to.equal(undefined)
  })

  it('that cannot be begun, since their position cannot be read, are given back', async () => {
    const bench = new Bench({ connectTimeoutMs: 3_000 })
    const token = 7
    const fields = new Map([['f:east', Uint8Array.of(0xc1)]])
    const flush = { owner: 'x', token, number: 1, confirmed: 0, bornMs: 1, whole: true, fields, finished: [] }
    await bench.store.flush(at(0), flush)
    await bench.store.release(at(0), { owner: 'x', token, keptFor: '' })
    await bench.start()
    await bench.clock.pass(10_000)
    expect(bench.count('store-away')).to.equal(1)
    expect((await lease(bench, 0)).owner).to.equal('')
  })
})
