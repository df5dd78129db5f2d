import { encodeStamp, STAMP_HEADER } from '@tandem/common/internal'
import { expect } from 'chai'

import { Counters, LogContents } from './log-contents.js'
import { payloadOf } from './payload.js'
import type { Samples } from './samples.js'
import { aloneAt, redundantAgainMs, verdictOf } from './verdict.js'

describe('bench of outages: verdict', () => {
  const samples = (numbers: readonly number[], atMs: readonly number[] = numbers.map(() => 0)): Samples => ({
    numbers: Uint32Array.from(numbers),
    atMs: Float64Array.from(atMs),
    latencyMs: new Float32Array(numbers.length),
  })
  /** @param held messages that it holds, the others of `voided` it voids. */
  const log = (counters: Counters, held: readonly number[], voided: readonly number[] = []): LogContents => {
    const contents = new LogContents(3, counters)
    const stamp = (kind: 'data' | 'void', number: number): string =>
      encodeStamp({ kind, producerId: 'bench', epoch: 1, incarnation: 1, keyRange: 0, first: number + 1, count: 1 })
    const handle = (kind: 'data' | 'void', number: number): void =>
      contents.handle({
        value: kind === 'data' ? payloadOf(number, 0) : null,
        timestamp: number,
        headers: [{ [STAMP_HEADER]: stamp(kind, number) }],
      })
    for (const number of held) handle('data', number)
    for (const number of voided) handle('void', number)
    return contents
  }
  const verdict = (options: {
    acknowledged?: number[]
    delivered?: number[]
    east?: number[]
    west?: number[]
    voided?: number[]
  }): object => {
    const all = [0, 1, 2]
    const { acknowledged = all, delivered = all, east = all, west = all, voided = [] } = options
    const counters = new Counters()
    const logs = [log(counters, east), log(counters, west, voided)]
    const { settledAtMs, ...counts } = verdictOf({
      sent: 3,
      acknowledged: samples(acknowledged),
      delivered: samples(delivered),
      logs,
    })
    expect(settledAtMs).to.have.length(3)
    return counts
  }
  const good = { lost: 0, duplicated: 0, missing: 0, voided: 0 }

  it('is good if each message was delivered once and is in both logs', () => {
    expect(verdict({})).to.deep.equal(good)
    expect(verdict({ acknowledged: [0, 1], delivered: [0, 1], east: [0, 1], west: [0] })).to.include({ missing: 1 })
    expect(verdict({ acknowledged: [0], delivered: [0], east: [0], west: [0] }), 'not acknowledged').to.deep.equal(good)
  })

  it('says what was lost, in the logs or behind them, what was repeated, what a log lacks', () => {
    expect(verdict({ delivered: [0, 2] })).to.deep.equal({ ...good, lost: 1 })
    expect(verdict({ east: [0, 1], west: [0, 1] })).to.deep.equal({ ...good, lost: 1, missing: 1 })
    expect(verdict({ delivered: [0, 2, 1, 2, 0] })).to.deep.equal({ ...good, duplicated: 2 })
    expect(verdict({ west: [0, 1] })).to.deep.equal({ ...good, missing: 1 })
    expect(verdict({ west: [0, 1], voided: [2] })).to.deep.equal({ ...good, voided: 1 })
  })

  it('is redundant again when the last message is settled that one log had alone for long', () => {
    // Acknowledged at 0, 100, 2000 and 3000, settled: at once, late, a little later, late.
    const given = {
      acknowledged: samples([0, 1, 2, 3], [0, 100, 2_000, 3_000]),
      settledAtMs: Float64Array.from([1, 1_800, 2_400, 4_000]),
    }
    expect(redundantAgainMs(given, { fromMs: 1_500, toMs: 3_400 })).to.equal(300)
    expect(redundantAgainMs(given, { fromMs: 1_500, toMs: 3_900 }), 'not yet').to.equal(undefined)
    expect(redundantAgainMs(given, { fromMs: 1_500, toMs: 5_000 })).to.equal(2_500)
    expect(redundantAgainMs(given, { fromMs: 1_900, toMs: 2_900 }), 'it was all the time').to.equal(0)
    expect([50, 1_000, 2_200, 5_000].map((ms) => aloneAt(given, ms))).to.deep.equal([0, 1, 1, 0])
  })
})
