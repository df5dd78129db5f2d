import { readFileSync } from 'node:fs'

import { expect } from 'chai'

import { ROWS } from './rows.js'
import { runScenarios, unaccounted } from './run-scenarios.js'
import type { Scenario } from './scenario.js'
import { PENDING, SCENARIOS } from './scenarios.js'

describe('scenarios', function () {
  this.timeout(60_000)

  for (const { name, against, play } of SCENARIOS) it(`${name} (against: ${against})`, play)

  it('play every row of the two tables, or name the part that brings it', () => {
    expect(unaccounted(ROWS, SCENARIOS, PENDING)).to.deep.equal([])
  })

  it('have the rows that the documentation has, in its order', () => {
    expect([...rowsOf('protocol.md'), ...rowsOf('position.md')]).to.deep.equal([...ROWS])
  })

  it('tell each: a row that is missing, one too many, one that is named twice', () => {
    const scenario = (name: string): Scenario => ({ name, against: '', play: async () => undefined }) as Scenario
    const rows = ['one', 'two', 'three']
    const wrong = unaccounted(rows, ['two', 'two', 'four'].map(scenario), [])
    expect(wrong).to.deep.equal([
      'one: neither played nor pending',
      'three: neither played nor pending',
      'four: no row of the tables',
      'two: named twice',
    ])
  })

  it('fail when their story throws, and do not stop the others', async () => {
    const thrown = new Error('given 1 2 3')
    const played = await runScenarios([
      { name: 'import', against: '', play: () => Promise.reject(thrown) },
      { name: 'zombie', against: '', play: async () => undefined },
    ])
    expect(played.map(({ name, passed, error }) => ({ name, passed, error }))).to.deep.equal([
      { name: 'import', passed: false, error: thrown },
      { name: 'zombie', passed: true, error: undefined },
    ])
  })
})

/** Names of the last table under "Scenarios". */
function rowsOf(page: string): string[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8')
  const table = text.slice(text.indexOf('\n## Scenarios'))
  return [...table.matchAll(/^\| `([a-z-]+)`/gm)].map((match) => match[1]!)
}
