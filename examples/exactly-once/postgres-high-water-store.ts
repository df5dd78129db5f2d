import { HighWaterStoreFailedError } from '@tandem/common'
import {
  storedRecord,
  type Acquired,
  type Claim,
  type FinishedCounters,
  type Flush,
  type FlushAnswer,
  type HighWaterStore,
  type LeaseRecord,
  type Member,
  type PartitionOfGroup,
  type Release,
  type Renewal,
  type Renewed,
  type Roll,
  type Wish,
} from '@tandem/consumer'
import type { Pool, PoolClient, PoolConfig } from 'pg'

import { inTransaction, openPool } from './database.js'

/**
 * Keeps positions in PostgreSQL, beside what transactions have booked (`book.ts`), for any number of instances.
 *
 * A step locks its record, does what `storedRecord` says, and commits. To take a partition is to change its token, and so
 * to wait for transactions that are booking under the old one; what they have booked is then there to be read. Renewals
 * and flushes wait for no booking.
 *
 * A booked position is a row of its own until a flush says that it is finished, and goes with that flush.
 *
 * It has connections of its own: were they those of the service, handlers that use all of them would cost it its leases.
 */
export class PostgresHighWaterStore implements HighWaterStore {
  readonly name = 'postgres'
  readonly #pool: Pool

  /**
   * @param config where `POSITION_TABLES` are, and how many connections it may have.
   * @param options.timeoutMs what a connection, and then each statement, may take, ms; default 2,000.
   */
  constructor(config: PoolConfig, { timeoutMs = 2_000 }: { readonly timeoutMs?: number } = {}) {
    this.#pool = openPool({
      max: 4,
      ...config,
      connectionTimeoutMillis: timeoutMs,
      statement_timeout: timeoutMs, // of a database that waits
      query_timeout: timeoutMs, // of one that says nothing
    })
  }

  look(partition: PartitionOfGroup): Promise<LeaseRecord> {
    return this.#step('look', async (client) => storedRecord.leaseOf(await readRecord(client, partition)))
  }

  acquire(partition: PartitionOfGroup, claim: Claim): Promise<Acquired> {
    return this.#step<Acquired>('acquire', async (client) => {
      await makeRecord(client, partition)
      const known = await lockRecord(client, partition)
      const record = storedRecord.acquire(known, claim, await readClock(client))
      if (record === undefined) return { kind: 'held', lease: storedRecord.leaseOf(known) }
      await writeRecord(client, partition, record)
      const fields = await readFields(client, partition)
      const booked = await readBooked(client, partition)
      const { token, number, bornMs } = record
      return { kind: 'acquired', holding: { token, number, bornMs, fields, booked } }
    })
  }

  flush(partition: PartitionOfGroup, wanted: Flush): Promise<FlushAnswer> {
    return this.#step('flush', async (client) => {
      if (wanted.whole) await makeRecord(client, partition)
      const { answer, record } = storedRecord.flush(await lockRecord(client, partition), wanted)
      if (record === undefined) return answer
      await writeRecord(client, partition, record)
      if (wanted.whole) await client.query(`delete from tandem_fields where ${OF_PARTITION}`, idOf(partition))
      await writeFields(client, partition, wanted.fields)
      await forgetBooked(client, partition, wanted.finished)
      return answer
    })
  }

  renew(partition: PartitionOfGroup, renewal: Renewal): Promise<Renewed> {
    return this.#step('renew', async (client) => {
      const { answer, record } = storedRecord.renew(await lockRecord(client, partition), renewal)
      if (record !== undefined) await writeRecord(client, partition, record)
      return answer
    })
  }

  want(partition: PartitionOfGroup, wish: Wish): Promise<void> {
    return this.#step('want', async (client) => {
      const record = storedRecord.want(await lockRecord(client, partition), wish)
      if (record !== undefined) await writeRecord(client, partition, record)
    })
  }

  release(partition: PartitionOfGroup, given: Release): Promise<void> {
    return this.#step('release', async (client) => {
      const record = storedRecord.release(await lockRecord(client, partition), given)
      if (record !== undefined) await writeRecord(client, partition, record)
    })
  }

  meet(groupId: string, { instance, member, gone }: Roll): Promise<ReadonlyMap<string, Member>> {
    return this.#step('meet', async (client) => {
      const struck = member === undefined ? [...gone, instance] : gone
      await client.query('delete from tandem_members where group_id = $1 and instance = any($2)', [groupId, struck])
      if (member !== undefined) {
        const { beat, reads, topics, holds, token, host } = member
        await client.query(PUT_MEMBER, [groupId, instance, beat, reads, topics, holds, token, host])
      }
      const { rows } = await client.query<MemberRow>(
        'select instance, beat, reads, topics, holds, token, host from tandem_members where group_id = $1',
        [groupId],
      )
      return new Map(
        rows.map(({ instance, beat, reads, topics, holds, token, host }) => [
          instance,
          {
            beat: Number(beat),
            reads,
            topics: topics ?? undefined,
            ...(holds !== null && { holds, token: Number(token) }),
            host,
          },
        ]),
      )
    })
  }

  /** Ends its connections. */
  close(): Promise<void> {
    return this.#pool.end()
  }

  async #step<T>(name: string, step: (client: PoolClient) => Promise<T>): Promise<T> {
    try {
      return await inTransaction(this.#pool, step)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new HighWaterStoreFailedError(`PostgreSQL did not ${name}: ${reason}`, { call: name }, cause)
    }
  }
}

// --- one record ---------------------------------------------------------------------------------------------------

/** A record that nobody ever held is as none; it is there to be locked. */
async function makeRecord(client: PoolClient, partition: PartitionOfGroup): Promise<void> {
  const sql = 'insert into tandem_positions (group_id, topic, partition) values ($1, $2, $3) on conflict do nothing'
  await client.query(sql, idOf(partition))
}

/** Against every change, by whoever does not only book. */
function lockRecord(client: PoolClient, partition: PartitionOfGroup): Promise<storedRecord.StoredRecord | undefined> {
  return readRecord(client, partition, 'for no key update')
}

async function readRecord(
  client: PoolClient,
  partition: PartitionOfGroup,
  lock = '',
): Promise<storedRecord.StoredRecord | undefined> {
  const { rows } = await client.query<RecordRow>(
    `select owner, token, number, beat, want, kept_for, born_ms from tandem_positions where ${OF_PARTITION} ${lock}`,
    idOf(partition),
  )
  const [row] = rows
  if (row === undefined || Number(row.token) === 0) return undefined
  const { owner, want, kept_for: keptFor } = row
  const [token, number, beat, bornMs] = [row.token, row.number, row.beat, row.born_ms].map(Number)
  return { owner, token: token!, number: number!, beat: beat!, want, keptFor, bornMs: bornMs! }
}

async function writeRecord(
  client: PoolClient,
  partition: PartitionOfGroup,
  { owner, token, number, beat, want, keptFor, bornMs }: storedRecord.StoredRecord,
): Promise<void> {
  await client.query(
    `update tandem_positions
     set owner = $4, token = $5, number = $6, beat = $7, want = $8, kept_for = $9, born_ms = $10
     where ${OF_PARTITION}`,
    [...idOf(partition), owner, token, number, beat, want, keptFor, bornMs],
  )
}

async function readFields(client: PoolClient, partition: PartitionOfGroup): Promise<Map<string, Uint8Array>> {
  const { rows } = await client.query<{ name: string; bytes: Buffer }>(
    `select name, bytes from tandem_fields where ${OF_PARTITION}`,
    idOf(partition),
  )
  return new Map(rows.map(({ name, bytes }) => [name, bytes]))
}

async function writeFields(client: PoolClient, partition: PartitionOfGroup, fields: Flush['fields']): Promise<void> {
  const bytes = [...fields.values()].map((one) => Buffer.from(one))
  await client.query(
    `insert into tandem_fields (group_id, topic, partition, name, bytes)
     select $1, $2, $3, name, bytes from unnest($4::text[], $5::bytea[]) as field (name, bytes)
     on conflict (group_id, topic, partition, name) do update set bytes = excluded.bytes`,
    [...idOf(partition), [...fields.keys()], bytes],
  )
}

async function readBooked(client: PoolClient, partition: PartitionOfGroup): Promise<FinishedCounters[]> {
  const { rows } = await client.query<BookedRow>(
    `select key_range, producer_id, epoch, incarnation, counter from tandem_booked where ${OF_PARTITION}
     order by epoch, counter`,
    idOf(partition),
  )
  return rows.map((row) => {
    const [keyRange, epoch, incarnation, counter] = [row.key_range, row.epoch, row.incarnation, row.counter].map(Number)
    const id = { keyRange: keyRange!, producerId: row.producer_id, epoch: epoch!, incarnation: incarnation! }
    return { ...id, first: counter!, last: counter! }
  })
}

/** The fields say it from now on. */
async function forgetBooked(
  client: PoolClient,
  partition: PartitionOfGroup,
  finished: readonly FinishedCounters[],
): Promise<void> {
  await client.query(
    `delete from tandem_booked using json_to_recordset($4::json)
       as f ("keyRange" bigint, "producerId" text, epoch bigint, incarnation bigint, first bigint, last bigint)
     where ${OF_PARTITION} and key_range = f."keyRange" and producer_id = f."producerId"
       and tandem_booked.epoch = f.epoch and tandem_booked.incarnation = f.incarnation
       and counter between f.first and f.last`,
    [...idOf(partition), JSON.stringify(finished)],
  )
}

/** Of the database: clocks of instances may differ. */
async function readClock(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ ms: string }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms',
  )
  return Number(rows[0]!.ms)
}

const OF_PARTITION = 'group_id = $1 and topic = $2 and partition = $3'

function idOf({ groupId, topic, partition }: PartitionOfGroup): [string, string, number] {
  return [groupId, topic, partition]
}

const PUT_MEMBER = `
insert into tandem_members (group_id, instance, beat, reads, topics, holds, token, host)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (group_id, instance)
do update set beat = excluded.beat, reads = excluded.reads, topics = excluded.topics, holds = excluded.holds,
  token = excluded.token, host = excluded.host`

/** A bigint comes as text. */
interface RecordRow {
  readonly owner: string
  readonly token: string
  readonly number: string
  readonly beat: string
  readonly want: string
  readonly kept_for: string
  readonly born_ms: string
}

interface BookedRow {
  readonly key_range: string
  readonly producer_id: string
  readonly epoch: string
  readonly incarnation: string
  readonly counter: string
}

interface MemberRow {
  readonly instance: string
  readonly beat: string
  readonly reads: string[]
  readonly topics: string[] | null
  readonly holds: string[] | null
  readonly token: string | null
  readonly host: string
}
