import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { logTail } from './log-tail.js'

describe('logTail', () => {
  let folder: string
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'log-tail-'))))
  after(() => rm(folder, { recursive: true }))

  it('is the last lines, and nothing of a file that is not there', async () => {
    const file = join(folder, 'log')
    expect(await logTail(file)).to.equal('')
    await writeFile(file, Array.from({ length: 10_000 }, (_, index) => `line ${index}\n`).join(''))
    const lines = (await logTail(file)).split('\n')
    expect(lines).to.have.length(30)
    expect(lines.at(-1)).to.equal('line 9999')
    expect(lines[0]).to.equal('line 9970')
  })
})
