import { Pool, type PoolClient, type PoolConfig } from 'pg'

export function openPool(config: PoolConfig): Pool {
  const pool = new Pool(config)
  pool.on('error', ignore) // of a connection that nobody uses: the next one is a new one
  return pool
}

/** Connections for transactions that book, as long as a lease lasts and no longer. */
export function openBookingPool(connectionString: string, max: number, leaseMs: number): Pool {
  return openPool({
    connectionString,
    max,
    // Whoever takes a partition waits for open bookings: a process that stands still does not make it wait for ever.
    idle_in_transaction_session_timeout: leaseMs,
    statement_timeout: leaseMs,
    query_timeout: leaseMs,
    connectionTimeoutMillis: leaseMs,
  })
}

/** What `work` writes is committed when it resolves, and rolled back when it rejects. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  client.on('error', ignore) // what is asked of it next fails
  let broken = false
  try {
    // Each statement is to see what was committed before it, whatever the database has as its default.
    await client.query('begin isolation level read committed')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    const rolledBack = client.query('rollback')
    broken = await rolledBack.then(
      () => false,
      () => true,
    )
    throw error
  } finally {
    client.off('error', ignore)
    client.release(broken)
  }
}

/** Makes tables by statements that pass over what is there; several instances may try at the same time. */
export async function createTables(pool: Pool, ...statements: readonly string[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtext('tables of the balances'))`)
    for (const statement of statements) await client.query(statement)
  })
}

function ignore(): void {}
