import { NumberSet } from '@tandem/cli/internal'
import { expect } from 'chai'

import type { Sighting } from './sightings.js'
import { judge } from './verdict.js'

describe('bench of failover: verdict', () => {
  const at = (...sightings: [atMs: number, number: number][]): Sighting[] =>
    sightings.map(([atMs, number]) => ({ atMs, number }))
  const holding = (...numbers: number[]): NumberSet => {
    const set = new NumberSet()
    for (const number of numbers) set.add(number)
    return set
  }
  const well = {
    acknowledged: at([1, 1], [2, 2], [3, 3], [4, 4]),
    taken: at([2, 1], [3, 2], [13, 3], [14, 4]),
    left: holding(1, 2, 3, 4),
    killedAtMs: 5,
  }

  it('finds nothing where everything was taken once', () => {
    expect(judge(well)).to.deep.equal({ lost: 0, skipped: 0, duplicated: 0, pauseMs: 10 })
  })

  it('tells what the log does not hold from what the consumer began behind', () => {
    const taken = at([2, 1], [13, 4])
    expect(judge({ ...well, taken, left: holding(1, 2, 4) })).to.include({ lost: 2, skipped: 1 })
  })

  it('does not call lost what nobody was told was written', () => {
    expect(judge({ ...well, acknowledged: well.acknowledged.slice(0, 2), taken: well.taken })).to.include({ lost: 0 })
  })

  it('counts each time that a message was taken again, and none of them ends the pause', () => {
    const taken = at([2, 1], [3, 2], [6, 1], [7, 2], [8, 2], [13, 3], [14, 4])
    expect(judge({ ...well, taken })).to.deep.equal({ lost: 0, skipped: 0, duplicated: 3, pauseMs: 10 })
  })

  it('sees a pause that comes later, and none that was over before the kill', () => {
    expect(judge({ ...well, taken: at([2, 1], [6, 2], [7, 3], [40, 4]) }).pauseMs).to.equal(33)
    expect(judge({ ...well, taken: at([2, 1], [40, 2], [41, 3], [43, 4]), killedAtMs: 41 }).pauseMs).to.equal(2)
  })

  it('knows no pause without an end', () => {
    expect(() => judge({ ...well, killedAtMs: 14 })).to.throw('nothing after it')
    expect(() => judge({ ...well, killedAtMs: 1 })).to.throw('before the kill')
  })
})
