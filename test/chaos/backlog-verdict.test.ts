import { NumberSet } from '@tandem/cli/internal'
import { expect } from 'chai'

import { judgeBacklog, Reading } from './backlog-verdict.js'
import type { ReaderLine } from './reader.js'
import type { Verdict } from './verdict.js'

describe('verdict on a backlog', () => {
  /** Each life by its lines; all but the last one are killed when it says so. */
  function judge(lives: readonly { lines: ReaderLine[]; killedAtMs?: number }[], peak = 200): Verdict {
    const acknowledged = new NumberSet()
    for (let number = 1; number <= 4; number++) acknowledged.add(number)
    return judgeBacklog({
      name: 'doctored',
      acknowledged,
      lives: lives.map(({ lines, killedAtMs }) => {
        const reading = new Reading(2)
        for (const line of lines) reading.handle(line)
        reading.killedAtMs = killedAtMs
        return reading
      }),
      memory: { what: 'resident bytes', peak, allowed: 300 },
      recoverySeconds: 4,
      faults: new Map([['consumer-kill', 1]]),
    })
  }

  it('is good when all was handled, and again only what may not have been stored', () => {
    const { figures, complaints } = judge([
      {
        lines: [
          [1_000, 1, 2],
          [19_000, 3],
        ],
        killedAtMs: 20_000,
      },
      { lines: [[21_000, 3, 4]] },
    ])
    expect(complaints).to.deep.equal([])
    expect(figures).to.include({ acknowledged: 4, delivered: 4, lost: 0, duplicated: 1, unexplainedDuplicates: 0 })
    expect(figures.faults).to.include({ 'consumer-kill': 1, 'cluster-dead': 0 })
  })

  it('finds what nobody handled', () => {
    const { figures, complaints } = judge([{ lines: [[1_000, 1, 2, 4]] }])
    expect(figures).to.include({ lost: 1, delivered: 3 })
    expect(complaints).to.deep.equal(['1 acknowledged messages were not handled'])
  })

  it('finds what came twice to one process, or after it was stored', () => {
    expect(judge([{ lines: [[1_000, 1, 2, 3, 4, 4]] }]).figures).to.include({ duplicated: 1, unexplainedDuplicates: 1 })
    const stored = judge([{ lines: [[1_000, 1, 2]], killedAtMs: 20_000 }, { lines: [[21_000, 2, 3, 4]] }])
    expect(stored.figures).to.include({ duplicated: 1, unexplainedDuplicates: 1 })
    expect(stored.complaints).to.deep.equal(['1 messages were handled, stored as finished, and came again'])
  })

  it('finds what was handled after a later one of its account, and memory beyond the bound', () => {
    expect(judge([{ lines: [[1_000, 3, 2, 4, 1]] }]).figures.outOfOrder).to.equal(1)
    expect(judge([{ lines: [[1_000, 1, 2, 3, 4]] }], 301).complaints.join()).to.match(/resident bytes: 301/)
  })
})
