import type { Delivery, Flush, Holding } from '@tandem/consumer'
import { Balances, BALANCES_TABLES, type Transfer } from '@tandem/examples/exactly-once/balances'
import { book, type Booking } from '@tandem/examples/exactly-once/book'
import { createTables, inTransaction, openPool } from '@tandem/examples/exactly-once/database'
import { PostgresHighWaterStore } from '@tandem/examples/exactly-once/postgres-high-water-store'
import { POSITION_TABLES } from '@tandem/examples/exactly-once/tables'
import { PostgresServer } from '@tandem/testing'
import { expect } from 'chai'
import type { Pool, PoolClient } from 'pg'

/** Who may book what, when: transactions of holders and steps of the store, on a real PostgreSQL. */
describe('a booking is written under the lease of its holder, and once', function () {
  this.timeout(30_000)

  let server: PostgresServer
  let pool: Pool
  let store: PostgresHighWaterStore
  let at = { groupId: 'balances', topic: 'transfers', partition: 0 }

  before(async () => {
    server = await PostgresServer.start()
    pool = openPool({ connectionString: server.url })
    await createTables(pool, POSITION_TABLES, BALANCES_TABLES)
    store = new PostgresHighWaterStore({ connectionString: server.url }, { timeoutMs: 10_000 })
  })

  beforeEach(async () => {
    at = { ...at, partition: at.partition + 1 }
    await pool.query('truncate balances, bookings')
  })

  after(async () => {
    await Promise.all([store.close(), pool.end()])
    await server.stop()
  })

  async function take(owner: string): Promise<Holding> {
    const acquired = await store.acquire(at, { owner, greatestSeen: 0, seen: await store.look(at) })
    if (acquired.kind === 'held') throw new Error('nobody else takes it')
    return acquired.holding
  }

  const id = { keyRange: 5, producerId: 'ledger', epoch: 1_764_000_000_000, incarnation: 2 ** 32 - 1 }

  function deliveryOf(counter: number, fence: number): Booking {
    const { keyRange, ...sequence } = id
    return { topic: at.topic, partition: at.partition, keyRange, position: { ...sequence, counter }, fence }
  }

  function bookIn(client: PoolClient, counter: number, fence: number): Promise<boolean> {
    return book(client, at.groupId, deliveryOf(counter, fence))
  }

  function bookAlone(counter: number, fence: number): Promise<boolean> {
    return inTransaction(pool, (client) => bookIn(client, counter, fence))
  }

  const run = (first: number, last: number) => ({ ...id, first, last })

  const flushOf = (token: number, number: number, finished: Flush['finished']): Flush => {
    const fields = new Map([['f:east', Buffer.from('at')]])
    return { owner: 'x', token, number, confirmed: number - 1, bornMs: 1, whole: false, fields, finished }
  }

  /** Until the database says that some statement waits for a lock. */
  async function untilSomebodyWaits(): Promise<void> {
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock'`
    while ((await pool.query(waiting)).rows.length === 0);
  }

  it('what was committed, and no flush knows of, is told to the next holder', async () => {
    const { token, booked } = await take('x')
    expect(booked).to.deep.equal([])
    expect(await bookAlone(1, token)).to.equal(true)
    expect(await bookAlone(3, token)).to.equal(true)
    expect((await take('y')).booked).to.deep.equal([run(1, 1), run(3, 3)])
  })

  it('what was rolled back is not', async () => {
    const { token } = await take('x')
    const failed = inTransaction(pool, async (client) => {
      await bookIn(client, 1, token)
      throw new Error('the effect failed')
    })
    expect(await failed.catch((error: Error) => error.message)).to.equal('the effect failed')
    expect((await take('y')).booked).to.deep.equal([])
  })

  it('whoever takes the partition waits for a booking that is under way, and is told of it', async () => {
    const { token } = await take('x')
    let taking: Promise<Holding> | undefined
    await inTransaction(pool, async (client) => {
      await bookIn(client, 1, token)
      taking = take('y')
      await untilSomebodyWaits()
    })
    expect((await taking!).booked).to.deep.equal([run(1, 1)])
  })

  it('a booking waits for whoever is taking the partition, and is refused', async () => {
    const { token } = await take('x')
    let late: Promise<unknown> | undefined
    await inTransaction(pool, async (client) => {
      // What acquire does, and the moment before it commits.
      await client.query('update tandem_positions set token = token + 1 where partition = $1', [at.partition])
      late = bookAlone(1, token).catch((error: unknown) => error)
      await untilSomebodyWaits()
    })
    expect(await late).to.have.property('code', 'TANDEM_LEASE_LOST')
    expect((await take('y')).booked).to.deep.equal([])
  })

  it('a holder renews and flushes while it books', async () => {
    const { token } = await take('x')
    await inTransaction(pool, async (client) => {
      await bookIn(client, 1, token)
      expect(await store.renew(at, { owner: 'x', token, beat: 1 })).to.have.property('kind', 'renewed')
      expect(await store.flush(at, flushOf(token, 1, []))).to.equal('flushed')
      expect(await store.look(at)).to.include({ beat: 1, number: 1 })
    })
  })

  it('one that lost the partition books nothing, and is told so', async () => {
    const { token } = await take('x')
    const { token: next } = await take('y')
    const failure = await bookAlone(1, token).catch((error: unknown) => error)
    expect(failure).to.have.property('code', 'TANDEM_LEASE_LOST')
    expect(failure).to.have.deep.property('details', { ...pick(at), fence: token, token: next })
    expect((await take('z')).booked).to.deep.equal([])
  })

  it('one that the database does not know yet books nothing either, and may try again', async () => {
    for (const known of [false, true]) {
      const token = known ? (await take('x')).token : 0
      const failure = await bookAlone(1, token + 5).catch((error: unknown) => error)
      expect(failure).to.include({ code: 'TANDEM_HIGH_WATER_STORE_FAILED', retriable: true })
    }
    const whole = { ...flushOf((await take('x')).token + 5, 1, []), whole: true }
    expect(await store.flush(at, whole)).to.equal('flushed')
    expect(await bookAlone(1, whole.token)).to.equal(true)
  })

  it('a second attempt on what was committed books nothing', async () => {
    const { token } = await take('x')
    const balances = new Balances(pool, at.groupId)
    const value: Transfer = { number: 7, from: 1, to: 2, amount: 30 }
    const delivery = { ...deliveryOf(1, token), value } as Delivery<Transfer>
    await balances.book(delivery)
    await balances.book(delivery)
    const both = [balances.book(delivery), balances.book({ ...delivery, ...deliveryOf(2, token) })]
    await Promise.all(both)
    const { rows } = await pool.query('select account, balance::int from balances order by account')
    expect(rows).to.deep.equal([
      { account: 1, balance: -60 },
      { account: 2, balance: 60 },
    ])
  })

  it('a flush takes with it what it says is finished, and nothing else', async () => {
    const { token } = await take('x')
    for (const counter of [1, 2, 3, 5, 6]) await bookAlone(counter, token)
    const other = { ...id, epoch: id.epoch + 1, first: 1, last: 9 }
    await store.flush(at, flushOf(token, 1, [run(1, 2), run(5, 5), other]))
    expect(await store.flush(at, flushOf(token, 1, [run(1, 9)])), 'again, under the same number').to.equal('flushed')
    const { token: next, booked } = await take('y')
    expect(booked).to.deep.equal([run(3, 3), run(6, 6)])
    expect(await store.flush(at, flushOf(token, 2, [run(1, 9)]))).to.equal('fenced')
    expect((await take('z')).booked).to.have.length(2)
    expect(next).to.be.greaterThan(token)
  })

  it('a process that stands still in the middle of one does not keep its partition for ever', async () => {
    const impatient = openPool({ connectionString: server.url, idle_in_transaction_session_timeout: 200 })
    const { token } = await take('x')
    let taken: Holding | undefined
    const failure = await inTransaction(impatient, async (client) => {
      await bookIn(client, 1, token)
      taken = await take('y')
      await client.query('select 1')
    }).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(Error)
    expect(taken!.booked).to.deep.equal([])
    await impatient.end()
  })
})

function pick({ topic, partition }: { topic: string; partition: number }): { topic: string; partition: number } {
  return { topic, partition }
}
