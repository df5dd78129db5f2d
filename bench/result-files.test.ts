import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { WrongUsage } from '@tandem/cli/internal'
import { expect } from 'chai'

import { keepResult, newestResults, readResult, timeOf } from './result-files.js'
import { aResult } from './result-fixture.js'

describe('bench result files', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'results-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  const write = (name: string, content: string): string => {
    const file = join(folder, name)
    writeFileSync(file, content)
    return file
  }

  it('read what was kept, and know when that was', () => {
    const file = keepResult(join(folder, 'new'), aResult())
    expect(readResult(file)).to.deep.equal({ ...aResult(), timelines: undefined })
    expect(timeOf(file)).to.match(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/)
    expect(timeOf('elsewhere/send-20270102T030405Z.json')).to.equal('2027-01-02 03:04 UTC')
    expect(timeOf('send.json')).to.equal(undefined)
    expect(newestResults(folder)).to.deep.equal([file])
  })

  it('find the newest of each suite, in folders of the folder too', () => {
    mkdirSync(join(folder, 'recorded'))
    for (const name of [
      'send-20270101T000000Z.json',
      'send-20260101T000000Z.json',
      'recorded/send-20261231T235959Z.json',
      'recorded/scale-up-20250101T000000Z.json',
      'report.html',
      'notes.json',
    ]) {
      write(name, '')
    }
    const expected = ['send-20270101T000000Z.json', 'recorded/scale-up-20250101T000000Z.json']
    expect(newestResults(folder)).to.have.members(expected.map((name) => join(folder, name)))
    expect(newestResults(join(folder, 'nowhere'))).to.deep.equal([])
  })

  it('refuse what is none, by its name', () => {
    for (const content of ['', 'null', '{}', '{"suite":"send","ratios":[]}']) {
      expect(() => readResult(write('a.json', content)), content).to.throw(WrongUsage, 'a.json')
    }
    expect(() => readResult(join(folder, 'nowhere.json'))).to.throw(WrongUsage, 'nowhere.json')
  })
})
