import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { isTandemError, systemClock, type TandemError, type TandemFact } from '@tandem/common/internal'
import {
  ClockEpochs,
  FileEpochStore,
  RedisEpochStore,
  type EpochRequest,
  type EpochStore,
  type EpochTaken,
  type RedisEpochStoreOptions,
} from '@tandem/producer'
import { epochKey, LeaseRenewal, takeEpoch } from '@tandem/producer/internal'
import { RedisServer } from '@tandem/testing'
import { expect } from 'chai'
import { Redis } from 'ioredis'

import { clockEpochs } from '../simulation/simulated-epoch-store.js'
import type { SimulatedProcess } from '../simulation/simulated-process.js'
import { World } from '../simulation/world.js'
import type { EpochTakerLine, EpochTakerOptions } from './epoch-taker.js'

/** What every EpochStore does (protocol.md, Numbering 6), on each implementation. */
interface Subject {
  /** The store as a process of its own sees it. */
  open(): EpochStore
  /** The store's time, ms since 1970. */
  wallMs(): Promise<number>
  /** Lets time pass, where it does not by itself, until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T>
}

/** One whose time is that of a world, also if the store itself is a real one. */
interface LeasedSubject {
  readonly world: World
  connection(process: SimulatedProcess, options: RedisEpochStoreOptions): EpochStore
  /** Lets time pass for all processes. */
  pass(ms: number): Promise<void>
  goAway(): Promise<void>
  comeBack(): Promise<void>
  empty(): Promise<void>
  /** What it knows now, to fall back to. */
  snapshot(): Promise<() => Promise<void>>
}

let producers = 0
let incarnations = 0
const producer = (): string => `ledger-${++producers}`
const request = (producerId: string, host = 'here'): EpochRequest => ({
  producerId,
  incarnation: ++incarnations,
  host,
})

function epochStoreSuite(subject: () => Subject): void {
  it('takes its time, as an integer below 2^53', async () => {
    const { open, wallMs, settle } = subject()
    const before = await wallMs()
    const { epoch } = await settle(open().take(request(producer())))
    expect(epoch).to.be.within(before, await wallMs())
    expect(epoch).to.satisfy(Number.isSafeInteger)
  })

  it('takes a greater one each time, also within one millisecond', async () => {
    const { open, settle } = subject()
    const store = open()
    const id = producer()
    let last = 0
    for (let i = 0; i < 100; i++) {
      const { epoch } = await settle(store.take(request(id)))
      expect(epoch).to.be.greaterThan(last)
      last = epoch
    }
  })

  it('gives each of many at once its own', async () => {
    const { open, settle } = subject()
    const store = open()
    const id = producer()
    const taken = await settle(Promise.all(Array.from({ length: 50 }, () => store.take(request(id)))))
    expect(new Set(taken.map(({ epoch }) => epoch)).size).to.equal(50)
  }).timeout(60_000) // fifty times forced to disk, one after the other
}

/** What those do that keep what they gave. */
function sharedEpochStoreSuite(subject: () => Subject): void {
  epochStoreSuite(subject)

  it('gives each process its own, at once and one after the other', async () => {
    const { open, settle } = subject()
    const id = producer()
    const stores = [open(), open(), open()]
    const taken: number[] = []
    for (let i = 0; i < 10; i++) {
      const round = await settle(Promise.all(stores.map((each) => each.take(request(id)))))
      const epochs = round.map(({ epoch }) => epoch)
      expect(Math.min(...epochs)).to.be.greaterThan(Math.max(0, ...taken))
      taken.push(...epochs)
    }
    expect(new Set(taken).size).to.equal(taken.length)
  })

  it('counts for each producer by itself', async () => {
    const { open, wallMs, settle } = subject()
    const store = open()
    const id = producer()
    for (let i = 0; i < 50; i++) await settle(store.take(request(id)))
    const before = await wallMs()
    const { epoch } = await settle(store.take(request(producer())))
    expect(epoch).to.be.within(before, await wallMs())
  })
}

/** A producer's process, as far as epochs go: takes one when it starts, and renews its lease until it is killed. */
class Life {
  readonly process: SimulatedProcess
  readonly facts: string[] = []
  taken: EpochTaken | undefined
  error: TandemError | undefined
  #renewal: LeaseRenewal | undefined

  constructor(
    { world, connection }: LeasedSubject,
    producerId: string,
    host: string,
    { timeoutMs = 60_000, ...options }: RedisEpochStoreOptions & { readonly timeoutMs?: number } = {},
  ) {
    this.process = world.createProcess(host)
    const { clock } = this.process
    const store = connection(this.process, options)
    takeEpoch(store, request(producerId, host), { timeoutMs, clock }).then(
      (taken) => {
        this.taken = taken
        const tell = (fact: TandemFact): void =>
          void this.facts.push(fact.kind === 'producer-id-taken' ? `${fact.kind} by ${fact.by}` : fact.kind)
        this.#renewal = new LeaseRenewal({ lease: taken.lease!, clock, tell })
      },
      (error: TandemError) => (this.error = error),
    )
  }

  get epoch(): number {
    expect(this.error, String(this.error)).to.equal(undefined)
    expect(this.taken, 'has an epoch').to.not.equal(undefined)
    return this.taken!.epoch
  }

  get waits(): boolean {
    return this.taken === undefined && this.error === undefined
  }

  close(): void {
    void this.#renewal!.release()
  }
}

/** What those do that refuse a second live process (protocol.md, Numbering 6 and 7). */
function leasedEpochStoreSuite(subject: () => LeasedSubject): void {
  let id: string
  let lives: Life[] = []
  beforeEach(() => (id = producer()))
  afterEach(async () => {
    for (const { process } of lives) process.kill()
    lives = []
    await subject().pass(1_000)
  })

  const begin = (host: string, options?: ConstructorParameters<typeof Life>[3]): Life => {
    const life = new Life(subject(), id, host, options)
    lives.push(life)
    return life
  }
  const pass = (ms: number): Promise<void> => subject().pass(ms)

  async function begun(host: string, options?: ConstructorParameters<typeof Life>[3]): Promise<Life> {
    const life = begin(host, options)
    await pass(AT_ONCE_MS)
    expect(life.epoch).to.be.greaterThan(0)
    return life
  }

  function expectRefused(life: Life, holder: string): void {
    expect(life.error?.code, String(life.taken?.epoch)).to.equal('TANDEM_PRODUCER_ID_HELD')
    expect(life.error!.details).to.deep.equal({ producerId: id, holder, host: life.process.name })
  }

  it('refuses a second live process within a lease, with both host names', async () => {
    const first = await begun('first')
    const second = begin('second')
    await pass(LEASE_MS)
    expectRefused(second, 'first')
    await pass(60_000)
    expect(second.taken).to.equal(undefined)
    expect(first.facts).to.deep.equal([])
  })

  it('lets the next one start when the holder was killed and has stood still for a lease', async () => {
    const first = await begun('first')
    first.process.kill()
    const second = begin('second')
    await pass(LEASE_MS - AT_ONCE_MS)
    expect(second.waits).to.equal(true)
    await pass(3 * AT_ONCE_MS)
    expect(second.epoch).to.be.greaterThan(first.epoch)
  })

  it('lets the next one start at once when the holder was closed', async () => {
    const first = await begun('first')
    await pass(10_000)
    first.close()
    await pass(AT_ONCE_MS)
    expect((await begun('second')).epoch).to.be.greaterThan(first.epoch)
  })

  it('lets who waits start when the holder is closed meanwhile', async () => {
    const first = await begun('first')
    const second = begin('second')
    await pass(500)
    first.close()
    await pass(2 * AT_ONCE_MS)
    expect(second.epoch).to.be.greaterThan(first.epoch)
  })

  it('lets who takes over start at once, and tells the other one, who keeps its epoch', async () => {
    const first = await begun('first')
    const second = await begun('second', { takeOver: true })
    expect(second.epoch).to.be.greaterThan(first.epoch)
    await pass(60_000)
    expect(first.facts).to.deep.equal(['producer-id-taken by second'])
    expect(second.facts).to.deep.equal([])
    first.close() // which is not the holder any more
    await pass(AT_ONCE_MS)
    const third = begin('third')
    await pass(LEASE_MS)
    expectRefused(third, 'second')
  })

  it('lets the next one start while the holder is stopped for longer than a lease, and tells that one', async () => {
    const first = await begun('first')
    first.process.stop()
    const second = begin('second')
    await pass(LEASE_MS + 3 * AT_ONCE_MS)
    expect(second.epoch).to.be.greaterThan(first.epoch)
    first.process.continue()
    await pass(2_000)
    expect(first.facts.at(-1)).to.equal('producer-id-taken by second')
    expect(second.facts).to.deep.equal([])
  })

  it('refuses who waits for one that was stopped for less than a lease', async () => {
    const first = await begun('first')
    first.process.stop()
    const second = begin('second')
    await pass(LEASE_MS - 1_000)
    expect(second.waits).to.equal(true)
    first.process.continue()
    await pass(3_000)
    expectRefused(second, 'first')
  })

  it('does not take for alive who is dead, and left a renewal behind', async () => {
    const first = await begun('first')
    first.process.kill()
    const second = begin('second')
    await pass(LEASE_MS - 1_000)
    void first.taken!.lease!.renew() // read from its socket only now
    await pass(LEASE_MS - AT_ONCE_MS)
    expect(second.waits).to.equal(true)
    await pass(3 * AT_ONCE_MS)
    expect(second.epoch).to.be.greaterThan(first.epoch)
  })

  it('lets one of many start that wait for a dead one, and refuses the others', async () => {
    const first = await begun('first')
    first.process.kill()
    const others = ['a', 'b', 'c'].map((host) => begin(host))
    await pass(2 * LEASE_MS)
    const [winner, ...more] = others.filter(({ taken }) => taken !== undefined)
    expect(winner!.epoch).to.be.greaterThan(first.epoch)
    expect(more).to.deep.equal([])
    for (const other of others) if (other !== winner) expectRefused(other, winner!.process.name)
  })

  it('gives who asks again the same epoch: the reply may have been lost', async () => {
    const { world, connection } = subject()
    const store = connection(world.createProcess('first'), {})
    const asked = request(id, 'first')
    const epochs: number[] = []
    for (let i = 0; i < 3; i++) void store.take(asked).then(({ epoch }) => epochs.push(epoch))
    await pass(AT_ONCE_MS)
    expect(epochs).to.deep.equal([epochs[0], epochs[0], epochs[0]])
  })

  it('says who holds it when the time for waiting is up', async () => {
    await begun('first')
    const second = begin('second', { timeoutMs: 700 })
    await pass(700 + AT_ONCE_MS)
    expectRefused(second, 'first')
  })

  it('learns from the living who they are when it lost everything', async () => {
    const first = await begun('first')
    await subject().empty()
    await pass(2_000)
    const second = begin('second')
    await pass(LEASE_MS)
    expectRefused(second, 'first')
    expect(first.facts).to.deep.equal([])
  })

  it('learns it, too, when it fell back to a holder before', async () => {
    const first = await begun('first')
    const fallBack = await subject().snapshot()
    first.process.kill()
    const second = await begun('second', { takeOver: true })
    await fallBack()
    await pass(2_000)
    const third = begin('third')
    await pass(LEASE_MS)
    expectRefused(third, 'second')
    expect(second.facts).to.deep.equal([])
  })

  it('is waited for at the start', async () => {
    await subject().goAway()
    const first = begin('first')
    await pass(10_000)
    expect(first.waits).to.equal(true)
    await subject().comeBack()
    await pass(2_000)
    expect(first.epoch).to.be.greaterThan(0)
  })

  it('is left without a holder by who gave up while it was away', async () => {
    await subject().goAway()
    const first = begin('first', { timeoutMs: 1_000 })
    await pass(2_000)
    expect(first.error?.code).to.equal('TANDEM_EPOCH_STORE_FAILED')
    await subject().comeBack()
    await pass(2_000)
    await begun('second')
  })

  it('does not stop a holder by being away; that nobody is kept from starting is told', async () => {
    const first = await begun('first')
    await subject().goAway()
    await pass(60_000)
    expect(first.facts).to.deep.equal(['producer-id-unheld'])
    await subject().comeBack()
    await pass(5_000)
    const second = begin('second')
    await pass(LEASE_MS)
    expectRefused(second, 'first')
    expect(first.facts).to.deep.equal(['producer-id-unheld'])
  })
}

const immediate = <T>(promise: Promise<T>): Promise<T> => promise

describe('conformance: clock epochs', () => {
  let store: EpochStore
  beforeEach(() => (store = new ClockEpochs()))
  epochStoreSuite(() => ({
    open: () => store,
    wallMs: async () => Math.floor(systemClock.wall()),
    settle: immediate,
  }))
})

describe('conformance: simulated clock epochs', () => {
  const world = new World()
  const process = world.createProcess('producer')
  let store: EpochStore
  beforeEach(() => (store = clockEpochs(process)))
  epochStoreSuite(() => ({ open: () => store, wallMs: async () => process.clock.wall(), settle: immediate }))
})

describe('conformance: epoch store in files', () => {
  let path: string
  beforeEach(() => (path = mkdtempSync(join(tmpdir(), 'tandem-epochs-'))))
  afterEach(() => rmSync(path, { recursive: true }))
  sharedEpochStoreSuite(() => ({
    open: () => new FileEpochStore(path),
    wallMs: async () => Math.floor(systemClock.wall()),
    settle: immediate,
  }))

  it('gives processes that race for it epochs of their own', async function () {
    this.timeout(60_000)
    const options = { path, producerId: producer(), count: 25 }
    const takers = await started(['a', 'b', 'c', 'd'].map((host) => ({ ...options, host })))
    for (const taker of takers) taker.go()
    const taken = await Promise.all(takers.map((taker) => taker.epochs()))
    expect(taken.map((epochs) => epochs.length)).to.deep.equal([25, 25, 25, 25])
    for (const epochs of taken) expect(epochs).to.deep.equal([...epochs].sort((a, b) => a - b))
    expect(new Set(taken.flat()).size).to.equal(100)
  })

  it('goes on above what was taken by a process that was killed at any instant', async function () {
    this.timeout(60_000)
    const options = { path, producerId: producer(), host: 'a' }
    let last = 0
    for (let i = 0; i < 5; i++) {
      const [taker] = await started([{ ...options, count: 1_000_000 }])
      taker!.go()
      await taker!.until((lines) => lines.length > 1 + i * 7)
      await taker!.kill()
      const epochs = await taker!.epochs()
      expect(Math.min(...epochs)).to.be.greaterThan(last)
      last = Math.max(...epochs)
    }
    const { epoch } = await new FileEpochStore(path).take(request(options.producerId))
    expect(epoch).to.be.greaterThan(last)
  })
})

describe('conformance: simulated epoch store', () => {
  const world = new World()
  const process = world.createProcess('producer')
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false
    const over = (): boolean => (settled = true)
    promise.then(over, over)
    expect(await world.until(() => settled, 60_000)).to.equal(true)
    return promise
  }
  const wallMs = async (): Promise<number> => process.clock.wall()
  const open = (): EpochStore => world.epochs.connection(world.createProcess('other'))
  sharedEpochStoreSuite(() => ({ open, wallMs, settle }))

  describe('with a lease', () => {
    const { epochs } = world
    const takeOver = (): EpochStore => epochs.connection(world.createProcess('other'), { takeOver: true })
    sharedEpochStoreSuite(() => ({ open: takeOver, wallMs, settle }))
    leasedEpochStoreSuite(() => ({
      world,
      connection: (each, options) => epochs.connection(each, options),
      pass: (ms) => world.run(ms),
      goAway: async () => epochs.goAway(),
      comeBack: async () => epochs.comeBack(),
      empty: async () => epochs.empty(),
      snapshot: async () => {
        const fallBack = epochs.snapshot()
        return async () => fallBack()
      },
    }))
  })
})

describe('conformance: epoch store in Redis', function () {
  this.timeout(60_000)
  let server: RedisServer
  let redis: Redis
  let others: Redis[] = []
  let hung = false

  before(async () => {
    server = await RedisServer.start()
    redis = new Redis(server.url)
    redis.on('error', () => undefined) // it is restarted below
  })

  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  afterEach(() => {
    for (const each of others) each.disconnect()
    others = []
  })

  const connect = (): Redis => {
    const connection = new Redis(server.url)
    others.push(connection)
    return connection
  }

  sharedEpochStoreSuite(() => ({
    open: () => new RedisEpochStore(connect(), { takeOver: true }),
    wallMs: async () => {
      const [seconds, micros] = (await redis.time()) as unknown as [number, number]
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
    },
    settle: immediate,
  }))

  const world = new World()
  leasedEpochStoreSuite(() => ({
    world,
    connection: (process, options) => new RedisEpochStore(connect(), options, process.clock),
    pass: async (ms) => {
      for (let left = ms; left >= 0; left -= STEP_MS) {
        // What was sent before a ping was answered before it.
        if (!hung) await Promise.all(others.map((each) => each.ping()))
        await world.run(Math.min(left, STEP_MS))
      }
    },
    goAway: async () => {
      await server.hang()
      hung = true
    },
    comeBack: async () => {
      await server.resume()
      hung = false
    },
    empty: async () => {
      await redis.flushall()
    },
    snapshot: async () => {
      const key = (await redis.keys('*'))[0]!
      const hash = await redis.hgetall(key)
      return async () => {
        await redis.hset(key, hash)
      }
    },
  }))
  beforeEach(() => redis.flushall())

  it('goes on above what it gave before it was killed, also if its clock is behind', async () => {
    const id = producer()
    const ahead = Date.now() + 1_000_000_000
    await redis.hset(epochKey(id), 'epoch', String(ahead))
    const store = new RedisEpochStore(redis, { takeOver: true })
    expect((await store.take(request(id))).epoch).to.equal(ahead + 1)
    await server.kill()
    await server.restart()
    expect((await store.take(request(id))).epoch).to.equal(ahead + 2)
  })

  it('takes the time if it lost everything', async () => {
    const id = producer()
    await new RedisEpochStore(redis).take(request(id))
    await server.restart({ empty: true })
    const before = Date.now()
    expect((await new RedisEpochStore(redis).take(request(id))).epoch).to.be.within(before - 1, Date.now())
  })

  it('refuses with a typed error to go on from what is no epoch, and from what cannot be exceeded', async () => {
    const id = producer()
    for (const stored of ['x', '-5', '1.5', '9007199254740990', '1e400', 'nan', 'inf', '']) {
      await redis.hset(epochKey(id), 'epoch', stored)
      const outcome: unknown = await new RedisEpochStore(redis).take(request(id)).catch((error: unknown) => error)
      expect(isTandemError(outcome, 'TANDEM_EPOCH_STORE_FAILED'), `${stored}: ${String(outcome)}`).to.equal(true)
    }
  })

  it('gives processes that race for it epochs of their own', async () => {
    const options = { redisUrl: server.url, takeOver: true, producerId: producer(), count: 50 }
    const takers = await started(['a', 'b', 'c', 'd'].map((host) => ({ ...options, host })))
    for (const taker of takers) taker.go()
    const taken = await Promise.all(takers.map((taker) => taker.epochs()))
    expect(taken.map((epochs) => epochs.length)).to.deep.equal([50, 50, 50, 50])
    for (const epochs of taken) expect(epochs).to.deep.equal([...epochs].sort((a, b) => a - b))
    expect(new Set(taken.flat()).size).to.equal(200)
  })

  it('lets one of the processes that race for it start, and the next one when that is killed', async () => {
    const options = { redisUrl: server.url, producerId: producer(), count: 1, stay: true }
    const takers = await started(['a', 'b', 'c'].map((host) => ({ ...options, leaseMs: 60_000, host })))
    for (const taker of takers) taker.go()
    for (const taker of takers) await taker.until((lines) => lines.length > 1)
    const winner = takers.filter(({ lines }) => lines[1]!.kind === 'taken')
    expect(winner.length).to.equal(1)
    const { host } = winner[0]!.options
    for (const { lines, options } of takers) {
      if (options.host === host) continue
      expect(lines[1]).to.deep.equal({ kind: 'refused', code: 'TANDEM_PRODUCER_ID_HELD', holder: host })
    }

    const [next] = await started([{ ...options, leaseMs: 3_000, host: 'next' }])
    await winner[0]!.kill()
    next!.go()
    await next!.until((lines) => lines.length > 1)
    expect((await next!.epochs())[0]).to.be.greaterThan((await winner[0]!.epochs())[0]!)
  })

  it('tells a process that was stopped, and goes on, who has started meanwhile', async () => {
    const options = { redisUrl: server.url, leaseMs: 3_000, producerId: producer(), count: 1, stay: true }
    const [first, second] = await started(['first', 'second'].map((host) => ({ ...options, host })))
    first!.go()
    await first!.until((lines) => lines.length > 1)
    first!.signal('SIGSTOP')
    second!.go()
    await second!.until((lines) => lines.length > 1)
    expect(second!.lines[1]!.kind).to.equal('taken')
    first!.signal('SIGCONT')
    const told: EpochTakerLine = { kind: 'event', event: 'producer-id-taken', by: 'second' }
    await first!.until((lines) => lines.some((line) => JSON.stringify(line) === JSON.stringify(told)))
  })
})

/** Processes that take epochs; gone when the test is over. */
let running: Taker[] = []
afterEach(async () => {
  await Promise.all(running.map((taker) => taker.kill()))
  running = []
})

async function started(all: readonly EpochTakerOptions[]): Promise<Taker[]> {
  const takers = all.map((options) => new Taker(options))
  running.push(...takers)
  for (const taker of takers) await taker.until((lines) => lines.length > 0)
  return takers
}

class Taker {
  readonly options: EpochTakerOptions
  readonly lines: EpochTakerLine[] = []
  readonly #child: ChildProcess
  readonly #over: Promise<unknown>
  #changed: () => void = () => undefined

  constructor(options: EpochTakerOptions) {
    this.options = options
    const file = fileURLToPath(new URL('./epoch-taker.js', import.meta.url))
    this.#child = spawn(process.execPath, [file, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin!.on('error', () => undefined) // it was killed
    const lines = createInterface(this.#child.stdout!)
    lines.on('line', (line) => {
      this.lines.push(JSON.parse(line) as EpochTakerLine)
      this.#changed()
    })
    this.#over = once(lines, 'close').then(() => this.#changed())
  }

  go(): void {
    this.#child.stdin!.write('\n')
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#over
  }

  /** Until it has written what is waited for, or has ended. */
  async until(condition: (lines: readonly EpochTakerLine[]) => boolean): Promise<void> {
    let over = false
    void this.#over.then(() => (over = true))
    while (!condition(this.lines) && !over) await new Promise<void>((resolve) => (this.#changed = resolve))
    expect(condition(this.lines), JSON.stringify(this.lines.slice(0, 10))).to.equal(true)
  }

  /** All that it took, once it has ended; what it has taken so far, if it stays. */
  async epochs(): Promise<number[]> {
    if (this.options.stay !== true) await this.#over
    return this.lines.flatMap((line) => (line.kind === 'taken' ? [line.epoch] : []))
  }
}

/** The store's default. */
const LEASE_MS = 5_000
/** As soon as it is asked again. */
const AT_ONCE_MS = 300
const STEP_MS = 50
