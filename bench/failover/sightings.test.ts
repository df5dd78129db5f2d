import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect } from 'chai'

import { readSightings, SightingFile } from './sightings.js'

describe('bench of failover: sightings', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sightings-'))
    path = join(folder, 'taken')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('are read as they were written, and there are none before', async () => {
    expect(await readSightings(path)).to.deep.equal([])
    const before = Date.now()
    const file = new SightingFile(path)
    for (const number of [7, 3, 7]) file.append(number)
    const read = await readSightings(path)
    expect(read.map(({ number }) => number)).to.deep.equal([7, 3, 7])
    expect(read[0]!.atMs).to.be.within(before, Date.now())
  })

  it('are not passed over if they cannot be read', async () => {
    appendFileSync(path, '[1,0]\n')
    expect(String(await readSightings(path).catch((error: unknown) => error))).to.include('cannot be read')
  })
})
