import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { WrongUsage } from '@tandem/cli/internal'
import { expect } from 'chai'

import { changesOf, readEarlier } from './against.js'

describe('bench against an earlier run', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'against-'))))
  after(() => rmSync(folder, { recursive: true }))

  function file(content: string): string {
    const path = join(folder, 'result.json')
    writeFileSync(path, content)
    return path
  }

  it('compares the ratios that both have, and takes a tenth for noise', () => {
    const ratios = { a: 0.5, b: 0.5, c: 0.5, gone: 1 }
    const earlier = readEarlier(
      file(JSON.stringify({ suite: 'send', ratios: Object.entries(ratios).map(([name, value]) => ({ name, value })) })),
      'send',
    )
    const now = { a: 0.44, b: 0.54, c: 0.56, added: 1 }
    const reports = Object.entries(now).map(([name, value]) => ({ name, value, reach: null, met: null }))
    expect(changesOf(earlier, reports)).to.deep.equal([
      { name: 'a', before: 0.5, now: 0.44, verdict: 'worse' },
      { name: 'b', before: 0.5, now: 0.54, verdict: 'same' },
      { name: 'c', before: 0.5, now: 0.56, verdict: 'better' },
    ])
  })

  it('refuses what is no result of the same suite', () => {
    for (const content of [
      '',
      'null',
      '{}',
      '{"suite":"send"}',
      '{"suite":"read","ratios":[]}',
      '{"suite":"send","ratios":[{"name":"a"}]}',
    ]) {
      expect(() => readEarlier(file(content), 'send'), content).to.throw(WrongUsage, '--against')
    }
    expect(() => readEarlier(join(folder, 'nowhere.json'), 'send')).to.throw(WrongUsage, 'nowhere.json')
  })
})
