import { json } from '@tandem/common'
import { Consumer, inKeyOrder, type ConsumerOptions, type Verdict } from '@tandem/consumer'

import { Balances, BALANCES_TABLES, type Transfer } from './balances.js'
import { createTables, openBookingPool } from './database.js'
import { PostgresHighWaterStore } from './postgres-high-water-store.js'
import { POSITION_TABLES } from './tables.js'

/**
 * One instance of the service that keeps balances; there may be any number.
 *
 * A program of its own, that may be killed at any moment: `node service.js '{"clusters": …}'`.
 */
export interface ServiceOptions {
  readonly clusters: ConsumerOptions['clusters']
  readonly topic: string
  /** Such as `postgresql://user@host/database`. */
  readonly databaseUrl: string
  readonly leaseMs?: number
}

export async function serve({ clusters, topic, databaseUrl, leaseMs = 10_000 }: ServiceOptions): Promise<Service> {
  const pool = openBookingPool(databaseUrl, CONCURRENCY, leaseMs)
  await createTables(pool, POSITION_TABLES, BALANCES_TABLES)
  const balances = new Balances(pool, GROUP)
  const highWater = new PostgresHighWaterStore({ connectionString: databaseUrl })
  const topics = { [topic]: { codec: json } }
  const consumer = new Consumer<Transfer>({ groupId: GROUP, clusters, topics, highWater, leaseMs })
  consumer.deliveries$
    .pipe(inKeyOrder((delivery) => balances.book(delivery), { concurrency: CONCURRENCY, classify: verdictOn }))
    .subscribe()
  return {
    consumer,
    close: async () => {
      await consumer.close()
      await Promise.all([highWater.close(), pool.end()])
    },
  }
}

export interface Service {
  readonly consumer: Consumer<Transfer>
  close(): Promise<void>
}

/**
 * By PostgreSQL's error codes: data that it cannot take it will never take. All else passes, and so does a lost lease:
 * the key stands until this instance knows of it, and then what waits is left to the one that has it.
 */
function verdictOn(error: unknown): Verdict {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^2[23]...$/.test(code) ? 'permanent' : 'transient'
}

const GROUP = 'balances'
/** Transactions at the same time, and connections for them. */
const CONCURRENCY = 16

if (process.argv[1]?.endsWith('service.js')) {
  const service = await serve(JSON.parse(process.argv[2]!) as ServiceOptions)
  service.consumer.events$.subscribe((event) => console.error(event.kind, event))
  process.once('SIGTERM', () => void service.close())
}
