import type { Pool } from 'pg'

export interface BookingsVerdict {
  /** Rows. */
  readonly bookings: number
  /** Transfers that have more than one. */
  readonly twice: number
  /** Accounts whose balance is not the sum of what was booked on them. */
  readonly unbalanced: number
}

/** What the tables say of themselves, whoever wrote them. */
export async function judge(pool: Pool): Promise<BookingsVerdict> {
  const { rows } = await pool.query<Record<keyof BookingsVerdict, string>>(JUDGE)
  const { bookings, twice, unbalanced } = rows[0]!
  return { bookings: Number(bookings), twice: Number(twice), unbalanced: Number(unbalanced) }
}

const JUDGE = `
with counts as (
  select count(*) as bookings from bookings group by number
), changes as (
  select from_account as account, -amount as change from bookings
  union all
  select to_account, amount from bookings
), sums as (
  select account, sum(change) as booked from changes group by account
)
select
  (select count(*) from bookings) as bookings,
  (select count(*) from counts where bookings > 1) as twice,
  (select count(*) from balances full join sums using (account) where balance is distinct from booked) as unbalanced`
