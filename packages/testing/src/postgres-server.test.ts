import { expect } from 'chai'
import { isTandemError } from '@tandem/common/internal'
import { Client } from 'pg'
import { freePort } from './free-ports.js'
import { PostgresServer } from './postgres-server.js'

describe('PostgresServer', function () {
  this.timeout(60_000)

  it('is PostgreSQL, at its url', async () => {
    await using postgres = await PostgresServer.start()
    expect(postgres.url).to.equal(`postgresql://postgres@127.0.0.1:${postgres.port}/postgres`)
    expect(await ask(postgres, 'select current_user as answer')).to.equal('postgres')
    expect(await ask(postgres, `select rolsuper as answer from pg_roles where rolname = 'postgres'`)).to.equal(true)
  })

  it('listens on the port that it is told, with the arguments that it is told', async () => {
    const port = await freePort()
    await using postgres = await PostgresServer.start({ port, args: ['-c', 'max_connections=7'] })
    expect(postgres.port).to.equal(port)
    expect(await ask(postgres, `select current_setting('max_connections') as answer`)).to.equal('7')
  })

  it('keeps over kill and restart what it committed, and rolls back what it did not', async () => {
    await using postgres = await PostgresServer.start()
    await ask(postgres, 'create table words as select 1 as answer')
    const open = new Client(postgres.url)
    open.on('error', () => undefined) // it is killed under it
    await open.connect()
    await open.query('begin')
    await open.query('insert into words values (2)')
    await postgres.kill()
    expect(postgres.state).to.equal('killed')
    await postgres.restart()
    expect(postgres.state).to.equal('running')
    expect(await ask(postgres, 'select string_agg(answer::text, $$,$$) as answer from words')).to.equal('1')
    await open.end().catch(() => undefined)
  })

  it('shows the end of the log when it does not start', async () => {
    const error = await failure(PostgresServer.start({ args: ['-c', 'wal_level=sometimes'] }))
    expect(isTandemError(error, 'TANDEM_SERVICE_FAILED'), String(error)).to.equal(true)
    expect(error.message)
      .to.match(/did not start: ended with exit status 1/)
      .and.to.include('wal_level')
  })

  it('does not take another server at its port for itself', async () => {
    await using postgres = await PostgresServer.start()
    const error = await failure(PostgresServer.start({ port: postgres.port }))
    expect(isTandemError(error, 'TANDEM_SERVICE_FAILED'), String(error)).to.equal(true)
    expect(error.message).to.match(/in use/)
  })

  it('refuses options that it does not have', async () => {
    for (const options of [{ port: 0 }, { port: '5432' }, { ports: 1 }, { args: 'none' }]) {
      const error = await failure(PostgresServer.start(options as object))
      expect(isTandemError(error, 'TANDEM_OPTIONS_INVALID'), JSON.stringify(options)).to.equal(true)
    }
  })
})

async function ask(postgres: PostgresServer, sql: string): Promise<unknown> {
  const client = new Client(postgres.url)
  await client.connect()
  try {
    const { rows } = await client.query<{ answer: unknown }>(sql)
    return rows[0]?.answer
  } finally {
    await client.end()
  }
}

function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error('nothing was wrong'),
    (error: unknown) => error as Error,
  )
}
