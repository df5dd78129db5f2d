import type { Delivery } from '@tandem/consumer'
import type { Pool } from 'pg'

import { book } from './book.js'
import { inTransaction } from './database.js'

/** What is sent: an amount from one account to another. */
export interface Transfer {
  readonly number: number
  readonly from: number
  readonly to: number
  readonly amount: number
}

/** Books transfers, each once: its position, its booking and both balances are one transaction. */
export class Balances {
  readonly #pool: Pool
  readonly #groupId: string

  constructor(pool: Pool, groupId: string) {
    this.#pool = pool
    this.#groupId = groupId
  }

  /**
   * @throws LeaseLostError `TANDEM_LEASE_LOST`: another instance has taken the partition, and books it. Nothing was
   *         written.
   */
  async book(delivery: Delivery<Transfer>): Promise<void> {
    const { number, from, to, amount } = delivery.value
    await inTransaction(this.#pool, async (client) => {
      if (!(await book(client, this.#groupId, delivery))) return
      await client.query(
        'insert into bookings (number, from_account, to_account, amount, fence) values ($1, $2, $3, $4, $5)',
        [number, from, to, amount, delivery.fence],
      )
      await client.query(TRANSFER, [from, to, amount])
    })
  }
}

/** Nothing in them would refuse a transfer that is booked twice. */
export const BALANCES_TABLES = `
create table if not exists balances (account integer primary key, balance bigint not null);
create table if not exists bookings (number bigint, from_account integer, to_account integer, amount bigint, fence bigint);`

/** In the order of accounts, so that two transfers to and fro do not wait for each other. */
const TRANSFER = `
insert into balances (account, balance)
select account, sum(change) from (values ($1::integer, -$3::bigint), ($2::integer, $3::bigint)) as of (account, change)
group by account order by account
on conflict (account) do update set balance = balances.balance + excluded.balance`
