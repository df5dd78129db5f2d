import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect } from 'chai'

import { LineTail } from './line-tail.js'

describe('line tail', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-line-tail-'))
    path = join(folder, 'lines')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('gives each line once, when it is whole', () => {
    const tail = new LineTail(path)
    expect(tail.read()).to.deep.equal([]) // there is no file yet
    appendFileSync(path, '{"a":1}\n{"b"')
    expect(tail.read()).to.deep.equal([{ a: 1 }])
    expect(tail.read()).to.deep.equal([])
    appendFileSync(path, ':2}\n')
    expect(tail.read()).to.deep.equal([{ b: 2 }])
  })

  it('reads more than a block at a time', () => {
    const lines = Array.from({ length: 3_000 }, (_, number) => ({ number, text: 'x'.repeat(1_000) }))
    appendFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    expect(new LineTail(path).read()).to.deep.equal(lines)
  })

  it('passes over nothing that it cannot read', () => {
    appendFileSync(path, '{"a":1}\n{torn\n')
    expect(() => new LineTail(path).read()).to.throw('cannot be read: {torn')
  })
})
