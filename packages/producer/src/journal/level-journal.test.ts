import { execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { cp, mkdir, mkdtemp, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { isTandemError, type TandemError } from '@tandem/common/internal'
import { expect } from 'chai'
import { ClassicLevel } from 'classic-level'

import { pack } from './entry-codec.js'
import { entryKey, ownerKey } from './journal-keys.js'
import type { DeadLetter, JournalEntry, JournalMark, JournalOwner, JournalPartition } from './journal.js'
import { LevelJournal, type LevelJournalSettings } from './level-journal.js'

/** What is true of the journal on LevelDB beyond what every journal does: kills, damage, a full disk, space. */
describe('journal on LevelDB', function () {
  this.timeout(120_000)
  const OWNER: JournalOwner = { producerId: 'ledger-7', epoch: 1, incarnation: 7, clusters: ['east', 'west'] }
  const AT = { topic: 'entries', partition: 3 }
  const SMALL: LevelJournalSettings = { reserveBytes: 0 }
  let root: string
  let path: string
  let paths = 0
  let open_: LevelJournal[] = []

  before(async () => (root = await mkdtemp(join(tmpdir(), 'tandem-journal-'))))
  beforeEach(() => (path = join(root, String(paths++))))
  after(() => rm(root, { recursive: true }))
  afterEach(async () => {
    for (const journal of open_) await journal.close().catch(() => undefined)
    open_ = []
  })

  /** The path itself may not have been made yet. */
  const files = (pattern: RegExp) =>
    readdir(join(path, 'entries')).then((names) =>
      names
        .filter((name) => pattern.test(name))
        .sort()
        .map((name) => join(path, 'entries', name)),
    )

  function entriesOf(first: number, last: number, bytes = 1_000): JournalEntry[] {
    return Array.from({ length: last - first + 1 }, (_, i) => ({
      ...AT,
      ...{ place: first + i, epoch: 1, incarnation: 7, keyRange: 3, first: first + i, count: 1 },
      ...{ key: null, value: randomBytes(bytes), headers: [], timestampMs: 1, ordinal: first + i, sealedWallMs: 1 },
      ...{ bytesBefore: (first + i - 1) * bytes, bytes },
    }))
  }

  async function life(settings = SMALL) {
    const journal = new LevelJournal(path, settings)
    open_.push(journal)
    const contents = await journal.open(OWNER)
    return { journal, partition: contents.partitions[0] as JournalPartition, contents }
  }

  /** What can be read, and the places of what cannot. */
  async function all(journal: LevelJournal) {
    const places: number[] = []
    const damaged: { first: number; last: number; reason: string }[] = []
    for (let place = 1; ;) {
      const run = await journal.read({ ...AT, place }, { entriesMax: 500, bytesMax: 1 << 20 })
      for (const entry of run.entries) places.push(entry.place)
      damaged.push(...run.damaged)
      if (run.next === place) return { places, damaged }
      place = run.next
    }
  }

  const placesUpTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
  const doneAt = (done: number): JournalMark[] =>
    [0, 1].map((lane) => ({ ...AT, lane: lane as 0 | 1, done, forgone: [] }))

  /** Fails unless what is read and what is told as damaged are together all places, each once. */
  function expectAccounted(found: Awaited<ReturnType<typeof all>>, last: number): void {
    const lost = found.damaged.flatMap(({ first, last }) => placesUpTo(last).slice(first - 1))
    expect([...found.places, ...lost].sort((a, b) => a - b)).to.deep.equal(placesUpTo(last))
  }

  async function damage(file: string, at: number, bytes: number): Promise<void> {
    const handle = await open(file, 'r+')
    await handle.write(randomBytes(bytes), 0, bytes, at)
    await handle.close()
  }

  async function rejection(promise: Promise<unknown>, code: string): Promise<TandemError> {
    const outcome: unknown = await promise.then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(isTandemError(outcome, code as never), String(outcome)).to.equal(true)
    return outcome as TandemError
  }

  /** So many entries, the last ones in the log; closed. */
  async function filled(count: number): Promise<void> {
    const { journal } = await life()
    for (let first = 1; first <= count; first += 100) await journal.append(entriesOf(first, first + 99))
    await journal.close()
  }

  /** The same, all in tables: each opening makes one of what was in the log. */
  async function inTables(count: number): Promise<void> {
    await filled(count)
    await (await life()).journal.close()
  }

  describe('a process that is killed', () => {
    /** Appends and marks for ever, and prints each place once its append has resolved. */
    const CHILD = `
      const { writeSync } = await import('node:fs')
      const { LevelJournal } = await import(process.argv[1])
      const journal = new LevelJournal(process.argv[2], { reserveBytes: 0, compactBytesMin: 65_536 })
      const owner = { producerId: 'ledger-7', epoch: 1, incarnation: 7, clusters: ['east', 'west'] }
      const [partition] = (await journal.open(owner)).partitions
      let place = partition?.next ?? 1
      const done = partition?.done ?? [1, 1]
      for (;;) {
        const entries = []
        for (let left = 1 + Math.floor(Math.random() * 50); left > 0; left--, place++) {
          entries.push({ topic: 'entries', partition: 3, place, epoch: 1, incarnation: 7, keyRange: 3, first: place,
            count: 1, key: null, value: Buffer.alloc(1_000, place), headers: [], timestampMs: 1, ordinal: place,
            sealedWallMs: 1, bytesBefore: (place - 1) * 1_000, bytes: 1_000 })
        }
        await journal.append(entries)
        writeSync(1, place - 1 + '\\n')
        const lane = Math.random() < 0.5 ? 0 : 1
        done[lane] += Math.floor(Math.random() * (place - done[lane]))
        void journal.mark([{ topic: 'entries', partition: 3, lane, done: done[lane], forgone: [] }])
      }`

    it('leaves everything that was resolved, at any instant', async () => {
      const program = new URL('level-journal.js', import.meta.url).href
      let last = 0
      for (let round = 0; round < 12; round++) {
        const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, program, path], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        let printed = ''
        const begun = new Promise((resolve) => child.stdout.once('data', resolve))
        child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
        const closed = new Promise((resolve) => child.once('close', resolve))
        await Promise.race([begun, closed.then(() => Promise.reject(new Error('the child ended by itself')))])
        if (round === 0) {
          const { message } = await rejection(new LevelJournal(path, SMALL).open(OWNER), 'TANDEM_JOURNAL_LOCKED')
          expect(message).to.contain(path)
        }
        await new Promise((resolve) => setTimeout(resolve, randomInt(200)))
        child.kill('SIGKILL')
        await closed
        const resolved = Number(printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1))
        expect(resolved).to.be.greaterThan(last)
        last = resolved
        const { journal, partition, contents } = await life()
        expect(contents.droppedBytes).to.equal(0)
        expect(partition.next).to.be.greaterThan(resolved)
        expect(partition.bytesNext).to.equal((partition.next - 1) * 1_000)
        expect(partition.bytesFirst).to.equal((partition.first - 1) * 1_000)
        const { places, damaged } = await all(journal)
        expect(damaged).to.deep.equal([])
        expect(places).to.deep.equal(placesUpTo(partition.next - 1).slice(partition.first - 1))
        await journal.close()
      }
    }).timeout(60_000)
  })

  describe('damage', () => {
    it('in a table: skipped and told; what is behind it comes, and the journal goes on', async () => {
      await inTables(6_000)
      const [table] = await files(/\.ldb$/)
      await damage(table!, (await stat(table!)).size >> 1, 6_000)
      const { journal } = await life()
      const found = await all(journal)
      expectAccounted(found, 6_000)
      expect(found.damaged.length).to.be.within(1, 20)
      expect(found.places.length).to.be.greaterThan(5_950)
      // Merging tables makes LevelDB find it, and refuse all writes from then on.
      await journal.mark(doneAt(6_001))
      for (let first = 6_001; first < 16_000; first += 1_000) {
        const entries = entriesOf(first, first + 999)
        await journal.append(entries).catch(() => journal.append(entries))
      }
      expect((await all(journal)).places).to.deep.equal(placesUpTo(16_000).slice(6_000))
      await journal.close()
      expect((await all((await life()).journal)).places).to.have.length(10_000)
    })

    it('in a table, when tables are merged: at most one write is refused, and it is repaired once', async () => {
      await inTables(6_000)
      const [table] = await files(/\.ldb$/)
      await damage(table!, (await stat(table!)).size >> 1, 6_000)
      const { journal } = await life({ ...SMALL, compactBytesMin: 0 })
      expect((await all(journal)).damaged).to.not.be.empty
      const { repair } = ClassicLevel
      let repairs = 0
      ClassicLevel.repair = (location) => (repairs++, repair.call(ClassicLevel, location))
      let refused = 0
      let last = 6_000
      const step = async (done: number): Promise<void> => {
        await journal.mark(doneAt(done)) // which has tables merged
        await journal.append(entriesOf(last + 1, last + 10)).then(
          () => (last += 10),
          () => refused++,
        )
      }
      try {
        let done = 2
        await eventually(async () => {
          await step(done++)
          expect(repairs).to.equal(1)
        })
        for (let left = 30; left > 0; left--) await step(done++)
        expect({ repairs, refused: refused <= 1 }).to.deep.equal({ repairs: 1, refused: true })
        const found = await all(journal)
        expectAccounted({ ...found, places: [...placesUpTo(done - 2), ...found.places] }, last)
        expect(found.places.length).to.be.greaterThan(last - done - 30)
      } finally {
        ClassicLevel.repair = repair
      }
    })

    for (const [what, harm] of Object.entries({
      'a table cut short': async (file: string) => truncate(file, (await stat(file)).size >> 1),
      'a table without its end': async (file: string) => damage(file, (await stat(file)).size - 40, 40),
      'a table that is empty': (file: string) => truncate(file, 0),
      'a table that is gone': (file: string) => rm(file),
    })) {
      it(`${what}: told; the others come`, async () => {
        await inTables(9_000)
        const tables = await files(/\.ldb$/)
        expect(tables.length).to.be.greaterThan(1)
        await harm(tables[0]!)
        const { journal, partition } = await life()
        expect(partition).to.deep.include({ first: 1, next: 9_001 })
        const found = await all(journal)
        expectAccounted(found, 9_000)
        expect(found.places.length).to.be.within(1_000, 8_000)
        await journal.append(entriesOf(9_001, 9_001))
      })
    }

    it('in the log: told; what is behind it comes', async () => {
      await filled(2_000)
      const [log] = await files(/\.log$/)
      await damage(log!, (await stat(log!)).size >> 1, 100)
      const { journal, partition, contents } = await life()
      expect(partition.next).to.equal(2_001)
      expect(contents.droppedBytes).to.be.greaterThan(0)
      const found = await all(journal)
      expectAccounted(found, 2_000)
      expect(found.damaged).to.have.length(1)
      expect(found.places.length).to.be.greaterThan(1_500)
    })

    it('at the end of the log: the places are given again, which is told', async () => {
      await filled(2_000)
      const [log] = await files(/\.log$/)
      await damage(log!, (await stat(log!)).size - 5_000, 100)
      const { journal, partition, contents } = await life()
      expect(partition.next).to.be.within(1_801, 2_000)
      expect(contents.droppedBytes).to.be.greaterThan(0)
      expectAccounted(await all(journal), partition.next - 1)
      await journal.append(entriesOf(partition.next, partition.next))
      await journal.close()
      expect((await life()).contents.droppedBytes).to.equal(0)
    })

    it('that takes the last entries of one partition and not of another: told', async () => {
      const { journal } = await life()
      const [other, another] = [entriesOf(1, 20, 5_000), entriesOf(21, 40, 5_000)].map((entries) =>
        entries.map((entry) => ({ ...entry, topic: 'other' })),
      )
      await journal.append(other!)
      await journal.append(entriesOf(1, 20, 5_000))
      await journal.append(another!)
      await journal.close()
      const [log] = await files(/\.log$/)
      await damage(log!, 150_000, 10)
      const { contents } = await life()
      expect(contents.partitions.map(({ topic, next }) => [topic, next])).to.deep.equal([['other', 41]])
      expect(contents.droppedBytes).to.be.greaterThan(0)
    })

    it('is none: a write cut short by a crash', async () => {
      await filled(2_000)
      const [log] = await files(/\.log$/)
      await truncate(log!, (await stat(log!)).size - 5_000)
      const { partition, contents } = await life()
      expect(partition.next).to.be.within(1_801, 2_000)
      expect(contents.droppedBytes).to.equal(0)
    })

    for (const [what, harm] of Object.entries({
      'without CURRENT': () => rm(join(path, 'entries', 'CURRENT')),
      'with an empty CURRENT': () => writeFile(join(path, 'entries', 'CURRENT'), ''),
      'with a damaged MANIFEST': async () => damage((await files(/^MANIFEST/))[0]!, 8, 30),
      'without MANIFEST': async () => rm((await files(/^MANIFEST/))[0]!),
      'with a damaged lock': () => writeFile(join(path, 'lock', 'CURRENT'), 'x'),
    })) {
      it(`${what}: repaired when it is opened, with all entries and marks`, async () => {
        await filled(6_000)
        const { journal: marking } = await life()
        await marking.mark(doneAt(100))
        await marking.close()
        await harm()
        const { journal, partition } = await life()
        expect(partition).to.deep.include({ first: 100, next: 6_001, done: [100, 100] })
        expect((await all(journal)).places).to.deep.equal(placesUpTo(6_000).slice(99))
        await journal.append(entriesOf(6_001, 6_001))
      })
    }

    it('of what is beside the entries: places go on behind the last one', async () => {
      await filled(300)
      const level = new ClassicLevel<Buffer, Buffer>(join(path, 'entries'), BUFFERS)
      for await (const key of level.keys()) if (key[0]! < entryKey(1, 1)[0]!) await level.put(key, Buffer.from('x'))
      await level.close()
      const { journal, partition } = await life()
      expect(partition).to.deep.include({ first: 1, next: 301, bytesFirst: 0, bytesNext: 300_000 })
      await journal.append(entriesOf(301, 302))
      expect((await all(journal)).places).to.deep.equal(placesUpTo(302))
    })

    it('of single entries and dead letters: told, one by one', async () => {
      const { journal } = await life()
      await journal.append(entriesOf(1, 10))
      for (const counter of [1, 2, 3]) await journal.bury([letterOf(counter)])
      await journal.close()
      const level = new ClassicLevel<Buffer, Buffer>(join(path, 'entries'), BUFFERS)
      const [third, fourth] = [entryKey(1, 3), entryKey(1, 4)]
      const value = await level.get(fourth)
      await level.batch([
        { type: 'put', key: third, value: value! }, // whole, but of another key
        { type: 'del', key: entryKey(1, 7) },
        { type: 'put', key: entryKey(1, 10), value: Buffer.alloc(40) },
      ])
      const letters = await level.keys({ gte: Buffer.of(6), lt: Buffer.of(7) }).all()
      await level.put(letters[1]!, Buffer.from('damaged'))
      await level.close()
      const { journal: next } = await life()
      const { places, damaged } = await all(next)
      expect(places).to.deep.equal([1, 2, 4, 5, 6, 8, 9])
      expect(damaged.map(({ first, last, reason }) => `${first}-${last} ${reason}`)).to.deep.equal([
        '3-3 its checksum is wrong',
        '7-7 it is not there',
        '10-10 its version is 0, known is 1',
      ])
      const found = []
      for await (const one of next.deadLetters())
        found.push('letter' in one ? one.letter.position.counter : one.damaged)
      expect(found).to.deep.equal([1, 'its version is 100, known is 1', 3])
    })
  })

  describe('a write that failed', () => {
    const original = ClassicLevel.prototype.batch as () => Batch
    type Batch = { write: (options: object) => Promise<void> }
    afterEach(() => (ClassicLevel.prototype.batch = original as never))

    /** From now on, writes are carried out, and then said to have failed, so many times. */
    function failWrites(times: number): void {
      ClassicLevel.prototype.batch = function (this: ClassicLevel) {
        const batch = original.call(this)
        const write = batch.write.bind(batch)
        batch.write = async (options) => {
          await write(options)
          if (times-- <= 0) return
          throw Object.assign(new Error('IO error: 000003.log: Input/output error'), { code: 'LEVEL_IO_ERROR' })
        }
        return batch
      } as never
    }

    it('is none before it is on disk for good; marks are not waited for', async () => {
      const forced: unknown[] = []
      ClassicLevel.prototype.batch = function (this: ClassicLevel) {
        const batch = original.call(this)
        const write = batch.write.bind(batch)
        batch.write = (options) => {
          forced.push((options as { sync: boolean }).sync)
          return write(options)
        }
        return batch
      } as never
      const { journal } = await life()
      forced.length = 0
      await journal.append(entriesOf(1, 2))
      await journal.append([])
      await journal.bury([letterOf(1)])
      await journal.exhume('1')
      await journal.mark(doneAt(2))
      await journal.close()
      expect(forced).to.deep.equal([true, true, true, true, false, true])
    })

    it('is taken back, though it got to the disk, before its rejection is told', async () => {
      const { journal } = await life()
      await journal.append(entriesOf(1, 10))
      failWrites(1)
      const error = await rejection(journal.append(entriesOf(11, 20)), 'TANDEM_JOURNAL_FAILED')
      expect(error.message).to.contain('Input/output error').and.to.contain(path)
      expect(error.details).to.deep.include({ path, undone: true })
      expect((await all(journal)).places).to.deep.equal(placesUpTo(10))
      // The next life finds nothing of it, even if this one ends here.
      await cp(path, `${path}-copy`, { recursive: true })
      path = `${path}-copy`
      expect((await life()).partition.next).to.equal(11)
    })

    it('frees its places', async () => {
      const { journal } = await life()
      failWrites(1)
      await rejection(journal.append(entriesOf(1, 10)), 'TANDEM_JOURNAL_FAILED')
      failWrites(1)
      await rejection(journal.bury([letterOf(1)]), 'TANDEM_JOURNAL_FAILED')
      await journal.append(entriesOf(1, 3, 50))
      await journal.bury([letterOf(2)])
      await journal.close()
      const { journal: next, partition, contents } = await life()
      expect(partition).to.deep.include({ first: 1, next: 4, bytesNext: 150 })
      expect((await all(next)).places).to.deep.equal([1, 2, 3])
      expect(contents.deadLetters).to.equal(1)
    })

    it('is told to be in doubt if it cannot be taken back, and is taken back later', async () => {
      const { journal } = await life()
      await journal.append(entriesOf(1, 10))
      failWrites(2)
      const { details } = await rejection(journal.append(entriesOf(11, 20)), 'TANDEM_JOURNAL_FAILED')
      expect(details.undone).to.equal(false)
      expect((await all(journal)).places).to.deep.equal(placesUpTo(10))
      await journal.append(entriesOf(11, 12))
      await journal.close()
      expect((await life()).partition.next).to.equal(13)
    })

    it('is tried again once if it makes room', async () => {
      const { journal } = await life()
      await journal.append(entriesOf(1, 10))
      failWrites(1)
      await journal.mark(doneAt(4))
      failWrites(2)
      await rejection(journal.mark(doneAt(5)), 'TANDEM_JOURNAL_FAILED')
      await journal.mark(doneAt(5))
      expect((await all(journal)).places).to.deep.equal([5, 6, 7, 8, 9, 10])
    })
  })

  describe('a full disk', () => {
    const run = promisify(execFile)
    const FOLDER_BYTES = 120 << 20
    let disk: string

    before(async function () {
      disk = join(root, 'disk')
      await mkdir(disk)
      try {
        await run('mount', ['-t', 'tmpfs', '-o', `size=${FOLDER_BYTES}`, 'tmpfs', disk])
      } catch (error) {
        console.log(`      skipped: a small disk cannot be mounted here (${String(error).trim()})`)
        disk = ''
        this.skip()
      }
    })
    beforeEach(async () => {
      for (const name of await readdir(disk)) await rm(join(disk, name), { recursive: true })
      path = join(disk, 'journal')
    })
    after(async () => {
      if (disk !== '') await run('umount', [disk])
    })

    /** Appends until the disk is full; returns the last place that is there for good. */
    async function fill(journal: LevelJournal, last = 0): Promise<{ last: number; error: TandemError }> {
      for (;;) {
        try {
          await journal.append(entriesOf(last + 1, last + 100))
          last += 100
        } catch (error) {
          return { last, error: error as TandemError }
        }
      }
    }

    /** Leaves no byte to anybody else. */
    async function occupy(): Promise<string> {
      const file = join(disk, 'other')
      const handle = await open(file, 'w')
      const piece = Buffer.alloc(1 << 16, 1)
      for (let at = 0; ;) {
        const written = await handle.write(piece, 0, piece.length, at).catch(() => undefined)
        if (written === undefined || written.bytesWritten === 0) break
        at += written.bytesWritten
      }
      await handle.close()
      return file
    }

    it('of its own: refuses typed, gives everything back, and goes on once it is drained', async () => {
      const { journal } = await life({})
      const { last, error } = await fill(journal)
      expect(isTandemError(error, 'TANDEM_JOURNAL_FAILED'), String(error)).to.equal(true)
      expect(error.message).to.contain('No space left on device').and.to.contain('Make room')
      expect(error.cause).to.be.instanceOf(Error)
      expect(error.details.undone).to.equal(true)
      expect(last).to.be.greaterThan(10_000)
      expect((await all(journal)).places).to.deep.equal(placesUpTo(last))
      for (let done = 500; done <= last; done += 500) await eventually(() => journal.mark(doneAt(done)))
      await eventually(() => journal.mark(doneAt(last + 1)))
      await eventually(() => journal.append(entriesOf(last + 1, last + 100)))
      const again = await fill(journal, last + 100)
      expect(again.last).to.be.greaterThan(last + 5_000)
      await journal.close()
      const { journal: next, partition } = await life({})
      expect(partition).to.deep.include({ first: last + 1, next: again.last + 1 })
      expect((await all(next)).places).to.have.length(again.last - last)
    })

    it('is found by the next life, which opens, reads and drains it', async () => {
      const { journal } = await life({})
      await journal.append(entriesOf(1, 5_000))
      const other = await occupy()
      await journal.close()
      const { journal: next, partition } = await life({})
      expect(partition.next).to.equal(5_001)
      expect((await all(next)).places).to.deep.equal(placesUpTo(5_000))
      for (const attempt of [next.append(entriesOf(5_001, 5_001)), next.append([]), next.bury([letterOf(1)])]) {
        await rejection(attempt, 'TANDEM_JOURNAL_FAILED')
      }
      for (let done = 500; done <= 5_000; done += 500) await eventually(() => next.mark(doneAt(done)))
      expect((await all(next)).places).to.deep.equal([5_000])
      await rm(other)
      await next.append(entriesOf(5_001, 5_001))
    })

    it('by something else: what was resolved before, between and after is there', async () => {
      const { journal } = await life({})
      let last = 0
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 5; i++, last += 100) await journal.append(entriesOf(last + 1, last + 100))
        const other = await occupy()
        last = (await fill(journal, last)).last
        await rejection(journal.append(entriesOf(last + 1, last + 100)), 'TANDEM_JOURNAL_FAILED')
        await rm(other)
        await journal.append(entriesOf(last + 1, last + 100))
        last += 100
      }
      expect((await all(journal)).places).to.deep.equal(placesUpTo(last))
      await journal.close()
      const { journal: next } = await life({})
      expect(await all(next)).to.deep.equal({ places: placesUpTo(last), damaged: [] })
    })

    it('without any room from the beginning: refused, until there is some', async () => {
      const other = await occupy()
      await rejection(new LevelJournal(path).open(OWNER), 'TANDEM_JOURNAL_FAILED')
      await rm(other)
      await (await life({})).journal.append(entriesOf(1, 1))
    })
  })

  describe('space', () => {
    const sizeOf = async () => {
      let bytes = 0
      for (const file of await files(/./))
        bytes += await stat(file).then(
          ({ size }) => size,
          () => 0,
        ) // merged meanwhile
      return bytes
    }

    it('goes back to the disk once entries are removed', async () => {
      const { journal } = await life()
      for (let first = 1; first < 40_000; first += 1_000) await journal.append(entriesOf(first, first + 999))
      expect(await sizeOf()).to.be.greaterThan(40_000_000)
      for (let done = 1_001; done <= 40_001; done += 1_000) await journal.mark(doneAt(done))
      await eventually(async () => expect(await sizeOf()).to.be.below(10_000_000))
    })

    it('stays bounded while it is filled and drained at once', async () => {
      const { journal } = await life()
      let most = 0
      for (let first = 1; first < 60_000; first += 1_000) {
        await journal.append(entriesOf(first, first + 999))
        await journal.mark(doneAt(Math.max(1, first - 1_000)))
        most = Math.max(most, await sizeOf())
      }
      expect(most).to.be.below(40_000_000)
      await eventually(async () => expect(await sizeOf()).to.be.below(25_000_000))
    })
  })

  describe('a place where it cannot be', () => {
    it('a file, or below one: refused, with the cause', async () => {
      await writeFile(path, 'a file')
      for (const wrong of [path, join(path, 'deeper')]) {
        const error = await rejection(new LevelJournal(wrong, SMALL).open(OWNER), 'TANDEM_JOURNAL_FAILED')
        expect(error.message).to.contain(wrong)
        expect((error.cause as NodeJS.ErrnoException).code).to.match(/^(EEXIST|ENOTDIR)$/)
      }
    })

    it('a folder that takes nothing: refused, with the cause', async () => {
      const error = await rejection(new LevelJournal('/dev/null/journal', SMALL).open(OWNER), 'TANDEM_JOURNAL_FAILED')
      expect(error.cause).to.be.instanceOf(Error)
    })

    it('with folders on the way that are not there: they are made', async () => {
      path = join(path, 'a', 'b', 'c')
      await (await life()).journal.append(entriesOf(1, 1))
    })
  })

  it('refuses what a newer tandem wrote, changes nothing and gives the lock back', async () => {
    await filled(100)
    const level = new ClassicLevel<Buffer, Buffer>(join(path, 'entries'), BUFFERS)
    const owner = await level.get(ownerKey)
    await level.put(ownerKey, pack(ownerKey, [2, { unknown: 'form' }]))
    await level.close()
    for (let i = 0; i < 2; i++) {
      const { details } = await rejection(new LevelJournal(path, SMALL).open(OWNER), 'TANDEM_JOURNAL_VERSION')
      expect(details).to.deep.include({ path, format: 2, known: 1 })
    }
    await level.open()
    await level.put(ownerKey, owner!)
    await level.close()
    expect((await life()).partition.next).to.equal(101)
  })

  it('removes when it is opened what should have been gone', async () => {
    const { journal } = await life()
    const entries = entriesOf(1, 10)
    await journal.append(entries)
    await journal.close()
    await cp(path, `${path}-copy`, { recursive: true })
    const { journal: next } = await life()
    await next.mark(doneAt(6))
    await next.close()
    const level = new ClassicLevel<Buffer, Buffer>(join(path, 'entries'), BUFFERS)
    const old = new ClassicLevel<Buffer, Buffer>(join(`${path}-copy`, 'entries'), BUFFERS)
    for (const place of [2, 4]) await level.put(entryKey(1, place), (await old.get(entryKey(1, place)))!)
    await old.close()
    await level.close()
    const { journal: last, partition } = await life()
    expect(partition.first).to.equal(6)
    expect((await all(last)).places).to.deep.equal([6, 7, 8, 9, 10])
    await last.close()
    await level.open()
    expect(await level.get(entryKey(1, 4))).to.equal(undefined)
    await level.close()
  })

  function letterOf(counter: number): DeadLetter {
    return {
      position: { producerId: 'ledger-7', epoch: 1, incarnation: 7, counter },
      ...{ keyRange: 3, ...AT, key: null, value: null, headers: [], timestampMs: 1 },
      ...{ outcome: 'unknown', reason: 'no answer', rejectedWallMs: 1, from: {} },
    }
  }
})

/** Tries until it succeeds; what happens in the background is over after a while. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 1_200; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' }
