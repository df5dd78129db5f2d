import { expect } from 'chai'

import { runChaos, type Play, type Played } from './command.js'
import type { Figures, Verdict } from './verdict.js'

describe('chaos command', () => {
  const scenarios: readonly Played[] = [
    { name: 'cluster-killed', play: async () => undefined },
    { name: 'redis-killed', play: async () => undefined },
    { name: 'killed-often', byNameOnly: true, play: async () => undefined },
  ]
  const bad = ['{"number":1} was acknowledged and is not delivered to audit']

  async function run(
    args: string[],
    complaints: (name: string) => readonly string[] = () => [],
  ): Promise<{ status: number; out: string; err: string; played: string[] }> {
    const told = { out: '', err: '' }
    const played: string[] = []
    const play: Play = async ({ name }, say) => {
      played.push(name)
      say('east is killed')
      const found = complaints(name)
      const figures = { name, lost: found.length, faults: { 'cluster-dead': 1 }, missing: { east: 0 } }
      return { figures: figures as unknown as Figures, complaints: found, effects: {} } satisfies Verdict
    }
    const terminal = { out: (text: string) => (told.out += text), err: (text: string) => (told.err += text) }
    const status = await runChaos(args, scenarios, play, terminal)
    return { status, ...told, played }
  }

  it('plays all scenarios, or those that are named', async () => {
    expect(await run([])).to.deep.include({ status: 0, played: ['cluster-killed', 'redis-killed'] })
    expect(await run(['redis-killed'])).to.deep.include({ status: 0, played: ['redis-killed'] })
    expect(await run(['killed-often'])).to.deep.include({ status: 0, played: ['killed-often'] })
    expect((await run([])).out).to.match(/east is killed[^]*good cluster-killed: lost 0[^]*2 good, 0 bad, .* s\n$/)
  })

  it('fails if there is a complaint about one of them, and shows it', async () => {
    const { status, out, played } = await run([], (name) => (name === 'cluster-killed' ? bad : []))
    expect([status, played.length]).to.deep.equal([1, 2])
    expect(out).to.contain('BAD  cluster-killed: lost 1').and.to.contain(bad[0]).and.to.contain('1 good, 1 bad')
  })

  it('fails if one breaks off, and plays the others', async () => {
    const { status, out } = await run(['--json'], (name) => {
      if (name === 'cluster-killed') throw new Error('balances-1 ended by itself')
      return []
    })
    expect(status).to.equal(1)
    expect(out).to.contain('BAD  cluster-killed: Error: balances-1').and.to.contain('1 good, 1 bad')
    const { scenarios } = JSON.parse(out.trimEnd().split('\n').at(-1)!) as { scenarios: object[] }
    expect(scenarios[0]).to.deep.equal({ name: 'cluster-killed', broken: 'Error: balances-1 ended by itself' })
    expect(scenarios[1]).to.include({ name: 'redis-killed', lost: 0 })
  })

  it('ends with one JSON object if it is asked to', async () => {
    const { out } = await run(['--json', 'redis-killed'])
    const verdict = JSON.parse(out.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
    expect(Object.keys(verdict)).to.deep.equal(['scenarios', 'commit', 'seconds'])
    expect(verdict['scenarios']).to.deep.equal([
      { name: 'redis-killed', lost: 0, faults: { 'cluster-dead': 1 }, missing: { east: 0 } },
    ])
  })

  it('mixes everything for some minutes, from a seed that it prints first', async () => {
    expect(await run(['--minutes', '0.5', '--seed', '7'])).to.deep.include({ status: 0, played: ['mix'] })
    expect((await run(['--minutes', '3', '--seed', '7'])).out).to.match(/^seed 7\nmix\n/)
    expect((await run(['--minutes', '3'])).out).to.match(/^seed \d+\nmix\n/)
  })

  it('refuses what it does not know, and plays nothing', async () => {
    for (const args of [
      ['cluster-dead'],
      ['--jason'],
      ['--minutes'],
      ['--minutes', '0'],
      ['--minutes', 'many'],
      ['--minutes', '3', 'redis-killed'],
      ['--seed', '7'],
      ['--minutes', '3', '--seed', '-1'],
      ['--minutes=3', '--seed=x'],
    ]) {
      const { status, out, err, played } = await run(args)
      expect([status, out, played], args.join(' ')).to.deep.equal([2, '', []])
      expect(err).to.contain('Usage: npm run chaos').and.to.contain('cluster-killed')
    }
  })
})
