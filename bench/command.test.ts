import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect } from 'chai'

import { runBench } from './command.js'
import { aResult } from './result-fixture.js'
import type { Suite } from './suite.js'
import type { Timeline } from './timeline.js'

describe('bench command', () => {
  let folder: string
  let out: string
  let err: string
  let opened: number
  let fails: boolean
  let timelines: readonly Timeline[] | undefined
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bench-'))
    out = err = ''
    opened = 0
    fails = false
    timelines = undefined
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** 'tin' does 5 a round, 'gold' 10 in the first round, 20 in the second. */
  const suite: Suite = {
    name: 'weigh',
    about: 'metals',
    rounds: (quick) => (quick ? 1 : 2),
    subjects: (quick) => (quick ? ['tin', 'gold'] : ['tin', 'gold', 'lead']),
    comparisons: [{ name: 'tin / gold', over: 'tin', under: 'gold', unit: 'g', reach: 0.5 }],
    open: async () => {
      opened++
      let gold = 0
      return {
        versions: { scales: '1' },
        measure: async (subject) => {
          if (fails) throw new Error('out of order')
          return { g: subject === 'gold' ? (gold += 10) : 5 }
        },
        ...(timelines && { timelines: () => timelines! }),
        [Symbol.asyncDispose]: async () => void opened--,
      }
    },
  }
  const earlierOf = ({ suite = 'weigh', name = 'tin / gold', value = 1 }): string => {
    const file = join(folder, 'earlier.json')
    writeFileSync(file, JSON.stringify(aResult({ suite, ratios: [{ name, value, reach: null, met: null }] })))
    return file
  }
  const run = (...args: string[]): Promise<number> =>
    runBench(args, [suite], folder, { out: (text) => (out += text), err: (text) => (err += text) })
  const last = (): Record<string, unknown> => JSON.parse(out.trimEnd().split('\n').at(-1)!) as Record<string, unknown>

  it('measures, compares, and ends with the object that it also keeps', async () => {
    expect(await run('weigh', '--json')).to.equal(0)
    expect(last()).to.deep.include({
      suite: 'weigh',
      rounds: 2,
      versions: { scales: '1' },
      subjects: [
        { name: 'tin', unit: 'g', median: 5, min: 5, max: 5 },
        { name: 'gold', unit: 'g', median: 15, min: 10, max: 20 },
        { name: 'lead', unit: 'g', median: 5, min: 5, max: 5 },
      ],
      ratios: [{ name: 'tin / gold', value: 0.375, reach: 0.5, met: false }],
    })
    expect(last()).to.include.keys('machine', 'commit', 'seconds')
    const [file] = readdirSync(folder)
    const kept = JSON.parse(readFileSync(join(folder, file!), 'utf8')) as object
    expect({ ...kept, seconds: 0 }).to.deep.equal({ ...last(), seconds: 0 })
    expect(opened).to.equal(0)
  })

  it('keeps how the runs went, too, where a suite tells it', async () => {
    timelines = [{ subject: 'tin', round: 1, bucketMs: 250, phases: [], series: [] }]
    await run('weigh', '--only', 'tin', '--json')
    const [file] = readdirSync(folder)
    expect(JSON.parse(readFileSync(join(folder, file!), 'utf8'))).to.deep.include({ timelines })
    expect(last()).not.to.include.keys('timelines')
  })

  it('measures less if it is to be quick, and what it is told to', async () => {
    await run('weigh', '--quick', '--json')
    expect(last()).to.include({ rounds: 1, quick: true })
    expect(last()['subjects']).to.have.length(2)
    await run('weigh', '--rounds', '3', '--only', 'gold', '--json')
    expect(last()).to.deep.include({
      rounds: 3,
      subjects: [{ name: 'gold', unit: 'g', median: 20, min: 10, max: 30 }],
      ratios: [],
    })
  })

  it('says how ratios have changed against an earlier run', async () => {
    const file = earlierOf({ value: 0.5 })
    for (const args of [
      ['weigh', '--against', file],
      ['--against', file],
      ['--quick', '--against', file],
    ]) {
      expect(await run(...args, '--json'), args.join(' ')).to.equal(0)
      const now = args.includes('--quick') ? 0.5 : 0.375
      const verdict = now === 0.5 ? 'same' : 'worse'
      expect(last()['changes']).to.deep.equal([{ name: 'tin / gold', before: 0.5, now, verdict }])
    }
    expect(await run('weigh', '--against', earlierOf({ name: 'tin / air' }), '--json')).to.equal(0)
    expect(last()['changes']).to.deep.equal([])
    expect(out).to.include('nothing to compare')
  })

  it('fails if a subject does, keeps nothing, and gives the servers back', async () => {
    fails = true
    expect(await run('weigh', '--json')).to.equal(1)
    expect(last()).to.include({ suite: 'weigh', broken: 'Error: out of order' })
    expect(readdirSync(folder)).to.deep.equal([])
    expect(opened).to.equal(0)
  })

  it('refuses what it does not know, and starts nothing', async () => {
    const ofAnother = earlierOf({ suite: 'fly' })
    const wrong = [
      [],
      ['--quick'],
      ['fly'],
      ['weigh', 'gold'],
      ['weigh', '--fast'],
      ['weigh', '--quick=yes'],
      ['weigh', '--rounds', '0'],
      ['weigh', '--rounds', '1e9'],
      ['weigh', '--only', 'silver'],
      ['weigh', '--only', ''],
      ['weigh', '--quick', '--only', 'lead'],
      ['weigh', '--against', join(folder, 'nowhere.json')],
      ['weigh', '--against', ofAnother],
      ['--against', ofAnother],
      ['weigh', '--against'],
    ]
    suite.open = () => Promise.reject(new Error('it was started'))
    for (const args of wrong) expect(await run(...args), args.join(' ')).to.equal(2)
    expect(err).to.include('Usage: npm run bench').and.to.include('silver')
    expect(err).to.include('received a result of the suite fly, allowed is one of weigh')
    expect(await run('--help')).to.equal(0)
    expect(out).to.include('metals')
  })
})
