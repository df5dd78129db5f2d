import { expect } from 'chai'

import type { Benches } from './cluster-bench.js'
import { realBenches } from './real-benches.js'
import { simulatedBenches } from './simulated-benches.js'
import { Writer } from './writer.js'

/** What a ClusterClient says of records that a cluster does not take for longer than a client waits for it: 20 s. */
function messageTimeoutSuite(benches: Benches): void {
  for (const [fault, mend] of [
    ['hang', 'resume'],
    ['kill', 'restart'],
  ] as const) {
    it(`gives up each record in its time, one after the other, and goes on afterwards: ${fault}`, async () => {
      const bench = await benches.open()
      const writer = await Writer.connected(bench)
      writer.produce()
      await writer.reported(1)
      await bench[fault]()
      const begun = bench.now
      for (let i = 0; i < 3; i++) writer.produce()
      await bench.pass(5_000)
      for (let i = 0; i < 3; i++) writer.produce()
      await writer.reported(4)
      expect(bench.now - begun).to.be.within(19_900, 24_000)
      await writer.reported(7)
      expect(bench.now - begun).to.be.within(24_900, 29_000)
      expect(writer.reports.map(({ id }) => id)).to.deep.equal([1, 2, 3, 4, 5, 6, 7])
      for (const { failure, offset } of writer.reports.slice(1)) {
        expect(failure?.kind).to.equal('transient')
        expect(offset).to.be.below(0)
      }
      await bench[mend]()
      // A broker that comes back may need longer than a record is given.
      let next: number
      do {
        next = writer.produce()
        await writer.reported(next)
      } while (writer.reports.at(-1)!.failure !== undefined && next < ATTEMPTS_MAX)
      const last = writer.reports.at(-1)!
      expect(last).to.deep.include({ id: next, failure: undefined })
      // What a hung cluster had in its sockets it writes when it goes on, before what comes after; a dead one nothing.
      const written = (await bench.read(0)).map(({ value }) => Number(value))
      const late = fault === 'hang' ? written.slice(1, -1) : []
      expect(written).to.deep.equal([1, ...late, next])
      expect(late).to.deep.equal([...late].sort((a, b) => a - b))
      expect(late.every((id) => id > 1 && id < next)).to.equal(true)
      expect(last.offset).to.equal(written.length - 1)
      expect(writer.told).to.deep.equal(['connected'])
      await writer.discard()
    })
  }
}

const ATTEMPTS_MAX = 10

describe('conformance: simulated cluster client that waits for long', () => messageTimeoutSuite(simulatedBenches))

describe('conformance: cluster client on librdkafka that waits for long', function () {
  this.timeout(120_000)
  messageTimeoutSuite(realBenches)
})
