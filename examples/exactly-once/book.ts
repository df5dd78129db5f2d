import { formatPosition, HighWaterStoreFailedError, LeaseLostError } from '@tandem/common'
import type { Delivery } from '@tandem/consumer'
import type { ClientBase } from 'pg'

/** What of a delivery stands in the row that is written with its effects. */
export type Booking = Pick<Delivery, 'topic' | 'partition' | 'keyRange' | 'position' | 'fence'>

/**
 * Writes the position of a delivery in a transaction of the caller's, to be followed by its effects in the same one. To be
 * called first: until the transaction ends, nobody takes the partition.
 *
 * What was committed is not delivered again, whenever the process dies. So acknowledge when the transaction is committed.
 *
 * @returns false if it was committed before, by an attempt whose answer got lost: it is to have no effect now.
 * @throws LeaseLostError `TANDEM_LEASE_LOST`: another instance has taken the partition. Roll back, it books this.
 * @throws HighWaterStoreFailedError `TANDEM_HIGH_WATER_STORE_FAILED`: the database knows nothing of this holder, since it
 *         was emptied or fell back. Roll back and try again: the holder is about to write its whole position.
 */
export async function book(
  client: ClientBase,
  groupId: string,
  { topic, partition, keyRange, position, fence }: Booking,
): Promise<boolean> {
  const { producerId, epoch, incarnation, counter } = position
  const { rows } = await client.query<{ token: string | null; booked: boolean }>(BOOK, [
    groupId,
    topic,
    partition,
    fence,
    keyRange,
    producerId,
    epoch,
    incarnation,
    counter,
  ])
  const token = Number(rows[0]!.token)
  if (token === fence) return rows[0]!.booked
  const what = `${formatPosition(position)} of ${topic}/${partition}`
  const details = { topic, partition, fence, token }
  if (token > fence) throw new LeaseLostError(`${what} is not booked under ${fence}: the token is ${token}`, details)
  throw new HighWaterStoreFailedError(`${what} cannot be booked under ${fence} yet: the token is ${token}`, details)
}

/**
 * The row is locked against a change of its token until the transaction ends. If somebody is just changing it, this waits
 * and sees what has become of it.
 */
const BOOK = `
with held as (
  select token from tandem_positions where group_id = $1 and topic = $2 and partition = $3 for key share
), booked as (
  insert into tandem_booked (group_id, topic, partition, key_range, producer_id, epoch, incarnation, counter)
  select $1, $2, $3, $5, $6, $7, $8, $9 from held where token = $4
  on conflict do nothing
  returning true
)
select (select token from held), exists (select from booked) as booked`
