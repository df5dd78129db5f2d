import { isTandemError, json, type ErrorCode } from '@tandem/common/internal'
import { expect } from 'chai'

import { ClockEpochs } from './epoch/epoch-store.js'
import { readProducerOptions } from './options.js'

const CLUSTERS = { east: { 'bootstrap.servers': 'east:9092' }, west: { 'bootstrap.servers': 'west:9092' } }
const GOOD = { producerId: 'ledger-7', clusters: CLUSTERS }

function refused(options: unknown, code: ErrorCode = 'TANDEM_OPTIONS_INVALID'): string {
  try {
    readProducerOptions(options)
  } catch (error) {
    if (isTandemError(error, code)) return error.message
    throw error
  }
  return 'taken'
}

describe('producer options', () => {
  it('needs a producerId and two clusters, and has a default for the rest', () => {
    const settings = readProducerOptions(GOOD)
    expect(settings).to.deep.include({
      producerId: 'ledger-7',
      acknowledge: 'one',
      whenBothAway: { policy: 'block', timeoutMs: 30_000 },
      backlogBytesMax: 64 << 20,
      sendTimeoutMs: 30_000,
      connectTimeoutMs: 10_000,
      unacknowledgedMax: 100_000,
      unacknowledgedBytesMax: 64 << 20,
    })
    expect(settings.clusters.map(({ name }) => name)).to.deep.equal(['east', 'west'])
    expect(settings.epochs).to.be.instanceOf(ClockEpochs)
  })

  it('reads the options of a topic', () => {
    const { topics } = readProducerOptions({ ...GOOD, topics: { entries: { keyRanges: 64, codec: json }, audits: {} } })
    expect(topics['entries']).to.include({ keyRanges: 64, codec: json, framing: 'record', messageBytesMax: 1_000_000 })
    expect(topics['audits']).to.include({ keyRanges: undefined, codec: undefined })
  })

  it('refuses what it does not know, naming path, value and what is allowed', () => {
    expect(refused({ ...GOOD, acknowlegde: 'one' })).to.contain('producer.acknowlegde')
    expect(refused({ ...GOOD, acknowledge: 'all' })).to.contain("'one' or 'available' or 'both'")
    expect(refused({ ...GOOD, topics: { entries: { framing: 'frames' } } })).to.contain(
      'producer.topics.entries.framing',
    )
    expect(refused({ ...GOOD, topics: { 'a b': {} } })).to.contain('producer.topics')
    expect(refused({ ...GOOD, whenBothAway: { policy: 'journal' } })).to.contain('producer.whenBothAway.policy')
    expect(refused({ ...GOOD, sendTimeoutMs: 99 })).to.contain('100 to 3600000')
    expect(refused({ ...GOOD, producerId: 'a:b' })).to.contain('producerId')
    expect(refused({ ...GOOD, epochs: {} })).to.contain('take()')
    expect(refused({ ...GOOD, logger: {} })).to.contain('debug()')
    expect(refused(undefined)).to.contain('producer')
  })

  it('wants exactly two clusters', () => {
    expect(refused({ ...GOOD, clusters: { east: CLUSTERS.east } })).to.contain('1 of them')
    expect(refused({ ...GOOD, clusters: { ...CLUSTERS, south: CLUSTERS.east } })).to.contain('3 of them')
  })

  it('refuses properties that the protocol owns, with the reason', () => {
    const clusters = { ...CLUSTERS, east: { ...CLUSTERS.east, acks: 1 } }
    expect(refused({ ...GOOD, clusters }))
      .to.contain('clusters.east["acks"]')
      .and.to.contain('in-sync')
  })

  it('refuses the same cluster twice', () => {
    for (const servers of ['east:9092', 'other:1,EAST', 'SSL://east:9092']) {
      const clusters = { ...CLUSTERS, west: { 'bootstrap.servers': servers } }
      expect(refused({ ...GOOD, clusters }, 'TANDEM_CLUSTER_SHARED')).to.contain('east:9092')
    }
    expect(refused({ ...GOOD, clusters: { ...CLUSTERS, west: { 'bootstrap.servers': 'east:9093' } } })).to.equal(
      'taken',
    )
  })
})
