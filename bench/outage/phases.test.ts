import { expect } from 'chai'

import { playPhases } from './phases.js'

describe('bench of outages: phases', () => {
  const lengths = { healthyMs: 5, faultMs: 7, afterMsMin: 10, afterMsMax: 40 }
  const faults = (log: string[]) =>
    ['hung', 'slow'].map((name) => ({
      name,
      strike: async (ms: number) => void log.push(`${name} for ${ms}`),
      heal: async () => void log.push(`${name} heals`),
    }))

  it('follow each other without a gap, and go on as soon as both logs are complete', async () => {
    const log: string[] = []
    const asked: number[] = []
    const redundantSince = (ms: number): boolean => asked.push(ms) > 0
    const phases = await playPhases(faults(log), lengths, redundantSince, new AbortController().signal)
    expect(log).to.deep.equal(['hung for 7', 'hung heals', 'slow for 7', 'slow heals'])
    expect(phases.map(({ name }) => name)).to.deep.equal(['healthy', 'hung', 'after hung', 'slow', 'after slow'])
    expect(phases.slice(1).map(({ fromMs }) => fromMs)).to.deep.equal(phases.slice(0, -1).map(({ toMs }) => toMs))
    const healed = phases.flatMap(({ healedMs = [] }) => healedMs)
    expect([...new Set(asked)]).to.deep.equal(healed)
    for (const { healedMs, toMs } of phases) if (healedMs !== undefined) expect(toMs - healedMs).to.be.at.least(10)
  })

  it('do not wait for ever', async () => {
    const phases = await playPhases(faults([]).slice(0, 1), lengths, () => false, new AbortController().signal)
    const { healedMs, toMs } = phases.at(-1)!
    expect(toMs - healedMs!).to.be.at.least(lengths.afterMsMax)
  })

  it('end when the run is broken', async () => {
    const reason = new Error('the consumer is gone')
    const failure = await playPhases(faults([]), lengths, () => true, AbortSignal.abort(reason)).catch((error) => error)
    expect(failure).to.have.property('cause', reason)
  })
})
