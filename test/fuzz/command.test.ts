import { expect } from 'chai'
import fc from 'fast-check'

import { runCommand } from './command.js'
import { target, within, type Target } from './target.js'

describe('fuzz command', () => {
  const good = target(
    'good',
    3,
    fc.property(fc.nat(), (n) => n >= 0),
  )
  const bad = target(
    'bad',
    1,
    fc.property(fc.array(fc.nat({ max: 100 })), (list) => {
      if (list.includes(7)) throw new Error('seven')
    }),
  )

  async function run(args: string[], targets: Target[]): Promise<{ status: number; out: string; err: string }> {
    const told = { out: '', err: '' }
    const terminal = { out: (text: string) => (told.out += text), err: (text: string) => (told.err += text) }
    const status = await runCommand(args, terminal, targets)
    return { status, ...told }
  }

  it('divides the inputs among the targets, and ends with one JSON object', async () => {
    const again = target(
      'again',
      1,
      fc.asyncProperty(fc.nat(), async (n) => n >= 0),
    )
    const { status, out } = await run(['--runs', '400', '--seed', '3', '--json'], [good, again])
    expect(status).to.equal(0)
    expect(out)
      .to.contain('passed good ')
      .and.to.match(/ 300 inputs/)
      .and.to.match(/ 100 inputs/)
    const verdict = JSON.parse(out.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
    expect(Object.keys(verdict)).to.deep.equal(['cases', 'failed', 'commit', 'seconds'])
    expect(verdict).to.include({ cases: 400, failed: 0 })
  })

  it('tells the shortest input of a target that fails, and the seed that finds it again', async () => {
    const { status, out } = await run(['--runs', '20000', '--seed', '5', '--json'], [bad, good])
    expect(status).to.equal(1)
    expect(out)
      .to.contain('shortest input: [[7]]')
      .and.to.contain('Error: seven')
      .and.to.contain('again with --runs 20000 --seed 5')
      .and.to.contain('passed good')
    const verdict = JSON.parse(out.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
    expect(verdict).to.include({ failed: 1 })
    expect((await run(['--runs', '20000', '--seed', '5'], [bad])).out).to.contain('[[7]]')
  })

  it('draws a seed and tells it', async () => {
    const drawn = await Promise.all([run(['--runs', '1'], [good]), run(['--runs', '1'], [good])])
    const seeds = drawn.map(({ out }) => /^seed (\d+)\n/.exec(out)?.[1])
    expect(seeds[0]).to.not.equal(seeds[1])
  })

  it('refuses what it does not know, and runs nothing', async () => {
    for (const args of [['--jason'], ['--runs', '0'], ['--runs', 'x'], ['--seed', '-1'], ['--seed=1.5'], ['more']]) {
      const { status, out, err } = await run(args, [bad])
      expect({ status, out }, args.join(' ')).to.deep.equal({ status: 2, out: '' })
      expect(err).to.contain('Usage: npm run fuzz')
    }
  })

  it('notices what takes memory for each counter', () => {
    let kept: unknown
    expect(() => within(1 << 20, () => (kept = Array.from({ length: 1_000_000 }, (_, i) => i)))).to.throw('of memory')
    expect(() => within(1 << 20, () => (kept = Buffer.alloc(10 << 20)))).to.throw('of memory')
    expect(within(1 << 20, () => 7)).to.equal(7)
    expect(kept).to.be.instanceOf(Buffer)
  })
})
