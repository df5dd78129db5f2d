import { expect } from 'chai'

import { courseOf } from './course.js'

describe('bench of failover: course', () => {
  it('has the kill where its second phase begins, and tells what was new from what was not', () => {
    const evidence = {
      acknowledged: [{ atMs: 10_000, number: 1 }],
      taken: [
        { atMs: 10_240, number: 1 },
        { atMs: 10_260, number: 1 },
        { atMs: 10_700, number: 2 },
      ],
      killedAtMs: 10_500,
    }
    expect(courseOf(evidence, { beforeMs: 500, afterMs: 250 })).to.deep.equal({
      bucketMs: 250,
      phases: [
        { name: 'both clusters', fromMs: 0, toMs: 500 },
        { name: 'one killed', fromMs: 500, toMs: 750 },
      ],
      series: [
        { name: 'acknowledged', unit: 'messages/s', values: [4, 0, 0] },
        { name: 'taken', unit: 'messages/s', values: [4, 0, 4] },
        { name: 'taken again', unit: 'messages/s', values: [0, 4, 0] },
      ],
    })
  })
})
