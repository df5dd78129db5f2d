import { bytes } from '@tandem/common'
import { expect } from 'chai'

import { MemoryHighWaterStore } from './high-water/memory-high-water-store.js'
import { readConsumerOptions, type ConsumerOptions } from './options.js'

const GOOD: ConsumerOptions = {
  groupId: 'balances',
  clusters: { east: { 'bootstrap.servers': 'east:9092' }, west: { 'bootstrap.servers': 'west:9092' } },
  topics: ['entries'],
  highWater: new MemoryHighWaterStore(),
}

function refused(change: object): string {
  try {
    readConsumerOptions({ ...GOOD, ...change })
  } catch (error) {
    expect(error).to.have.property('code', 'TANDEM_OPTIONS_INVALID')
    return (error as Error).message
  }
  return 'accepted'
}

describe('consumer options', () => {
  it('have the documented defaults', () => {
    expect(readConsumerOptions(GOOD)).to.deep.include({
      clusters: ['east', 'west'],
      topics: ['entries'],
      unacknowledgedMax: 10_000,
      unacknowledgedBytesMax: 64 << 20,
      gapTimeoutMs: 5_000,
      holeTimeoutMs: 60_000,
      feedAwayAfterMs: 10_000,
      leaseMs: 10_000,
      whenStoreAway: 'pause',
      flushIntervalMs: 100,
      ackTimeoutMs: 60_000,
      heldMessagesMax: 50_000,
      heldBytesMax: 64 << 20,
      from: 'earliest',
    })
  })

  it('refuse a lease that is too short to be renewed in time', () => {
    expect(refused({ leaseMs: 999 })).to.include('consumer.leaseMs')
    expect(refused({ leaseMs: 1_000 })).to.equal('accepted')
    expect(refused({ whenStoreAway: 'stop' })).to.include('consumer.whenStoreAway')
  })

  it('refuse a store that lacks what leases need', () => {
    const without = { name: 'old', acquire: () => undefined, flush: () => undefined, release: () => undefined }
    expect(refused({ highWater: without })).to.include('a HighWaterStore')
  })

  it('take topics with their codecs', () => {
    const settings = readConsumerOptions({ ...GOOD, topics: { entries: { codec: bytes }, other: {} } })
    expect(settings.topics).to.deep.equal(['entries', 'other'])
    expect(settings.codecs.get('entries')).to.equal(bytes)
  })

  it('take every name of a topic, whatever objects have under that name', () => {
    const topics = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    expect(readConsumerOptions({ ...GOOD, topics }).topics).to.deep.equal(topics)
    expect(refused({ topics: [...topics, '__proto__'] })).to.include('"__proto__" (string) twice')
  })

  it('take the names of clusters that the producer takes', () => {
    const [east, west] = Object.values(GOOD.clusters)
    for (const name of ['__proto__', '1', 'a/b', 'a b', '', 'x'.repeat(65)]) {
      expect(
        refused({
          clusters: Object.fromEntries([
            [name, east],
            ['west', west],
          ]),
        }),
        name,
      ).to.include('clusters')
    }
    expect(refused({ clusters: { constructor: east, 'b.2_-': west } })).to.equal('accepted')
  })

  it('refuse what is wrong, with what was received and what is allowed', () => {
    expect(refused({ gapTimeOutMs: 1 })).to.include('gapTimeOutMs')
    expect(refused({ clusters: { east: GOOD.clusters['east'] } })).to.include('clusters')
    expect(refused({ clusters: { ...GOOD.clusters, south: { 'bootstrap.servers': 's:1' } } })).to.include('clusters')
    expect(refused({ clusters: { east: GOOD.clusters['east'], west: {} } })).to.include('bootstrap.servers')
    const owned = { east: { ...GOOD.clusters['east'], 'enable.auto.commit': true }, west: GOOD.clusters['west'] }
    expect(refused({ clusters: owned })).to.include('enable.auto.commit')
    expect(refused({ topics: [] })).to.include('topics')
    expect(refused({ topics: ['entries', 'entries'] })).to.include('entries')
    expect(refused({ topics: [7] })).to.include('7')
    expect(refused({ topics: [Object.create(null)] })).to.include('received an object')
    expect(refused({ highWater: {} })).to.include('highWater')
    expect(refused({ groupId: '' })).to.include('groupId')
    expect(refused({ groupId: 'a/b' })).to.include('groupId')
    expect(refused({ order: 'none' })).to.include('order')
    for (const unstamped of ['deliver', {}, null, { deliver: 7 }, { deliver: 'east', deadLetter: () => undefined }]) {
      expect(refused({ unstamped }), JSON.stringify(unstamped)).to.include('{ deliver: <one of the clusters> }')
    }
    expect(refused({ unstamped: { deliver: 'north' } })).to.include(
      'received "north" (string), allowed is east or west',
    )
  })

  it('refuse a feedAwayAfterMs that leaves no time to answer', () => {
    expect(refused({ feedAwayAfterMs: 999 }))
      .to.include('feedAwayAfterMs')
      .and.to.include('1000')
    expect(refused({ feedAwayAfterMs: 1_000 })).to.equal('accepted')
  })

  for (const name of ['gapTimeoutMs', 'holeTimeoutMs', 'unacknowledgedMax', 'heldMessagesMax', 'flushIntervalMs']) {
    it(`refuse a ${name} at and beyond its edge`, () => {
      for (const value of [0, -1, 1.5, NaN, Infinity, '5', null]) expect(refused({ [name]: value })).to.include(name)
      expect(refused({ [name]: 1 })).to.equal('accepted')
    })
  }
})
