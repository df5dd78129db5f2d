import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  LevelJournal,
  type BuriedLetter,
  type DeadLetter,
  type Journal,
  type JournalEntry,
  type JournalOwner,
} from '@tandem/producer/internal'
import { expect } from 'chai'

import { SimulatedDisk } from '../simulation/simulated-journal.js'
import { World } from '../simulation/world.js'

/** What every Journal does (protocol.md, Lanes and tracks 12), on each implementation. */
const BIG = Number.MAX_SAFE_INTEGER
const OWNER: JournalOwner = {
  producerId: 'ledger-7',
  epoch: 1_700_000_000_000,
  incarnation: 7,
  clusters: ['east', 'west'],
}
const AT = { topic: 'entries', partition: 3 }
const ALL = { entriesMax: 1_000, bytesMax: 1 << 20 }

interface Subject {
  /** The journal that the current test is about, for one life more. */
  create(): Journal
}

function entryOf(place: number, more: Partial<JournalEntry> = {}): JournalEntry {
  return {
    ...AT,
    ...{ place, epoch: OWNER.epoch, incarnation: OWNER.incarnation, keyRange: 3, first: place, count: 1 },
    key: Buffer.from(`account-${place}`),
    value: Buffer.from(`{"amount":${place}}`),
    headers: [{ trace: 'a' }, { tandem: `1:d:ledger-7:1700000000000:7:3:${place}:1` }],
    ...{ timestampMs: 1_700_000_000_000 + place, ordinal: place, sealedWallMs: 1_700_000_000_500 + place },
    ...{ bytesBefore: (place - 1) * 100, bytes: 100, ...more },
  }
}

function entriesOf(first: number, last: number, more: Partial<JournalEntry> = {}): JournalEntry[] {
  return Array.from({ length: last - first + 1 }, (_, i) => entryOf(first + i, more))
}

function letterOf(counter: number, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    position: { producerId: 'ledger-7', epoch: OWNER.epoch, incarnation: 7, counter },
    ...{ keyRange: 3, ...AT, key: null, value: Buffer.from('x'), headers: [{ trace: 'a' }], timestampMs: 5 },
    ...{ outcome: 'unknown', reason: 'no answer', rejectedWallMs: 6, from: { east: 17 }, ...more },
  }
}

/** The same whatever kind of byte array it has. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, one: unknown) => {
      const buffer = one as { type?: unknown; data?: unknown } | null
      if (one instanceof Uint8Array) return { bytes: [...one] }
      return typeof one === 'object' && buffer?.type === 'Buffer' ? { bytes: buffer.data } : one
    }),
  )
}

async function lettersOf(journal: Journal): Promise<BuriedLetter[]> {
  const letters = []
  for await (const letter of journal.deadLetters()) letters.push(letter)
  return letters
}

async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; details?: unknown }> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(outcome, 'it resolved').to.be.instanceOf(Error)
  return outcome as Error
}

export function journalSuite(subject: () => Subject): void {
  let open: Journal[] = []

  async function life(owner: Partial<JournalOwner> = {}) {
    const journal = subject().create()
    const contents = await journal.open({ ...OWNER, ...owner })
    open.push(journal)
    return { journal, contents }
  }

  async function over(journal: Journal): Promise<void> {
    open = open.filter((one) => one !== journal)
    await journal.close()
  }

  afterEach(async () => {
    for (const journal of open) await over(journal)
  })

  const places = async (journal: Journal, place: number, limits = ALL) => {
    const run = await journal.read({ ...AT, place }, limits)
    return { places: run.entries.map((entry) => entry.place), next: run.next }
  }

  it('begins empty', async () => {
    const { journal, contents } = await life()
    expect(contents).to.deep.equal({ partitions: [], deadLetters: 0, droppedBytes: 0 })
    expect(await places(journal, 1)).to.deep.equal({ places: [], next: 1 })
    expect(await lettersOf(journal)).to.deep.equal([])
  })

  it('keeps what was appended for the next life, byte for byte', async () => {
    const { journal } = await life()
    const binary = Uint8Array.from({ length: 256 }, (_, i) => i)
    const odd = [
      entryOf(1, { key: null, value: null, headers: [] }),
      entryOf(2, { key: binary, value: new Uint8Array(0), headers: [{ same: '1' }, { same: '2' }, { '': 'ü€😀' }] }),
      entryOf(3, {
        epoch: BIG,
        incarnation: 2 ** 32 - 1,
        keyRange: 2 ** 31 - 1,
        first: BIG - 8,
        count: 9,
        ordinal: BIG,
      }),
      entryOf(4, { value: new Uint8Array(300_000).fill(7), timestampMs: 0, sealedWallMs: 1.5, bytes: 300_000 }),
      entryOf(5, { headers: [JSON.parse('{"__proto__":"y"}') as Record<string, string>], bytesBefore: 300_300 }),
    ]
    await journal.append(odd)
    await over(journal)
    const { journal: next } = await life()
    const { entries, damaged } = await next.read({ ...AT, place: 1 }, ALL)
    expect(plain(entries)).to.deep.equal(plain(odd))
    expect(damaged).to.deep.equal([])
  })

  it('says what earlier lives left: places, bytes, marks', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 10))
    await journal.append(entriesOf(11, 20))
    await journal.append([...entriesOf(1, 2, { topic: 'audit', partition: 0 }), ...entriesOf(21, 22)])
    await journal.mark([
      { ...AT, lane: 0, done: 15, forgone: [2, 9, 14] },
      { ...AT, lane: 1, done: 5, forgone: [1] },
    ])
    await over(journal)
    const { partitions } = (await life()).contents
    expect(partitions).to.have.length(2)
    expect(partitions.find(({ topic }) => topic === 'entries')).to.deep.equal({
      ...{ ...AT, first: 5, next: 23, bytesFirst: 400, bytesNext: 2_200, done: [15, 5], forgone: [[9, 14], []] },
    })
    expect(partitions.find(({ topic }) => topic === 'audit')).to.deep.equal({
      ...{ topic: 'audit', partition: 0, first: 1, next: 3, bytesFirst: 0, bytesNext: 200, done: [1, 1] },
      forgone: [[], []],
    })
  })

  it('takes up marks by the names of the clusters, not by their order', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 10))
    await journal.mark([
      { ...AT, lane: 0, done: 8, forgone: [7] },
      { ...AT, lane: 1, done: 3, forgone: [] },
    ])
    await over(journal)
    const { partitions } = (await life({ clusters: ['west', 'east'] })).contents
    expect(partitions[0]).to.deep.include({ first: 3, done: [3, 8], forgone: [[], [7]] })
  })

  it('reads from a place on, up to its limits, at least one', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 10))
    expect(await places(journal, 1)).to.deep.equal({ places: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], next: 11 })
    expect(await places(journal, 4, { entriesMax: 2, bytesMax: 1e6 })).to.deep.equal({ places: [4, 5], next: 6 })
    expect(await places(journal, 4, { entriesMax: 9, bytesMax: 399 })).to.deep.equal({ places: [4, 5, 6], next: 7 })
    expect(await places(journal, 4, { entriesMax: 9, bytesMax: 300 })).to.deep.equal({ places: [4, 5, 6], next: 7 })
    expect(await places(journal, 4, { entriesMax: 1, bytesMax: 1 })).to.deep.equal({ places: [4], next: 5 })
    expect(await places(journal, 11)).to.deep.equal({ places: [], next: 11 })
    expect((await journal.read({ topic: 'other', partition: 3, place: 1 }, ALL)).entries).to.deep.equal([])
  })

  it('keeps partitions apart', async () => {
    const { journal } = await life()
    const partitions = Array.from({ length: 12 }, (_, partition) => partition)
    for (let round = 1; round <= 3; round++) {
      await journal.append(partitions.flatMap((partition) => entriesOf(round * 2 - 1, round * 2, { partition })))
    }
    await journal.mark([0, 1].map((lane) => ({ ...AT, partition: 5, lane: lane as 0 | 1, done: 4, forgone: [] })))
    for (const partition of partitions) {
      const { entries } = await journal.read({ topic: 'entries', partition, place: 1 }, ALL)
      expect(entries.map((entry) => entry.place)).to.deep.equal(partition === 5 ? [4, 5, 6] : [1, 2, 3, 4, 5, 6])
      expect(new Set(entries.map((entry) => entry.partition))).to.deep.equal(new Set([partition]))
    }
  }).timeout(10_000)

  it('removes what both lanes are done with, and only that', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 10))
    await journal.mark([{ ...AT, lane: 0, done: 11, forgone: [] }])
    expect((await places(journal, 1)).places).to.have.length(10)
    await journal.mark([{ ...AT, lane: 1, done: 4, forgone: [] }])
    await over(journal)
    const { journal: next, contents } = await life()
    expect(contents.partitions[0]).to.deep.include({ first: 4, next: 11, done: [11, 4] })
    expect(await places(next, 1)).to.deep.equal({ places: [4, 5, 6, 7, 8, 9, 10], next: 11 })
  })

  it('does not take marks back', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 10))
    await journal.mark([{ ...AT, lane: 0, done: 8, forgone: [] }])
    await journal.mark([{ ...AT, lane: 0, done: 5, forgone: [] }])
    await over(journal)
    expect((await life()).contents.partitions[0]!.done).to.deep.equal([8, 1])
  })

  it('never gives a place again, also when nothing is left', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 10))
    await journal.mark([0, 1].map((lane) => ({ ...AT, lane: lane as 0 | 1, done: 11, forgone: [] })))
    await over(journal)
    for (let i = 0; i < 2; i++) {
      const { journal: idle, contents } = await life()
      expect(contents.partitions[0]).to.deep.include({ first: 11, next: 11, bytesFirst: 1_000, bytesNext: 1_000 })
      await over(idle)
    }
    const { journal: next } = await life()
    await next.append(entriesOf(11, 12))
    expect(await places(next, 1)).to.deep.equal({ places: [11, 12], next: 13 })
  })

  it('takes an append of nothing', async () => {
    const { journal } = await life()
    await journal.append([])
    await journal.append(entriesOf(1, 1))
    await journal.append([])
    expect((await places(journal, 1)).places).to.deep.equal([1])
  })

  it('holds that places have no gaps and are appended before they are done', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 2))
    const attempts: (() => Promise<void>)[] = [
      () => journal.append(entriesOf(4, 4)),
      () => journal.append(entriesOf(2, 3)),
      () => journal.append([entryOf(3, { bytesBefore: 1 })]),
      () => journal.mark([{ ...AT, lane: 0, done: 4, forgone: [] }]),
      () => journal.mark([{ ...AT, partition: 9, lane: 0, done: 2, forgone: [] }]),
    ]
    for (const attempt of attempts) {
      expect(await rejection(Promise.resolve().then(attempt))).to.have.property('code', 'TANDEM_INVARIANT')
    }
    await journal.append(entriesOf(3, 3))
  })

  it('refuses a second process until the first has closed it', async () => {
    const { journal } = await life()
    const other = subject().create()
    expect(await rejection(other.open(OWNER))).to.have.property('code', 'TANDEM_JOURNAL_LOCKED')
    await journal.append(entriesOf(1, 1))
    await over(journal)
    expect((await life()).contents.partitions).to.have.length(1)
  })

  it('refuses another producer, and other clusters, says whose it is and does not keep the lock', async () => {
    await over((await life()).journal)
    const strangers: Partial<JournalOwner>[] = [{ producerId: 'ledger-8' }, { clusters: ['east', 'north'] }]
    for (const stranger of strangers) {
      const error = await rejection(
        subject()
          .create()
          .open({ ...OWNER, ...stranger }),
      )
      expect(error).to.have.property('code', 'TANDEM_JOURNAL_FOREIGN')
      expect(error.details).to.deep.include({
        ...{ producerId: OWNER.producerId, clusters: OWNER.clusters, ...stranger },
        owner: { producerId: OWNER.producerId, clusters: OWNER.clusters },
      })
    }
    await life({ epoch: OWNER.epoch + 1, incarnation: 8 })
  })

  it('keeps dead letters in order until they are exhumed, and gives no name twice', async () => {
    const { journal } = await life()
    const letters = [letterOf(1), letterOf(2, { outcome: 'not-written', key: Buffer.from([0, 255]) }), letterOf(3)]
    for (const letter of letters) await journal.bury([letter])
    const buried = await lettersOf(journal)
    expect(plain(buried.map((one) => 'letter' in one && one.letter))).to.deep.equal(plain(letters))
    await journal.exhume(buried[1]!.name)
    await journal.exhume('no such letter')
    await over(journal)
    const { journal: next, contents } = await life()
    expect(contents.deadLetters).to.equal(2)
    expect((await lettersOf(next)).map(({ name }) => name)).to.deep.equal([buried[0]!.name, buried[2]!.name])
    for (const { name } of buried) await next.exhume(name)
    await over(next)
    const { journal: last } = await life()
    await last.bury([letterOf(4)])
    const [again] = await lettersOf(last)
    expect(buried.map(({ name }) => name)).to.not.include(again!.name)
  })

  it('knows for good what a lane will never write, however far that is ahead of its mark', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 5))
    await journal.forgo({ ...AT, place: 4, lane: 1 })
    await journal.mark([{ ...AT, lane: 0, done: 6, forgone: [] }])
    await over(journal)
    const { journal: next, contents } = await life()
    expect(contents.partitions[0]).to.deep.include({ first: 1, next: 6, done: [6, 1], forgone: [[], [4]] })
    await next.mark([{ ...AT, lane: 1, done: 5, forgone: [] }])
    await next.forgo({ ...AT, place: 2, lane: 1 }) // it is gone already
    await over(next)
    expect((await life()).contents.partitions[0]).to.deep.include({ first: 5, done: [6, 5], forgone: [[], []] })
  })

  it('leaves of an entry whose message becomes a dead letter its place and its size, in the same step', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 3))
    const left = { ...entryOf(2), key: null, value: null, headers: [] }
    await journal.bury([letterOf(1)], left)
    await over(journal)
    const { journal: next } = await life()
    const { entries, damaged } = await next.read({ ...AT, place: 1 }, ALL)
    expect(plain(entries)).to.deep.equal(plain([entryOf(1), left, entryOf(3)]))
    expect(damaged).to.deep.equal([])
    await next.mark([0, 1].map((lane) => ({ ...AT, lane: lane as 0 | 1, done: 3, forgone: [] })))
    await next.bury([letterOf(2)], left) // it is gone already
    expect(plain((await next.read({ ...AT, place: 1 }, ALL)).entries)).to.deep.equal(plain([entryOf(3)]))
    expect(await lettersOf(next)).to.have.length(2)
  })

  it('puts a letter in the place of another, under its name, and does not tell it twice to who is reading', async () => {
    const { journal } = await life()
    for (const counter of [1, 2, 3]) await journal.bury([letterOf(counter)])
    const told: number[] = []
    for await (const one of journal.deadLetters()) {
      if (!('letter' in one)) throw new Error(one.damaged)
      told.push(one.letter.position.counter)
      await journal.rebury(one.name, letterOf(one.letter.position.counter + 10, { from: { east: 5, west: 6 } }))
    }
    expect(told).to.deep.equal([1, 2, 3])
    await over(journal)
    const { journal: next, contents } = await life()
    expect(contents.deadLetters).to.equal(3)
    const letters = [11, 12, 13].map((counter) => letterOf(counter, { from: { east: 5, west: 6 } }))
    const buried = await lettersOf(next)
    expect(plain(buried.map((one) => 'letter' in one && one.letter))).to.deep.equal(plain(letters))
  })

  it('takes calls side by side', async () => {
    const { journal } = await life()
    await journal.append(entriesOf(1, 100))
    const [, , run] = await Promise.all([
      journal.append(entriesOf(101, 200)),
      journal.mark([{ ...AT, lane: 0, done: 50, forgone: [49] }]),
      journal.read({ ...AT, place: 60 }, ALL),
      journal.bury([letterOf(1)]),
      journal.mark([{ ...AT, lane: 1, done: 60, forgone: [] }]),
    ])
    expect(run.entries.slice(0, 41).map(({ place }) => place)).to.deep.equal(
      entriesOf(60, 100).map(({ place }) => place),
    )
    await over(journal)
    const { partitions, deadLetters } = (await life()).contents
    expect(partitions[0]).to.deep.include({ first: 50, next: 201, done: [50, 60], forgone: [[], []] })
    expect(deadLetters).to.equal(1)
  })

  it('refuses everything once it is closed', async () => {
    const { journal } = await life()
    await over(journal)
    await journal.close()
    for (const attempt of [() => journal.append([]), () => journal.bury([letterOf(1)]), () => lettersOf(journal)]) {
      expect(await rejection(attempt())).to.have.property('code', 'TANDEM_JOURNAL_FAILED')
    }
  })
}

describe('conformance: journal on LevelDB', function () {
  this.timeout(10_000)
  let folder: string
  let paths = 0

  before(async () => (folder = await mkdtemp(join(tmpdir(), 'tandem-journal-'))))
  beforeEach(() => void paths++)
  after(() => rm(folder, { recursive: true }))

  journalSuite(() => ({ create: () => new LevelJournal(join(folder, String(paths)), { reserveBytes: 0 }) }))
})

describe('conformance: simulated journal', () => {
  const world = new World()
  const disk = new SimulatedDisk({ timeline: world.timeline, prng: world.fork(), latencyMs: [1, 5] })
  let paths = 0

  beforeEach(() => void paths++)

  journalSuite(() => ({
    create: () => inVirtualTime(world, disk.journal(String(paths), world.createProcess('producer'))),
  }))
})

/** A journal whose world goes on while it is waited for. */
function inVirtualTime(world: World, journal: Journal): Journal {
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    let over = false
    const end = (): boolean => (over = true)
    promise.then(end, end)
    expect(await world.until(() => over, 60_000)).to.equal(true)
    return promise
  }
  return {
    open: (owner) => settled(journal.open(owner)),
    append: (entries) => settled(journal.append(entries)),
    read: (from, limits) => settled(journal.read(from, limits)),
    mark: (marks) => settled(journal.mark(marks)),
    forgo: (at) => settled(journal.forgo(at)),
    bury: (letters, left) => settled(journal.bury(letters, left)),
    rebury: (name, letter) => settled(journal.rebury(name, letter)),
    exhume: (name) => settled(journal.exhume(name)),
    close: () => settled(journal.close()),
    async *deadLetters() {
      const letters = journal.deadLetters()[Symbol.asyncIterator]()
      for (;;) {
        const result = await settled(letters.next())
        if (result.done === true) return
        yield result.value
      }
    },
  }
}
