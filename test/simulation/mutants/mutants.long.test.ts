import { expect } from 'chai'

import { runCommand } from './command.js'
import { MUTANTS } from './mutants.js'

describe('mutants of the simulator', () => {
  it('are all caught', async function () {
    this.timeout(1_500_000)
    const lines: string[] = []
    const terminal = { out: (text: string) => lines.push(text), err: (text: string) => lines.push(text) }
    expect(await runCommand([], MUTANTS, terminal), lines.join('')).to.equal(0)
  })
})
