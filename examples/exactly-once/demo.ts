/**
 * `npm run exactly-once`: two embedded clusters, a PostgreSQL, a producer, and the service, which is killed again and
 * again while it books. Then the tables are asked whether each transfer was booked once.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { json } from '@tandem/common'
import { Producer } from '@tandem/producer'
import { LocalCluster, PostgresServer } from '@tandem/testing'

import { BALANCES_TABLES, type Transfer } from './balances.js'
import { createTables, openPool } from './database.js'
import { judge } from './judge.js'
import type { ServiceOptions } from './service.js'
import { POSITION_TABLES } from './tables.js'

const TRANSFERS = 3_000
const KILLS = 6
const ACCOUNTS = 20
const TOPIC = 'transfers'

await using postgres = await PostgresServer.start()
await using east = await LocalCluster.start()
await using west = await LocalCluster.start()
const pool = openPool({ connectionString: postgres.url })
await createTables(pool, POSITION_TABLES, BALANCES_TABLES)
const options: ServiceOptions = {
  clusters: {
    east: { 'bootstrap.servers': east.bootstrapServers },
    west: { 'bootstrap.servers': west.bootstrapServers },
  },
  topic: TOPIC,
  databaseUrl: postgres.url,
  leaseMs: 1_000, // which is what a kill costs, since nobody says that the lease is free
}

await Promise.all([east, west].map((cluster) => cluster.createTopic(TOPIC)))
const sent = send()
let service = start()
for (let kills = 1; kills <= KILLS; kills++) {
  await untilBooked((TRANSFERS * kills) / (KILLS + 1))
  await sleep(Math.random() * 100)
  await kill(service)
  console.log(`killed: ${await count('bookings')} booked, of these ${await count('tandem_booked')} not flushed`)
  service = start()
}
await sent
await untilBooked(TRANSFERS)
await kill(service)
const { bookings, twice, unbalanced } = await judge(pool)
console.log(`${TRANSFERS} sent, ${bookings} booked, ${twice} of them twice; ${unbalanced} balances are wrong`)
process.exitCode = bookings === TRANSFERS && twice === 0 && unbalanced === 0 ? 0 : 1
await pool.end()

async function send(): Promise<void> {
  const { clusters } = options
  const producer = new Producer({ producerId: 'ledger-1', clusters, topics: { [TOPIC]: { codec: json } } })
  await producer.connect()
  for (let number = 1; number <= TRANSFERS; number++) {
    const from = number % ACCOUNTS
    const value: Transfer = { number, from, to: (from + 7) % ACCOUNTS, amount: 1 + (number % 100) }
    await producer.send({ topic: TOPIC, key: `account-${from}`, value })
  }
  await producer.close()
}

function start(): ChildProcess {
  const file = fileURLToPath(new URL('service.js', import.meta.url))
  const child = spawn(process.execPath, [file, JSON.stringify(options)], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
    stdio: 'ignore',
  })
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function untilBooked(transfers: number): Promise<void> {
  while ((await count('bookings')) < transfers) await sleep(10)
}

async function count(table: 'bookings' | 'tandem_booked'): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`select count(*) from ${table}`)
  return Number(rows[0]!.count)
}
