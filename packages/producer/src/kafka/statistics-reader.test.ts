import { expect } from 'chai'

import { StatisticsReader } from './statistics-reader.js'

const BROKER = {
  txerrs: 1,
  rxerrs: 2,
  req_timeouts: 3,
  txretries: 4,
  connects: 5,
  disconnects: 6,
  waitresp_cnt: 7,
  outbuf_cnt: 8,
  rtt: { cnt: 9, p99: 1_500 },
}

function text(brokers: Record<string, object>): string {
  return JSON.stringify({ name: 'rdkafka#producer-1', msg_cnt: 10, msg_size: 11, brokers, topics: {} })
}

describe('statistics-reader', () => {
  it('sums over brokers, and takes the slowest round trip', () => {
    const read = new StatisticsReader().read(text({ a: BROKER, b: { ...BROKER, rtt: { cnt: 1, p99: 9_500 } } }))
    expect(read).to.deep.equal({
      roundTripP99Ms: 9.5,
      requestsInFlight: 14,
      requestsWaiting: 16,
      queueMessages: 10,
      queueBytes: 11,
      grown: {
        transmitErrors: 2,
        receiveErrors: 4,
        requestTimeouts: 6,
        requestRetries: 8,
        connects: 10,
        disconnects: 12,
      },
    })
  })

  it('says by how much the totals grew since the last time, never less than nothing', () => {
    const reader = new StatisticsReader()
    const connects = (brokers: Record<string, object>): number => reader.read(text(brokers))!.grown.connects
    expect(connects({ 'a/bootstrap': BROKER })).to.equal(5)
    expect(connects({ 'a/1': BROKER, 'b/2': { ...BROKER, connects: 1 } })).to.equal(1)
    expect(connects({ 'b/2': { ...BROKER, connects: 2 } })).to.equal(0) // the other one has left
    expect(connects({ 'b/2': { ...BROKER, connects: 4 } })).to.equal(2)
  })

  it('does not take silence for speed', () => {
    const reader = new StatisticsReader()
    const silent = { ...BROKER, rtt: { cnt: 0, p99: 0 } }
    expect(reader.read(text({ a: silent }))!.roundTripP99Ms).to.equal(undefined)
    expect(reader.read(text({}))!.roundTripP99Ms).to.equal(undefined)
    expect(reader.read(text({ a: silent, b: BROKER }))!.roundTripP99Ms).to.equal(1.5)
  })

  it('makes nothing of what is not statistics, and takes what is missing as nothing', () => {
    const reader = new StatisticsReader()
    for (const strange of ['', '{', 'null', '7']) expect(reader.read(strange)).to.equal(undefined)
    expect(reader.read('{"brokers":{"a":null,"b":{"connects":"x"}}}')).to.deep.include({ queueBytes: 0 })
    expect(reader.read(text({ a: BROKER }))!.grown.connects).to.equal(5)
  })
})
