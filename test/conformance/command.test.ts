import { expect } from 'chai'

import { runCommand } from './command.js'
import type { Counts } from './run-suites.js'

describe('conformance command', () => {
  async function run(args: string[], counts: Counts): Promise<{ status: number; out: string; err: string }> {
    const told = { out: '', err: '' }
    const terminal = { out: (text: string) => (told.out += text), err: (text: string) => (told.err += text) }
    const status = await runCommand(args, terminal, () => Promise.resolve(counts))
    return { status, ...told }
  }

  it('is good if cases were run and none failed', async () => {
    const { status, out } = await run(['--json'], { passed: 7, failed: 0, skipped: 0 })
    expect(status).to.equal(0)
    const verdict = JSON.parse(out.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
    expect(Object.keys(verdict)).to.deep.equal(['cases', 'failed', 'commit', 'seconds'])
    expect(verdict).to.include({ cases: 7, failed: 0 })
  })

  it('fails if one failed, one was left out, or there was none', async () => {
    for (const [counts, told] of [
      [{ passed: 6, failed: 1, skipped: 0 }, '7 cases, 1 failed'],
      [{ passed: 6, failed: 0, skipped: 1 }, '7 cases, 1 failed'],
      [{ passed: 0, failed: 0, skipped: 0 }, '0 cases, 0 failed'],
    ] as const) {
      const { status, out } = await run([], counts)
      expect(status).to.equal(1)
      expect(out).to.contain(told)
    }
  })

  it('refuses what it does not know, and runs nothing', async () => {
    const { status, out, err } = await run(['--jason'], { passed: 1, failed: 0, skipped: 0 })
    expect({ status, out }).to.deep.equal({ status: 2, out: '' })
    expect(err).to.contain('Usage: npm run conformance')
  })
})
