import { encode } from '@msgpack/msgpack'
import { encodeStamp, STAMP_HEADER, type Stamp } from '@tandem/common/internal'
import { expect } from 'chai'

import { Counters, LogContents, type LogRecord } from './log-contents.js'
import { payloadOf } from './payload.js'

describe('bench of outages: what a log holds', () => {
  const record = (
    stamp: Pick<Stamp, 'kind' | 'keyRange' | 'first' | 'count'>,
    value: Buffer | null,
    timestamp: number,
  ): LogRecord => ({
    value,
    timestamp,
    headers: [{ [STAMP_HEADER]: encodeStamp({ producerId: 'bench', epoch: 1, incarnation: 1, ...stamp }) }],
  })
  const data = (keyRange: number, counter: number, number: number, timestamp: number): LogRecord =>
    record({ kind: 'data', keyRange, first: counter, count: 1 }, payloadOf(number, 0), timestamp)

  it('is known by the numbers in payloads, since the first copy came', () => {
    const log = new LogContents(4, new Counters())
    log.handle(data(0, 1, 2, 100))
    log.handle(data(0, 1, 2, 200))
    const framed = encode([0, 3].map((number) => [null, payloadOf(number, 0)]))
    log.handle(record({ kind: 'frame', keyRange: 1, first: 1, count: 2 }, Buffer.from(framed), 300))
    expect([...log.heldAtMs]).to.deep.equal([300, Infinity, 100, 300])
    expect([...log.settledAtMs()]).to.deep.equal([300, Infinity, 100, 300])
  })

  it('is also what it voids: of messages that the other log shows', () => {
    const counters = new Counters()
    const [east, west] = [new LogContents(3, counters), new LogContents(3, counters)]
    west.handle(record({ kind: 'void', keyRange: 5, first: 1, count: 2 }, null, 400))
    west.handle(data(5, 3, 2, 500))
    for (const number of [0, 1, 2]) east.handle(data(5, number + 1, number, 100))
    expect([...west.heldAtMs]).to.deep.equal([Infinity, Infinity, 500])
    expect([...west.settledAtMs()]).to.deep.equal([400, 400, 500])
  })
})
