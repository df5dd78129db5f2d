import { partitionOf } from '@tandem/common/internal'
import { expect } from 'chai'

import { IDENTITY } from './given.test.js'
import { Sequencer } from './sequencer.js'

describe('sequencer', () => {
  it('counts each key range of each topic for itself, from 1 without holes', () => {
    const sequencer = new Sequencer(IDENTITY)
    const entries = sequencer.pin({ name: 'entries', partitions: 2, keyRanges: 4 })
    const audits = sequencer.pin({ name: 'audits', partitions: 2, keyRanges: 4 })
    const [a, b] = [entries.sequenceInTurn(), entries.sequenceInTurn()]
    expect([a.take(1), a.take(3), a.take(1), b.take(1), a.last]).to.deep.equal([1, 2, 5, 1, 5])
    expect(audits.sequenceInTurn().take(1)).to.equal(1)
  })

  it('gives one key always the same sequence, and the partition that Kafka would pick', () => {
    const entries = new Sequencer(IDENTITY).pin({ name: 'entries', partitions: 3, keyRanges: 12 })
    for (const key of ['acct-1', 'acct-2', '', 'kafka']) {
      const sequence = entries.sequenceOf(Buffer.from(key))
      expect(entries.sequenceOf(Buffer.from(key))).to.equal(sequence)
      expect(sequence.partition).to.equal(partitionOf(sequence.keyRange, 3))
    }
  })

  it('takes the key ranges in turn for messages without a key, beginning by the incarnation', () => {
    const entries = new Sequencer({ ...IDENTITY, incarnation: 6 }).pin({ name: 'entries', partitions: 2, keyRanges: 4 })
    const turns = Array.from({ length: 5 }, () => entries.sequenceInTurn().keyRange)
    expect(turns).to.deep.equal([2, 3, 0, 1, 2])
  })

  it('refuses what would unpin a topic, or key ranges that do not fit its partitions', () => {
    const sequencer = new Sequencer(IDENTITY)
    sequencer.pin({ name: 'entries', partitions: 2, keyRanges: 4 })
    expect(() => sequencer.pin({ name: 'entries', partitions: 4, keyRanges: 4 })).to.throw('pinned once')
    expect(() => sequencer.pin({ name: 'audits', partitions: 3, keyRanges: 4 })).to.throw('key ranges')
    expect([...sequencer.names]).to.deep.equal(['entries'])
  })
})
