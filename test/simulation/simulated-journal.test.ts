import { isTandemError, type TandemError } from '@tandem/common'
import type {
  DeadLetter,
  Journal,
  JournalContents,
  JournalEntry,
  JournalMark,
  JournalOwner,
} from '@tandem/producer/internal'
import { expect } from 'chai'

import { SimulatedDisk, type DiskOptions } from './simulated-journal.js'
import type { SimulatedProcess } from './simulated-process.js'
import { World } from './world.js'

describe('simulated journal', () => {
  const OWNER: JournalOwner = { producerId: 'ledger-7', epoch: 1, incarnation: 7, clusters: ['east', 'west'] }
  const AT = { topic: 'entries', partition: 0 }
  const ALL = { entriesMax: 1_000, bytesMax: 1 << 20 }

  interface Life {
    readonly world: World
    readonly disk: SimulatedDisk
    readonly process: SimulatedProcess
    readonly journal: Journal
    readonly contents: JournalContents
  }

  async function begin(seed = 1, options: Partial<DiskOptions> = {}): Promise<Life> {
    const world = new World({ seed })
    const disk = new SimulatedDisk({ timeline: world.timeline, prng: world.fork(), latencyMs: [5, 20], ...options })
    return live(world, disk)
  }

  async function live(world: World, disk: SimulatedDisk): Promise<Life> {
    const process = world.createProcess('producer')
    const journal = disk.journal('path', process)
    return { world, disk, process, journal, contents: await settled(world, journal.open(OWNER)) }
  }

  async function settled<T>(world: World, promise: Promise<T>): Promise<T> {
    let over = false
    const end = (): boolean => (over = true)
    promise.then(end, end)
    expect(await world.until(() => over, 60_000), 'it was not settled').to.equal(true)
    return promise
  }

  async function rejection(
    world: World,
    promise: Promise<unknown>,
    code = 'TANDEM_JOURNAL_FAILED',
  ): Promise<TandemError> {
    const outcome: unknown = await settled(world, promise).catch((error: unknown) => error)
    expect(isTandemError(outcome, code as never), String(outcome)).to.equal(true)
    return outcome as TandemError
  }

  function entriesOf(first: number, last: number): JournalEntry[] {
    return Array.from({ length: last - first + 1 }, (_, i) => ({
      ...AT,
      ...{
        place: first + i,
        epoch: 1,
        incarnation: 7,
        keyRange: 0,
        first: first + i,
        count: 1,
        key: null,
        value: Buffer.from('x'),
      },
      ...{
        headers: [],
        timestampMs: 1,
        ordinal: first + i,
        sealedWallMs: 1,
        bytesBefore: (first + i - 1) * 100,
        bytes: 100,
      },
    }))
  }

  const LETTER: DeadLetter = {
    position: { producerId: 'ledger-7', epoch: 1, incarnation: 7, counter: 1 },
    ...{ keyRange: 0, ...AT, key: null, value: null, headers: [], timestampMs: 1 },
    ...{ outcome: 'unknown', reason: 'no answer', rejectedWallMs: 1, from: {} },
  }

  const doneAt = (done: number): JournalMark[] =>
    [0, 1].map((lane) => ({ ...AT, lane: lane as 0 | 1, done, forgone: [] }))

  it('has after a kill what was resolved, and what was under way wholly or not at all', async () => {
    const found = new Set<number>()
    for (let seed = 1; seed <= 40; seed++) {
      const { world, disk, process, journal } = await begin(seed)
      await settled(world, journal.append(entriesOf(1, 5)))
      void journal.append(entriesOf(6, 9))
      await world.run(seed % 5)
      process.kill()
      await world.run(seed % 2 === 0 ? 0 : 100)
      const { contents } = await live(world, disk)
      await world.run(100) // nothing of the dead one comes later
      found.add(contents.partitions[0]!.next)
      const next = await live(world, disk).catch((error: unknown) => error)
      expect(next).to.have.property('code', 'TANDEM_JOURNAL_LOCKED')
    }
    expect([...found]).to.have.members([6, 10])
  })

  it('loses at a kill marks that are not on the disk yet, and none that were there when it was closed', async () => {
    const found = new Set<number>()
    for (let seed = 1; seed <= 40; seed++) {
      const { world, disk, process, journal } = await begin(seed)
      await settled(world, journal.append(entriesOf(1, 10)))
      for (let done = 2; done <= 8; done++) {
        await settled(world, journal.mark(doneAt(done)))
        await world.run(100)
      }
      process.kill()
      const { contents, journal: next } = await live(world, disk)
      const { first, done } = contents.partitions[0]!
      expect(done).to.deep.equal([first, first])
      found.add(first)
      const { entries } = await settled(world, next.read({ ...AT, place: first }, ALL))
      expect(entries).to.have.length(11 - first)
      await settled(world, next.mark(doneAt(9)))
      await settled(world, next.close())
      expect((await live(world, disk)).contents.partitions[0]!.first).to.equal(9)
    }
    expect(found.size).to.be.greaterThan(3)
  })

  it('locks out others while its process lives, also if that is stopped, and not when it is dead', async () => {
    const { world, disk, process } = await begin()
    process.stop()
    const other = disk.journal('path', world.createProcess('other'))
    await rejection(world, other.open(OWNER), 'TANDEM_JOURNAL_LOCKED')
    process.kill()
    await settled(world, other.open(OWNER))
  })

  it('takes nothing more when it is full, and again when something was removed', async () => {
    const { world, disk, journal } = await begin()
    disk.full(1_000)
    await settled(world, journal.append(entriesOf(1, 8)))
    const error = await rejection(world, journal.append(entriesOf(9, 12)))
    expect(error.details).to.deep.include({ path: 'path', undone: true })
    await settled(world, journal.mark(doneAt(7)))
    await world.run(2_000)
    await settled(world, journal.append(entriesOf(9, 12)))
    disk.full()
    await rejection(world, journal.append([]))
    await rejection(world, journal.bury([LETTER]))
    disk.heal()
    await settled(world, journal.append(entriesOf(13, 100)))
    await settled(world, journal.bury([LETTER]))
  })

  it('writes nothing when it fails, and can be read', async () => {
    const { world, disk, journal } = await begin()
    await settled(world, journal.append(entriesOf(1, 3)))
    disk.fail()
    for (const attempt of [journal.append(entriesOf(4, 4)), journal.mark(doneAt(2)), journal.bury([LETTER])]) {
      await rejection(world, attempt)
    }
    expect((await settled(world, journal.read({ ...AT, place: 1 }, ALL))).entries).to.have.length(3)
    disk.heal()
    await settled(world, journal.append(entriesOf(4, 4)))
  })

  it('may leave to the next life what a failing disk refused, if it said so, and if nothing was written after it', async () => {
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 60; seed++) {
      const { world, disk, process, journal } = await begin(seed)
      disk.fail()
      const { details } = await rejection(world, journal.append(entriesOf(1, 3)))
      disk.heal()
      const healed = seed % 3 === 0
      if (healed) await settled(world, journal.append(entriesOf(1, 1)))
      process.kill()
      const next = (await live(world, disk)).contents.partitions[0]?.next ?? 1
      outcomes.add(`${healed ? 'healed' : details.undone ? 'undone' : 'in doubt'}: ${next}`)
    }
    expect([...outcomes]).to.have.members(['undone: 1', 'in doubt: 1', 'in doubt: 4', 'healed: 2'])
  })

  it('is late when it is slow', async () => {
    const { world, disk, journal } = await begin()
    disk.slow(3_000)
    let over = false
    void journal.append(entriesOf(1, 1)).then(() => (over = true))
    await world.run(2_900)
    expect(over).to.equal(false)
    await world.run(200)
    expect(over).to.equal(true)
  })

  it('damages an entry in the middle, which is skipped and told', async () => {
    const { world, disk, journal } = await begin()
    expect(disk.tear()).to.equal(undefined)
    await settled(world, journal.append(entriesOf(1, 10)))
    const torn = disk.tear()!.place
    expect(torn).to.be.within(2, 9)
    const { entries, damaged, next } = await settled(world, journal.read({ ...AT, place: 1 }, ALL))
    expect(entries.map(({ place }) => place)).to.deep.equal(
      entriesOf(1, 10)
        .map(({ place }) => place)
        .filter((place) => place !== torn),
    )
    expect(damaged.map(({ first, last }) => [first, last])).to.deep.equal([[torn, torn]])
    expect(next).to.equal(11)
  })

  it('answers a stopped process when it is continued', async () => {
    const { world, process, journal } = await begin()
    let over = false
    void journal.append(entriesOf(1, 1)).then(() => (over = true))
    process.stop()
    await world.run(10_000)
    expect(over).to.equal(false)
    process.continue()
    await world.run(0)
    expect(over).to.equal(true)
  })
})
