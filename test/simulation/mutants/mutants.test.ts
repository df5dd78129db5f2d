import { expect } from 'chai'

import { ROWS } from '../../scenarios/rows.js'
import { BuildCopy } from './build-copy.js'
import { runCommand } from './command.js'
import { MUTANTS } from './mutants.js'

describe('mutants of the simulator', () => {
  it('are 12 at least, each with a name of its own and a row of the tables of scenarios', () => {
    expect(MUTANTS.length).to.be.at.least(12)
    expect(new Set(MUTANTS.map(({ name }) => name)).size).to.equal(MUTANTS.length)
    for (const { name, scenario } of MUTANTS) expect(ROWS, name).to.include(scenario)
  })

  it('all apply to what is built', async function () {
    this.timeout(60_000)
    const copy = await BuildCopy.make()
    try {
      // Two may change the same line, so each is put into what is built anew.
      for (const { edits } of MUTANTS) await copy.check(edits)
    } finally {
      await copy.remove()
    }
  })

  it('fails for one that no longer applies, and for one that changes nothing', async function () {
    this.timeout(60_000)
    const lines: string[] = []
    const terminal = { out: (text: string) => lines.push(text), err: (text: string) => lines.push(text) }
    const file = 'consumer/dist/core/polling-clock.js'
    const gone = {
      name: 'gone',
      scenario: ROWS[0],
      meaning: '',
      seed: 1,
      edits: [{ file, text: 'never there', replacement: '' }],
    }
    expect(await runCommand([], [gone], terminal, 1)).to.equal(1)
    expect(lines.join('')).to.contain('DOES NOT APPLY')
    const idle = { name: 'idle', scenario: ROWS[0], meaning: '', seed: 1, edits: [] }
    expect(await runCommand(['--json'], [idle], terminal, 1)).to.equal(1)
    expect(lines.join('')).to.contain('SURVIVED 1 seeds')
    expect(JSON.parse(lines.at(-1)!)).to.include({ mutants: 1, caught: 0 })
  })

  it('catches one', async function () {
    this.timeout(300_000)
    const lines: string[] = []
    const terminal = { out: (text: string) => lines.push(text), err: (text: string) => lines.push(text) }
    expect(await runCommand(['--only', 'duplicate-not-dropped', '--json'], MUTANTS, terminal)).to.equal(0)
    const { list } = JSON.parse(lines.at(-1)!) as { list: { checker: string }[] }
    expect(list[0]!.checker).to.equal('I2 no duplicate')
  })
})
