import { expect } from 'chai'

import { phaseFigures, type Measured } from './figures.js'
import type { ConsumerGauge } from './order.js'
import type { Samples } from './samples.js'
import { timelineOf } from './timeline.js'
import type { Verdict } from './verdict.js'

/** One message each 100 ms for two seconds: 10 while all is well, 5 while the west hangs, 5 behind that. */
describe('bench of outages: figures', () => {
  const count = 20
  const beginMs = 5_000
  const dueMs = (number: number): number => beginMs + number * 100
  /** @param latencyMs by number. */
  const samples = (latencyMs: (number: number) => number): Samples => {
    const numbers = Uint32Array.from({ length: count }, (_, number) => number)
    const latencies = Float32Array.from(numbers, latencyMs)
    return { numbers, latencyMs: latencies, atMs: Float64Array.from(numbers, (n) => dueMs(n) + latencies[n]!) }
  }
  const gauge = (atMs: number, redisCommands: number): ConsumerGauge => ({
    atMs,
    redisCommands,
    memoryBytes: 50e6,
    delivered: 0,
    read: 0,
  })
  const measured: Measured = {
    sent: count,
    // The last two of the fault are answered only behind it.
    acknowledged: samples((number) => (number === 13 || number === 14 ? 250 : number + 1)),
    delivered: samples(() => 20),
    logs: [],
    phases: [
      { name: 'healthy', fromMs: beginMs, toMs: beginMs + 1_000 },
      { name: 'hung', fromMs: beginMs + 1_000, toMs: beginMs + 1_500 },
      { name: 'after hung', fromMs: beginMs + 1_500, toMs: beginMs + 2_500, healedMs: beginMs + 1_600 },
    ],
    consumerGauges: [gauge(beginMs - 50, 100), gauge(beginMs + 950, 160), gauge(beginMs + 1_700, 400)],
    offeredPerSecond: 10,
  }
  const verdict: Verdict = {
    lost: 0,
    duplicated: 0,
    missing: 0,
    voided: 0,
    settledAtMs: Float64Array.from({ length: count }, (_, number) =>
      number >= 10 && number < 15 ? beginMs + 2_000 : dueMs(number) + 30,
    ),
  }

  it('of each phase: what was done in it, and how long that took which was due in it', () => {
    const figures = phaseFigures(measured, verdict, ['hung'])
    expect(figures).to.include({
      'accepted/s, healthy': 10,
      'accepted / offered, healthy': 1,
      'send p50 ms, healthy': 5,
      'send p99 ms, healthy': 10,
      'accepted/s, hung': 6,
      'accepted / offered, hung': 0.6,
      'delivered/s, hung': 10,
      'send p50 ms, hung': 13,
      'send p99.9 ms, hung': 250,
      'accepted/s, after hung': 7,
      'p99 of send, healthy / fault, hung': 0.04,
      'Redis commands/partition/s, healthy': 10,
      'in one log alone, hung': 3,
      'in one log alone, after hung': 0,
      'redundant again s, after hung': 0.4,
    })
    expect(figures['end to end p50 ms, hung']).to.be.closeTo(20, 1e-3)
  })

  it('leave out what was not offered, and what did not come before the next fault', () => {
    const late = Float64Array.from(verdict.settledAtMs).fill(beginMs + 9_000, 12, 13)
    const figures = phaseFigures({ ...measured, offeredPerSecond: undefined }, { ...verdict, settledAtMs: late }, [
      'hung',
    ])
    expect(Object.keys(figures).filter((unit) => /offered|again/.test(unit))).to.deep.equal([])
    expect(figures['in one log alone, after hung']).to.equal(1)
  })

  it('over time', () => {
    const producerGauges = [{ atMs: beginMs + 600, memoryBytes: 80e6, redundant: true }]
    const { bucketMs, phases, series } = timelineOf({ ...measured, producerGauges }, verdict)
    expect(bucketMs).to.equal(500)
    expect(phases[1]).to.deep.equal({ name: 'hung', fromMs: 1_000, toMs: 1_500 })
    const values = (name: string): readonly unknown[] => series.find((one) => one.name === name)!.values
    expect(values('accepted')).to.deep.equal([10, 10, 6, 14, 0])
    expect(values('send p50')).to.deep.equal([3, 8, 13, 18, null])
    expect(values('in one log alone')).to.deep.equal([0, 0, 3, 5, 0])
    expect(values('producer')).to.deep.equal([null, 80, null, null, null])
  })
})
