import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { isTandemError, type Clock, type TandemError } from '@tandem/common/internal'
import { expect } from 'chai'

import { FileEpochStore } from './file-epoch-store.js'

const REQUEST = { producerId: 'ledger-7', incarnation: 1, host: 'here' }

describe('file epoch store', () => {
  let parent: string
  let path: string
  let wall: number
  const clock: Clock = { now: () => 0, wall: () => wall, schedule: () => () => undefined }

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'tandem-epochs-'))
    path = join(parent, 'new', 'epoch')
    wall = 1_000.7
  })

  afterEach(() => rmSync(parent, { recursive: true, force: true }))

  const store = (): FileEpochStore => new FileEpochStore(path, clock)

  async function failure(taking: Promise<unknown>): Promise<TandemError> {
    const error: unknown = await taking.catch((reason: unknown) => reason)
    expect(isTandemError(error, 'TANDEM_EPOCH_STORE_FAILED'), String(error)).to.equal(true)
    return error as TandemError
  }

  it('takes the time, makes its folder, and keeps one file, whose name is the epoch', async () => {
    expect(await store().take(REQUEST)).to.deep.equal({ epoch: 1_000 })
    expect(readdirSync(path)).to.deep.equal(['ledger-7.1000.epoch'])
  })

  it('takes a greater one each time, also after a clock that was set back', async () => {
    await store().take(REQUEST)
    wall = 500
    expect(await store().take(REQUEST)).to.deep.equal({ epoch: 1_001 })
    wall = 2_000
    expect(await store().take(REQUEST)).to.deep.equal({ epoch: 2_000 })
    expect(readdirSync(path)).to.deep.equal(['ledger-7.2000.epoch'])
  })

  it('goes on above what was left by whoever was killed in between', async () => {
    mkdirSync(path, { recursive: true })
    for (const epoch of [5, 7_000, 6_000]) writeFileSync(join(path, `ledger-7.${epoch}.epoch`), '')
    expect(await store().take(REQUEST)).to.deep.equal({ epoch: 7_001 })
    expect(readdirSync(path)).to.deep.equal(['ledger-7.7001.epoch'])
  })

  it('tells producers apart, dots and all, and leaves alone what is not its own', async () => {
    mkdirSync(path, { recursive: true })
    const foreign = ['ledger-7.5.9000.epoch', 'ledger-7.9', 'ledger-7.log', 'ledger.9000.epoch', '.keep', '9000.epoch']
    for (const name of foreign) writeFileSync(join(path, name), '')
    expect(await store().take(REQUEST)).to.deep.equal({ epoch: 1_000 })
    expect(await store().take({ ...REQUEST, producerId: 'ledger-7.5' })).to.deep.equal({ epoch: 9_001 })
    const left = foreign.filter((name) => name !== 'ledger-7.5.9000.epoch')
    expect(readdirSync(path).sort()).to.deep.equal([...left, 'ledger-7.1000.epoch', 'ledger-7.5.9001.epoch'].sort())
  })

  it('gives each of many at once its own, also when the clock stands still', async () => {
    const stores = Array.from({ length: 8 }, store)
    const take = async (one: FileEpochStore): Promise<number[]> => {
      const taken: number[] = []
      for (let i = 0; i < 20; i++) taken.push((await one.take(REQUEST)).epoch)
      expect(taken).to.deep.equal([...taken].sort((a, b) => a - b))
      return taken
    }
    const taken = (await Promise.all(stores.map(take))).flat()
    expect(new Set(taken).size).to.equal(8 * 20)
    expect(readdirSync(path)).to.deep.equal([`ledger-7.${Math.max(...taken)}.epoch`])
  })

  it('does not give an epoch whose name was there, was removed, and is made again', async () => {
    await store().take(REQUEST)
    wall = 1_001
    // Two others take 1001 and 1002, and remove 1001, after this one has looked and before it makes its name.
    let looks = 0
    const slow: Clock = {
      ...clock,
      wall: () => {
        if (looks++ === 0) {
          rmSync(join(path, 'ledger-7.1000.epoch'))
          writeFileSync(join(path, 'ledger-7.1002.epoch'), '')
        }
        return wall
      },
    }
    expect(await new FileEpochStore(path, slow).take(REQUEST)).to.deep.equal({ epoch: 1_003 })
  })

  it('refuses to go on from what is no epoch, and says where and what', async () => {
    mkdirSync(path, { recursive: true })
    for (const text of ['x', '', '0', '-5', '1e3', '007', '9007199254740991', '99999999999999999999']) {
      const name = `ledger-7.${text}.epoch`
      writeFileSync(join(path, name), '')
      const { message } = await failure(store().take(REQUEST))
      expect(message).to.contain(path).and.to.contain(name).and.to.contain('remove that file')
      rmSync(join(path, name))
    }
    writeFileSync(join(path, 'ledger-7.9007199254740989.epoch'), '')
    expect(await store().take(REQUEST)).to.deep.equal({ epoch: 9_007_199_254_740_990 })
    await failure(store().take(REQUEST)) // there is none above it
    expect(readdirSync(path)).to.deep.equal(['ledger-7.9007199254740990.epoch'])
  })

  it('refuses a path that is no folder, or cannot be one', async () => {
    writeFileSync(join(parent, 'file'), '{"epoch": 12')
    for (const bad of [join(parent, 'file'), join(parent, 'file', 'epoch'), '/proc/tandem/epoch']) {
      const { message, details } = await failure(new FileEpochStore(bad, clock).take(REQUEST))
      expect(message).to.contain(bad).and.to.contain('must be a folder')
      expect(details).to.deep.equal({ producerId: 'ledger-7', path: bad })
    }
  })

  it('does nothing for who has had enough', async () => {
    await failure(store().take({ ...REQUEST, signal: AbortSignal.abort() }))
  })

  it('refuses what is no path', () => {
    for (const bad of ['', 'a\0b', undefined, null, 7, {}]) {
      expect(() => new FileEpochStore(bad as string), String(bad)).to.throw('option fileEpochStore.path')
    }
  })
})
