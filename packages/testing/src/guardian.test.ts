import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'

/**
 * A process of its own starts servers and then ends in some way; whatever has a working folder below its temporary
 * folder is a server of it, or its guardian.
 */
describe('guardian', function () {
  this.timeout(60_000)

  let temporary: string
  let owner: ChildProcess
  beforeEach(() => void (temporary = mkdtempSync(join(tmpdir(), 'guardian-test-'))))
  afterEach(() => {
    owner.kill('SIGKILL')
    for (const pid of processesBelow(temporary)) process.kill(pid, 'SIGKILL')
    rmSync(temporary, { recursive: true })
  })

  it('ends every server when its owner is killed, and removes their data', async () => {
    await startOwner(`
      const [kafka] = await Promise.all([KafkaCluster.start(), LocalCluster.start(), RedisServer.start()])
      await kafka.createTopic('data')
      process.send('ready')`)
    expect(processesBelow(temporary)).to.have.length(4) // three servers and their guardian
    owner.kill('SIGKILL')
    await expectNothingLeft()
  })

  it('ends hung servers too', async () => {
    await startOwner(`
      const servers = await Promise.all([KafkaCluster.start(), LocalCluster.start(), RedisServer.start()])
      for (const server of servers) await server.hang()
      process.send('ready')`)
    expect(processesBelow(temporary)).to.have.length(4)
    owner.kill('SIGKILL')
    await expectNothingLeft()
  })

  it('ends a PostgreSQL with all its processes, whosever they are', async () => {
    chmodSync(temporary, 0o755) // for the user postgres
    await startOwner(`
      await PostgresServer.start()
      process.send('ready')`)
    expect(processesBelow(temporary)).to.have.length.greaterThan(2)
    owner.kill('SIGKILL')
    await expectNothingLeft()
  })

  it('ends them on Ctrl-C', async () => {
    await startOwner(`await Promise.all([LocalCluster.start(), RedisServer.start()]); process.send('ready')`)
    process.kill(-(owner.pid as number), 'SIGINT') // as a terminal does: to the whole group
    await expectNothingLeft()
  })

  it('ends them when the owner ends by itself, which they do not hinder', async () => {
    await startOwner(`
      await Promise.all([LocalCluster.start(), RedisServer.start()])
      process.send('ready')
      process.disconnect()`)
    await once(owner, 'exit')
    expect(owner.exitCode).to.equal(0)
    await expectNothingLeft()
  })

  it('leaves nothing when the owner is killed in the middle of a start', async () => {
    await startOwner(`
      const starts = Promise.all([LocalCluster.start(), RedisServer.start(), KafkaCluster.start()])
      process.send('ready')
      await starts`)
    while (processesBelow(temporary).length < 2) await sleep(1)
    owner.kill('SIGKILL')
    await expectNothingLeft()
  })

  it('takes the servers with it when it is killed itself, and the next start has a new one', async () => {
    await startOwner(`
      const server = await RedisServer.start()
      process.once('message', async (guardian) => {
        process.kill(guardian, 'SIGKILL')
        while (server.state !== 'killed') await new Promise((resolve) => setTimeout(resolve, 1))
        const error = await server.restart().catch((error) => error)
        const next = await RedisServer.start()
        process.send([error.code, next.state])
      })
      process.send('ready')`)
    const guardian = processesBelow(temporary).find((pid) => readlinkSync(`/proc/${pid}/cwd`) === temporary)
    owner.send(guardian as number)
    const [answer] = (await once(owner, 'message')) as unknown[]
    expect(answer).to.deep.equal(['TANDEM_SERVICE_FAILED', 'running'])
    owner.kill('SIGKILL')
    // The killed guardian could not remove its folder; but nothing of it runs.
    while (processesBelow(temporary).length > 0) await sleep(5)
  })

  async function startOwner(script: string): Promise<void> {
    const index = new URL('index.js', import.meta.url).href
    owner = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { KafkaCluster, LocalCluster, PostgresServer, RedisServer } from '${index}'
        process.on('message', () => {}) // which keeps it alive
        ${script}`,
      ],
      { detached: true, env: { ...process.env, TMPDIR: temporary }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    )
    const [message] = (await Promise.race([once(owner, 'message'), once(owner, 'exit')])) as unknown[]
    expect(message).to.equal('ready')
  }

  async function expectNothingLeft(): Promise<void> {
    const deadline = performance.now() + GONE_WITHIN_MS
    let left: string[]
    do {
      await sleep(10)
      left = [...processesBelow(temporary).map(String), ...readdirSync(temporary)]
    } while (left.length > 0 && performance.now() < deadline)
    expect(left).to.deep.equal([])
  }
})

function processesBelow(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const cwd = readlinkSync(`/proc/${pid}/cwd`)
        return cwd === folder || cwd.startsWith(`${folder}/`)
      } catch {
        return false // not a process, or it has just ended
      }
    })
}

const GONE_WITHIN_MS = 5_000
