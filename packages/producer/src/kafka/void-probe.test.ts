import { decodeStamp, type TopicDescription } from '@tandem/common/internal'
import { expect } from 'chai'

import type { WireRecord } from '../core/record.js'
import type { WriteFailure } from '../core/write-failure.js'
import { VoidProbe } from './void-probe.js'

const IDENTITY = { producerId: 'ledger-7', epoch: 3, incarnation: 4 }
const NO_KEY: WriteFailure = { kind: 'batch-refused', reason: 'broker failed to validate record' }
const SLOW: WriteFailure = { kind: 'transient', reason: 'message timed out' }

describe('void-probe', () => {
  /** A topic whose first partition has no leader. */
  function topic(name: string, ...leaders: number[]): TopicDescription {
    return { name, partitions: leaders.map((leader, partition) => ({ partition, leader, replicas: 3, inSync: 3 })) }
  }

  function probe(proven = new Set<string>(), refusal?: WriteFailure) {
    const written: { id: number; record: WireRecord }[] = []
    const made = new VoidProbe({ identity: IDENTITY, proven }, (id, record) => {
      written.push({ id, record })
      return refusal
    })
    const ask = (topics: readonly TopicDescription[], patienceMs = 10_000): Promise<readonly (boolean | undefined)[]> =>
      new Promise((resolve) => {
        made.ask(topics, patienceMs, (found) => resolve(found.map(({ takesVoids }) => takesVoids)))
      })
    return { made, written, ask, proven }
  }

  it('writes a void of nothing to a partition that has a leader, once for all clients', async () => {
    const { made, written, ask, proven } = probe()
    const asked = ask([topic('entries', -1, 7)])
    const [{ id, record }] = written as [{ id: number; record: WireRecord }]
    expect(record).to.include({ topic: 'entries', partition: 1, key: null, value: null })
    expect(decodeStamp(Buffer.from(record.headers[0]!['tandem']!))).to.deep.equal({
      ...{ kind: 'void', ...IDENTITY, keyRange: 1, first: 1, count: 0 },
    })
    made.handleReport(id, undefined)
    expect(await asked).to.deep.equal([undefined])
    const next = probe(proven)
    expect(await next.ask([topic('entries', 1)])).to.deep.equal([undefined])
    expect(next.written).to.deep.equal([])
  })

  it('says which topics refuse it, and asks those again', async () => {
    const { made, written, ask } = probe()
    const topics = [topic('entries', 1), topic('balances', 1)]
    const asked = ask(topics)
    made.handleReport(written[1]!.id, NO_KEY)
    made.handleReport(written[0]!.id, undefined)
    expect(await asked).to.deep.equal([undefined, false])
    void ask(topics)
    expect(written.slice(2).map(({ record }) => record.topic)).to.deep.equal(['balances'])
  })

  it('concludes nothing from another failure, from silence, from a late word and from a topic without a leader', async () => {
    const { made, written, ask, proven } = probe()
    const failed = ask([topic('entries', 1)])
    made.handleReport(written[0]!.id, SLOW)
    expect(await failed).to.deep.equal([undefined])
    expect(await ask([topic('entries', 1)], 1)).to.deep.equal([undefined])
    made.handleReport(written[1]!.id, NO_KEY)
    expect(await ask([topic('entries', -1)])).to.deep.equal([undefined])
    expect([...proven]).to.deep.equal([])
    expect(await probe(new Set(), SLOW).ask([topic('entries', 1)])).to.deep.equal([undefined])
    expect(written).to.have.length(2)
  })
})
