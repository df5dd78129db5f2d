import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect } from 'chai'

import { keepResult } from '../result-files.js'
import { aResult } from '../result-fixture.js'
import { runReport } from './command.js'

describe('bench:report command', () => {
  let folder: string
  let out: string
  let err: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'report-'))
    out = err = ''
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const run = (...args: string[]): Promise<number> =>
    runReport(args, folder, { out: (text) => (out += text), err: (text) => (err += text) })
  const page = (): string => join(folder, 'report.html')

  it('makes a page of the newest results', async () => {
    keepResult(folder, aResult({ suite: 'send' }))
    keepResult(join(folder, 'recorded'), aResult({ suite: 'consume' }))
    expect(await run('--json')).to.equal(0)
    expect(readFileSync(page(), 'utf8')).to.include('<h2>send</h2>').and.to.include('<h2>consume</h2>')
    expect(JSON.parse(out.trimEnd().split('\n').at(-1)!)).to.deep.include({ page: page(), suites: ['send', 'consume'] })
  })

  it('makes a page of the results that it is given where it is told to, and files of its pictures', async () => {
    const subjects = [{ name: 'tin', unit: 'g', median: 2, min: 1, max: 3 }]
    const file = keepResult(folder, aResult({ suite: 'send', subjects }))
    const pictures = join(folder, 'of', 'send')
    expect(await run(file, '--out', join(folder, 'new', 'a.html'), '--pictures', pictures)).to.equal(0)
    expect(existsSync(page())).to.equal(false)
    expect(readFileSync(join(folder, 'new', 'a.html'), 'utf8')).to.include('<h2>send</h2>')
    expect(readdirSync(pictures)).to.deep.equal(['send-figures.svg'])
    const svg = readFileSync(join(pictures, 'send-figures.svg'), 'utf8')
    expect(svg)
      .to.match(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"><style>/)
      .and.to.include('--paper: #')
  })

  it('refuses what is no result, and two of a suite, and makes nothing', async () => {
    expect(await run()).to.equal(2)
    const file = keepResult(folder, aResult())
    const notes = join(folder, 'notes.json')
    writeFileSync(notes, '{"suite":"weigh"}')
    for (const args of [[notes], [file, notes], [file, file], [join(folder, 'nowhere.json')], ['--wide'], ['--out']]) {
      expect(await run(...args), args.join(' ')).to.equal(2)
    }
    expect(existsSync(page())).to.equal(false)
    expect(err).to.include(`${notes} is no result of a run: quick: received nothing`)
    expect(err).to.include('received two results of the suite weigh')
    expect(await run('--help')).to.equal(0)
    expect(out).to.include('Usage: npm run bench:report')
  })
})
