import { BALANCES_TABLES } from '@tandem/examples/exactly-once/balances'
import { createTables, openPool } from '@tandem/examples/exactly-once/database'
import { judge } from '@tandem/examples/exactly-once/judge'
import { POSITION_TABLES } from '@tandem/examples/exactly-once/tables'
import { PostgresServer } from '@tandem/testing'
import { expect } from 'chai'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'

import { ACCOUNTS, LedgerFiles } from './ledger-files.js'
import { Program } from './program.js'
import { publish } from './publisher.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'

const MESSAGES = 4_800
const KILLS = 8
const LEASE_MS = 1_000

/**
 * Exactly-once effect on real clusters and a real PostgreSQL: two instances book what a producer sends, and one or the
 * other is killed again and again. Judged by SQL over a table in which nothing keeps a message from being booked twice.
 */
describe('each message is booked once, whenever those who book are killed', function () {
  this.timeout(180_000)

  let postgres: PostgresServer
  let pool: Pool

  before(async () => {
    postgres = await PostgresServer.start()
    pool = openPool({ connectionString: postgres.url })
    await createTables(pool, POSITION_TABLES, BALANCES_TABLES)
  })

  after(async () => {
    await pool.end()
    await postgres.stop()
  })

  it('and the judge of that sees what is booked twice, and balances that are wrong', async () => {
    const balances = 'insert into balances values (1, -10), (2, 10)'
    await pool.query(`insert into bookings values (1, 1, 2, 10, 7); ${balances}`)
    expect(await judge(pool)).to.deep.equal({ bookings: 1, twice: 0, unbalanced: 0 })
    await pool.query('insert into bookings values (1, 1, 2, 10, 8)')
    expect(await judge(pool)).to.deep.equal({ bookings: 2, twice: 1, unbalanced: 2 })
    await pool.query('update balances set balance = 20 where account = 2')
    await pool.query('insert into balances values (3, 1)')
    expect(await judge(pool)).to.deep.equal({ bookings: 2, twice: 1, unbalanced: 2 })
    await pool.query('truncate bookings, balances')
  })

  it('with SIGKILL, or stand still and wake up', async () => {
    const real = await realClusters()
    const files = new LedgerFiles()
    const topic = await createTopic(real, 'booked')
    const clusters = clustersOf(real)
    const start = (): Program =>
      new Program('booker', { clusters, topic, databaseUrl: postgres.url, leaseMs: LEASE_MS })
    const instances = [start(), start()]
    const load = { clusters, topic, acknowledgements: files.acknowledgements, first: 1, count: MESSAGES }
    const published = publish({ ...load, ratePerSecond: 400, accounts: ACCOUNTS })

    let unflushed = 0
    for (let kills = 0; kills < KILLS; kills++) {
      const booked = await number('select count(*) from bookings')
      await until('more is booked', `select count(*) >= ${booked + MESSAGES / (KILLS * 4)} from bookings`)
      await sleep(Math.random() * 300)
      // The older one, which is sure to have something; the other one may have come just now.
      const victim = instances.shift()
      if (kills === KILLS / 2) {
        victim!.hang()
        await sleep(2 * LEASE_MS)
        victim!.resume()
      }
      await victim!.kill()
      unflushed += await number('select count(*) from tandem_booked')
      instances.push(start())
    }
    expect(unflushed, 'booked and not flushed when somebody was killed').to.be.greaterThan(0)

    expect(await published).to.deep.equal({ sent: MESSAGES, acknowledged: MESSAGES, rejected: 0 })
    await until('all is booked', `select count(distinct number) >= ${MESSAGES} from bookings`)
    await Promise.all(instances.map((instance) => instance.kill()))
    const last = start()
    await until('what was booked is flushed by whoever comes then', 'select count(*) = 0 from tandem_booked')
    await last.end()

    expect(await judge(pool)).to.deep.equal({ bookings: MESSAGES, twice: 0, unbalanced: 0 })
    expect(await number(`select count(*) from bookings where amount <> 1 + number % 100`)).to.equal(0)
    expect(await number('select count(*) from balances')).to.equal(ACCOUNTS)
    expect(await number('select count(distinct fence) from bookings'), 'holders').to.be.greaterThan(KILLS)
    files.remove()
  })

  async function number(sql: string): Promise<number> {
    const { rows } = await pool.query<{ count: string }>(sql)
    return Number(rows[0]!.count)
  }

  async function until(what: string, sql: string): Promise<void> {
    const end = performance.now() + 60_000
    while (!(await holds(sql))) {
      if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
      await sleep(20)
    }
  }

  async function holds(sql: string): Promise<boolean> {
    const { rows } = await pool.query<{ holds: boolean }>(`select (${sql}) as holds`)
    return rows[0]!.holds
  }
})
