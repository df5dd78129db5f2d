import { expect } from 'chai'

import { rateOf } from './java-subject.js'

describe('bench of send: ProducerPerformance', () => {
  it('is read from its last line', () => {
    const output = `12345 records sent, 2469.0 records/sec (0.47 MB/sec), 1.0 ms avg latency, 2.0 ms max latency.
1000000 records sent, 161290.322581 records/sec (30.76 MB/sec), 5.12 ms avg latency, 201.00 ms max latency, 1 ms 50th.
`
    expect(rateOf(output)).to.equal(161290.322581)
    expect(() => rateOf('Exception in thread "main"\n')).to.throw('told no rate')
  })
})
