import type { ClusterDescription } from '@tandem/common/internal'
import { expect } from 'chai'

import { TopicCheck } from './topic-check.js'

function cluster(
  broker: string,
  topics: Record<string, number>,
  { replicas = 3, inSync = replicas }: { replicas?: number; inSync?: number } = {},
): ClusterDescription {
  return {
    brokers: [{ id: 1, host: broker, port: 9092 }],
    topics: Object.entries(topics).map(([name, count]) => ({
      name,
      partitions: Array.from({ length: count }, (_, partition) => ({ partition, leader: 1, replicas, inSync })),
    })),
  }
}

const none = (): undefined => undefined
const six = (): number => 6

describe('topic-check', () => {
  it('finds nothing wrong with two clusters that are alike', () => {
    const check = new TopicCheck(['east', 'west'])
    for (const [lane, broker] of [
      [0, 'e'],
      [1, 'w'],
    ] as const) {
      expect(check.handleDescribed(lane, ['entries'], cluster(broker, { entries: 6 }), none)).to.deep.equal({
        error: undefined,
        facts: [],
      })
    }
    expect(check.partitions('entries')).to.equal(6)
    expect(check.partitions('audits')).to.equal(0)
  })

  it('names the cluster that lacks a topic', () => {
    const check = new TopicCheck(['east', 'west'])
    const { error } = check.handleDescribed(1, ['entries', 'audits'], cluster('w', { entries: 6 }), none)
    expect(error).to.include({ code: 'TANDEM_TOPIC_MISSING' })
    expect(error?.message).to.contain('west').and.to.contain('audits')
  })

  it('names the cluster whose topic takes no voids', () => {
    const check = new TopicCheck(['east', 'west'])
    const { brokers, topics } = cluster('w', { entries: 6 })
    const compacted = { brokers, topics: topics.map((topic) => ({ ...topic, takesVoids: false })) }
    const { error } = check.handleDescribed(1, ['entries'], compacted, none)
    expect(error).to.include({ code: 'TANDEM_TOPIC_COMPACTED' })
    expect(error?.details).to.include({ topic: 'entries', cluster: 'west' })
  })

  it('names both partition counts when they differ', () => {
    const check = new TopicCheck(['east', 'west'])
    check.handleDescribed(0, ['entries'], cluster('e', { entries: 6 }), six)
    const { error } = check.handleDescribed(1, ['entries'], cluster('w', { entries: 8 }), six)
    expect(error).to.include({ code: 'TANDEM_PARTITIONS_UNEQUAL' })
    expect(error?.details['partitions']).to.deep.equal({ east: 6, west: 8 })
  })

  it('does not take two lanes into one cluster for two copies', () => {
    const check = new TopicCheck(['east', 'west'])
    check.handleDescribed(0, [], cluster('same', {}), none)
    const { error } = check.handleDescribed(1, [], cluster('same', {}), none)
    expect(error).to.include({ code: 'TANDEM_CLUSTER_SHARED' })
  })

  it('tells a partition count that has grown once, and goes on with what is pinned', () => {
    const check = new TopicCheck(['east', 'west'])
    check.handleDescribed(0, ['entries'], cluster('e', { entries: 6 }), none)
    check.handleDescribed(1, ['entries'], cluster('w', { entries: 6 }), six)
    const grown = check.handleDescribed(0, ['entries'], cluster('e', { entries: 9 }), six)
    expect(grown).to.deep.equal({
      error: undefined,
      facts: [{ kind: 'partitions-grown', cluster: 'east', topic: 'entries', partitions: 9, pinned: 6 }],
    })
    expect(check.handleDescribed(0, ['entries'], cluster('e', { entries: 9 }), six).facts).to.deep.equal([])
    expect(check.handleDescribed(1, ['entries'], cluster('w', { entries: 6 }), six).error).to.equal(undefined)
  })

  it('does not go on with a topic that has lost partitions', () => {
    const check = new TopicCheck(['east', 'west'])
    check.handleDescribed(0, ['entries'], cluster('e', { entries: 6 }), none)
    const { error } = check.handleDescribed(0, ['entries'], cluster('e', { entries: 5 }), six)
    expect(error).to.include({ code: 'TANDEM_PARTITIONS_UNEQUAL' })
  })

  it('compares anew a topic that was found unequal and is not in use yet', () => {
    const check = new TopicCheck(['east', 'west'])
    check.handleDescribed(0, ['entries'], cluster('e', { entries: 6 }), none)
    expect(check.handleDescribed(1, ['entries'], cluster('w', { entries: 4 }), none).error).to.not.equal(undefined)
    expect(check.handleDescribed(0, ['entries'], cluster('e', { entries: 4 }), none).error).to.equal(undefined)
    expect(check.handleDescribed(1, ['entries'], cluster('w', { entries: 4 }), none).error).to.equal(undefined)
  })

  it('tells low replication and replicas out of sync, once until it changes', () => {
    const check = new TopicCheck(['east', 'west'])
    const facts = (replicas: number, inSync: number): unknown =>
      check.handleDescribed(0, ['entries'], cluster('e', { entries: 2 }, { replicas, inSync }), none).facts
    const low = { kind: 'replication-low', cluster: 'east', topic: 'entries' }
    expect(facts(3, 2)).to.deep.equal([{ ...low, replicas: 3, inSync: 2 }])
    expect(facts(3, 2)).to.deep.equal([])
    expect(facts(3, 3)).to.deep.equal([])
    expect(facts(1, 1)).to.deep.equal([{ ...low, replicas: 1, inSync: 1 }])
  })
})
