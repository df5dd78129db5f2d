import { expect } from 'chai'

import { runCommand } from './command.js'
import { simulateSeeds } from './seeds.js'

/** Other ones than `npm run simulate` begins with, so that both together see more. */
const FROM = 1_000_000
const SEEDS = 1_000

describe('simulation', () => {
  it(`keeps every promise under ${SEEDS} seeds`, async function () {
    this.timeout(840_000)
    const begun = performance.now()
    const { seeds, violated, simulatedMs, deliveries, faults } = await simulateSeeds({ from: FROM, count: SEEDS })
    const seconds = (performance.now() - begun) / 1_000
    const faultsOfOne = Object.values(faults).reduce((sum, times) => sum + times, 0) / seeds
    console.log(
      `      ${(seeds / seconds).toFixed(1)} schedules/s; of each ${(deliveries / seeds).toFixed(0)} deliveries, ` +
        `${faultsOfOne.toFixed(0)} faults, ${(simulatedMs / seeds / 60_000).toFixed(1)} simulated minutes`,
    )
    expect(violated).to.deep.equal([])
    expect(seeds).to.equal(SEEDS)
    expect(deliveries / seeds).to.be.at.least(200)
    expect(faultsOfOne).to.be.at.least(5)
    expect(simulatedMs / seeds / 60_000).to.be.at.least(10)
  })

  it('has the same digest whatever processes do it, and another under other seeds', async function () {
    this.timeout(120_000)
    // More than one process is given at once.
    const [first, again, other] = [
      await simulateSeeds({ from: 7, count: 12 }),
      await simulateSeeds({ from: 7, count: 12 }),
      await simulateSeeds({ from: 8, count: 1 }),
    ]
    expect(again).to.deep.equal(first)
    expect(other.digest).not.to.equal(first.digest)
  })

  it('is a command: verdict as JSON, usage errors told', async function () {
    this.timeout(60_000)
    const lines: string[] = []
    const terminal = { out: (text: string) => lines.push(text), err: (text: string) => lines.push(text) }
    expect(await runCommand(['--seed', '3', '--json'], terminal)).to.equal(0)
    expect(JSON.parse(lines.at(-1)!)).to.include({ seeds: 1, violations: 0 })
    for (const wrong of [['--seeds', '0'], ['--seed', 'x'], ['--minutes', '-1'], ['--seed', '1.5'], ['--what']]) {
      expect(await runCommand(wrong, terminal), wrong.join(' ')).to.equal(2)
    }
  })
})
