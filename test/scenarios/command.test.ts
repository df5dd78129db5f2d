import { expect } from 'chai'

import { runCommand, type Table } from './command.js'
import type { Pending, Scenario } from './scenario.js'

describe('scenarios command', () => {
  const good: Scenario = { name: 'zombie', against: '', play: async () => undefined }
  const bad: Scenario = { name: 'import', against: '', play: () => Promise.reject(new Error('given 1 2 3')) }
  const pending: Pending = { name: 'scan-crash', part: 4, reason: 'not yet' }

  async function run(args: string[], table: Partial<Table>): Promise<{ status: number; out: string; err: string }> {
    const told = { out: '', err: '' }
    const terminal = { out: (text: string) => (told.out += text), err: (text: string) => (told.err += text) }
    const scenarios = table.scenarios ?? [good]
    const rows = table.rows ?? [...scenarios, pending].map(({ name }) => name)
    const status = await runCommand(args, { rows, scenarios, pending: [pending] }, terminal)
    return { status, ...told }
  }

  it('says what passed and what is pending', async () => {
    const { status, out } = await run([], {})
    expect(status).to.equal(0)
    expect(out).to.match(
      /^passed {2}zombie .*\npending scan-crash part 4: not yet\n1 passed, 0 failed, 1 pending, .*\n$/,
    )
  })

  it('ends with one JSON object if it is asked to', async () => {
    const { out } = await run(['--json'], { scenarios: [good, bad] })
    const verdict = JSON.parse(out.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
    expect(Object.keys(verdict)).to.deep.equal(['scenarios', 'pending', 'commit', 'seconds'])
    expect(verdict['scenarios']).to.deep.equal([
      { name: 'zombie', passed: true },
      { name: 'import', passed: false },
    ])
    expect(verdict['pending']).to.deep.equal(['scan-crash'])
    expect(verdict['commit']).to.be.a('string')
    expect(verdict['seconds']).to.be.a('number')
  })

  it('fails if one fails, with its reason', async () => {
    const { status, out } = await run([], { scenarios: [bad, good] })
    expect(status).to.equal(1)
    expect(out).to.contain('FAILED  import').and.to.contain('given 1 2 3').and.to.contain('1 passed, 1 failed')
  })

  it('fails if a row is neither played nor pending', async () => {
    const { status, out } = await run([], { rows: ['zombie', 'scan-crash', 'hole-filled'] })
    expect(status).to.equal(1)
    expect(out).to.contain('WRONG   hole-filled: neither played nor pending')
  })

  it('refuses what it does not know, and plays nothing', async () => {
    for (const args of [['--jason'], ['hole-filled'], ['--json=1']]) {
      const { status, out, err } = await run(args, {})
      expect(status).to.equal(2)
      expect(out).to.equal('')
      expect(err).to.contain('Usage: npm run scenarios')
    }
  })
})
