import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect } from 'chai'

import { readSamples, SampleFile } from './samples.js'

describe('bench of outages: samples', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'bench-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  it('come back from their file, more than are written at once', () => {
    const beginMs = 1_800_000_000_000.25
    const path = join(folder, 'samples')
    const file = new SampleFile(path, beginMs)
    const count = 10_000
    for (let index = 0; index < count; index++) {
      file.add(count - index, { atMs: beginMs + index * 100.5, dueMs: beginMs + index * 100 })
    }
    file.close()
    expect(file.count).to.equal(count)
    const { numbers, atMs, latencyMs } = readSamples(path, beginMs)
    expect([numbers.length, atMs.length, latencyMs.length]).to.deep.equal([count, count, count])
    expect(numbers[0]).to.equal(count)
    expect(numbers.at(-1)).to.equal(1)
    expect(atMs.at(-1)).to.be.closeTo(beginMs + (count - 1) * 100.5, 0.01)
    expect(latencyMs.at(-1)).to.be.closeTo((count - 1) * 0.5, 0.01)
  })
})
