import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { ErrorCode } from '@tandem/common'
import { expect } from 'chai'
import { ClassicLevel } from 'classic-level'

import type { Flush, Holding, PartitionOfGroup } from './high-water-store.js'
import { LevelHighWaterStore } from './level-high-water-store.js'

/** What is true of the store on LevelDB beyond what every store does (the conformance suite). */
describe('high-water store on LevelDB', () => {
  const AT = { groupId: 'balances', topic: 'entries', partition: 3 }
  let root: string
  let path: string
  let paths = 0
  let opened: LevelHighWaterStore[] = []

  before(async () => (root = await mkdtemp(join(tmpdir(), 'tandem-high-water-'))))
  beforeEach(() => (path = join(root, String(paths++))))
  after(() => rm(root, { recursive: true }))
  afterEach(async () => {
    for (const store of opened) await store.close()
    opened = []
  })

  function open(): LevelHighWaterStore {
    const store = new LevelHighWaterStore(path)
    opened.push(store)
    return store
  }

  /** Takes a record, whoever has it. */
  async function take(store: LevelHighWaterStore, at: PartitionOfGroup): Promise<Holding> {
    const acquired = await store.acquire(at, { owner: 'x', greatestSeen: 0, seen: await store.look(at) })
    if (acquired.kind === 'held') throw new Error('nobody else is there')
    return acquired.holding
  }

  /** Takes a record and writes one field to it. */
  async function write(store: LevelHighWaterStore, at: PartitionOfGroup, text: string): Promise<Flush> {
    const { token, number, bornMs } = await take(store, at)
    const fields = new Map([['f:east', Buffer.from(text)]])
    const flush = {
      owner: 'x',
      token,
      number: number + 1,
      confirmed: number,
      bornMs,
      whole: false,
      fields,
      finished: [],
    }
    expect(await store.flush(at, flush)).to.equal('flushed')
    return flush
  }

  async function read(store: LevelHighWaterStore, at: PartitionOfGroup): Promise<Record<string, string>> {
    const { fields } = await take(store, at)
    return Object.fromEntries([...fields].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]))
  }

  it('has everything when it is opened again, and counts on', async () => {
    const flush = await write(open(), AT, 'at 7')
    await opened[0]!.close()
    const again = open()
    expect(await again.look(AT)).to.deep.include({ owner: 'x', token: flush.token, number: 1, beat: 0 })
    expect(await take(again, AT)).to.deep.include({ number: 1, bornMs: flush.bornMs })
    expect(await read(again, AT)).to.deep.equal({ 'f:east': 'at 7' })
  })

  it('keeps records apart whose names nearly are the same', async () => {
    const store = open()
    const all = [
      AT,
      { ...AT, partition: 33 },
      { ...AT, groupId: 'balances\0' },
      { ...AT, groupId: 'balances","entries' },
      { ...AT, groupId: 'b\x01' },
    ]
    for (const [index, at] of all.entries()) await write(store, at, String(index))
    for (const [index, at] of all.entries()) expect(await read(store, at)).to.deep.equal({ 'f:east': String(index) })
  })

  it('belongs to one process at a time, and can be had when that has closed it', async () => {
    const first = open()
    await write(first, AT, 'first')
    const second = open()
    await rejects(second.look(AT), 'is open elsewhere')
    await first.close()
    expect(await read(second, AT)).to.deep.equal({ 'f:east': 'first' })
  })

  it('is opened again by whoever uses it after it was closed', async () => {
    const store = open()
    const flush = await write(store, AT, 'one')
    await store.close()
    expect(await store.flush(AT, { ...flush, number: 2, confirmed: 1 })).to.equal('flushed')
  })

  it('says so when its folder cannot be made, and what it has cannot be read', async () => {
    await writeFile(path, '')
    await rejects(open().look(AT), 'was not opened')
    path = `${path}-2`
    await write(open(), AT, 'one')
    await opened.pop()!.close()
    const level = new ClassicLevel<Buffer, Buffer>(join(path, 'entries'), {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    const key = Buffer.from(`${JSON.stringify([AT.groupId, AT.topic, AT.partition])}\0`)
    for (const [bytes, text] of [
      [Buffer.of(0x92, 2, 0), 'has format 2; this version of tandem reads format 1'],
      [Buffer.of(0x92, 1, 0), 'is damaged'],
      [Buffer.of(0xc1), 'has format undefined'],
    ] as const) {
      await level.open()
      await level.put(key, bytes)
      await level.close()
      await rejects(open().look(AT), text, 'TANDEM_HIGH_WATER_STORE_UNUSABLE')
      await opened.pop()!.close()
    }
  })
})

async function rejects(
  promise: Promise<unknown>,
  text: string,
  code: ErrorCode = 'TANDEM_HIGH_WATER_STORE_FAILED',
): Promise<void> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(outcome).to.have.property('code', code)
  expect((outcome as Error).message).to.include(text)
}
