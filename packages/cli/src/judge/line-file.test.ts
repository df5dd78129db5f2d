import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { isTandemError } from '@tandem/common'
import { expect } from 'chai'

import { asAcknowledgement, type Acknowledgement } from './acknowledgements.js'
import { asEffect, type Effect } from './effects.js'
import { LineFile, readLines } from './line-file.js'

const transfer = { number: 3, order: 1, from: 0, to: 2, amount: 25 }
const acknowledgement: Acknowledgement = {
  ...transfer,
  keyRange: 1,
  producerId: 'ledger',
  epoch: 1732290000000,
  incarnation: 4_000_000_000,
  counter: 2,
}

describe('line file', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'tandem-lines-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  it('holds a line as soon as it is appended, and gives back what was put in', async () => {
    const file = new LineFile(join(folder, 'acknowledgements.jsonl'))
    file.append(acknowledgement)
    expect(readFileSync(file.path, 'utf8').split('\n')).to.have.length(2)
    file.append({ ...acknowledgement, number: 4, counter: 3 })
    file.close()
    const read: Acknowledgement[] = []
    await readLines(file.path, asAcknowledgement, (entry) => read.push(entry))
    expect(read).to.deep.equal([acknowledgement, { ...acknowledgement, number: 4, counter: 3 }])
  })

  it('goes on where an earlier process left off', async () => {
    const path = join(folder, 'effects.jsonl')
    for (const late of [false, true]) {
      const file = new LineFile(path)
      file.append({ ...transfer, late } satisfies Effect)
      file.close()
    }
    const lates: boolean[] = []
    await readLines(path, asEffect, ({ late }) => lates.push(late))
    expect(lates).to.deep.equal([false, true])
  })

  it('refuses evidence that cannot be read, and names the line', async () => {
    for (const bad of ['{"number":3,', '{}', JSON.stringify({ ...transfer, late: 'no' }), '']) {
      const path = join(folder, 'bad.jsonl')
      rmSync(path, { force: true })
      appendFileSync(path, `${JSON.stringify({ ...transfer, late: false })}\n${bad}\n`)
      const error = await readLines(path, asEffect, () => undefined).catch((reason: unknown) => reason)
      expect(isTandemError(error, 'TANDEM_INVARIANT'), bad).to.equal(true)
      expect((error as Error).message).to.contain('bad.jsonl:2')
    }
  })
})
