/**
 * A PostgreSQL in which a group keeps its position and the effects of its messages, both in one transaction. Nothing in
 * the table of effects keeps a message from having two.
 */
import { book } from '@tandem/examples/exactly-once/book'
import { createTables, inTransaction, openBookingPool, openPool } from '@tandem/examples/exactly-once/database'
import { PostgresHighWaterStore } from '@tandem/examples/exactly-once/postgres-high-water-store'
import { POSITION_TABLES } from '@tandem/examples/exactly-once/tables'
import type { Delivery, HighWaterStore } from '@tandem/consumer'
import type { Pool } from 'pg'

import type { Effect } from './database.js'

/** From a process that books. */
export class Bookings {
  readonly highWater: HighWaterStore
  readonly #pool: Pool
  readonly #groupId: string

  constructor(url: string, groupId: string) {
    this.highWater = new PostgresHighWaterStore({ connectionString: url })
    this.#groupId = groupId
    this.#pool = openBookingPool(url, BOOKINGS_AT_ONCE, LEASE_MS)
  }

  /** @throws LeaseLostError, HighWaterStoreFailedError (see `book`), or what PostgreSQL says: nothing was written. */
  async book(delivery: Delivery, text: string): Promise<void> {
    const { partition, fence, late } = delivery
    await inTransaction(this.#pool, async (client) => {
      if (!(await book(client, this.#groupId, delivery))) return
      await client.query('insert into effects (partition, fence, late, text) values ($1, $2, $3, $4)', [
        partition,
        fence,
        late,
        text,
      ])
    })
  }
}

/** As a judge reads it. */
export class BookedEffects {
  /** Empty tables. */
  static async create(url: string): Promise<BookedEffects> {
    const pool = openPool({ connectionString: url, max: 1 })
    await createTables(pool, POSITION_TABLES, EFFECTS_TABLE)
    await pool.query('truncate effects, tandem_positions, tandem_fields, tandem_booked, tandem_members')
    return new BookedEffects(pool)
  }

  readonly #pool: Pool

  private constructor(pool: Pool) {
    this.#pool = pool
  }

  /** In the order in which they were done: whoever books has locked the token of his lease before he draws a number. */
  async effects(): Promise<readonly Effect[]> {
    const { rows } = await this.#pool.query<Effect>(
      'select partition, fence::float8, late, text from effects order by number',
    )
    return rows
  }

  close(): Promise<void> {
    return this.#pool.end()
  }
}

/** Transactions of one process at the same time, and connections for them. */
export const BOOKINGS_AT_ONCE = 16
const EFFECTS_TABLE = `
create table if not exists effects (number bigserial, partition integer, fence bigint, late boolean, text text)`
/** The default of consumers. */
const LEASE_MS = 10_000
