import { expect } from 'chai'

import { runCommandLine } from './command-line.js'

describe('command line', () => {
  const run = async (...args: string[]) => {
    const written = { stdout: '', stderr: '' }
    const terminal = {
      stdout: { write: (text: string) => (written.stdout += text) },
      stderr: { write: (text: string) => (written.stderr += text) },
    }
    const status = await runCommandLine(args, terminal, new AbortController().signal)
    return { status, ...written }
  }

  it('explains itself on standard output when asked', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { status, stdout, stderr } = await run(...args)
      expect([status, stderr]).to.deep.equal([0, ''])
      expect(stdout).to.contain('Usage: tandem <command>').and.to.contain('demo')
    }
    const { status, stdout } = await run('demo', '--help')
    expect(status).to.equal(0)
    expect(stdout).to.contain('--messages').and.to.contain('--fault')
  })

  it('ends with status 2 and the usage on standard error for what it does not know', async () => {
    for (const args of [[], ['dance'], ['--config'], ['__proto__']]) {
      const { status, stdout, stderr } = await run(...args)
      expect([status, stdout], args.join(' ')).to.deep.equal([2, ''])
      expect(stderr).to.contain('Usage: tandem <command>')
    }
    expect((await run('dance')).stderr).to.contain('"dance"')
  })

  it('ends with status 2 and the usage of the command for options it does not know', async () => {
    for (const args of [['--nonsense'], ['--fault', 'kill'], ['--messages', 'many'], ['more']]) {
      const { status, stdout, stderr } = await run('demo', ...args)
      expect([status, stdout], args.join(' ')).to.deep.equal([2, ''])
      expect(stderr).to.contain(args.at(-1)).and.to.contain('Usage: tandem demo')
    }
  })
})
