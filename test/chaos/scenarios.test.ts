import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect } from 'chai'

import { SCENARIOS } from './scenarios.js'

describe('scenarios of chaos', () => {
  const names = SCENARIOS.map(({ name }) => name)

  it('have a name each', () => {
    expect(new Set(names).size).to.equal(names.length)
  })

  it('stand in docs/testing.md, and no others', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/testing.md'), 'utf8')
    const [, table] = /### Scenarios of chaos\n([^]*?)\n##/.exec(text)!
    const rows = [...table!.matchAll(/^\| `([a-z-]+)` +\|([^|]*)\|/gm)]
    expect(rows.map(([, name]) => name)).to.have.members(names)
    for (const { name, group, byNameOnly } of SCENARIOS) {
      const [, , when] = rows.find((row) => row[1] === name)!
      expect(when!.trim(), name).to.equal(byNameOnly ? 'by name' : (group ?? ''))
    }
  })
})
