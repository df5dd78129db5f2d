import { Pool, type PoolClient, type PoolConfig } from 'pg'

export function openPool(config: PoolConfig): Pool {
  const pool = new Pool(config)
  pool.on('error', ignore) // of a connection that nobody uses: the next one is a new one
  return pool
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
