import { expect } from 'chai'

import { entry, type ClusterBench } from './cluster-bench.js'
import type { MetadataProxy } from './metadata-proxy.js'
import { Reader } from './reader.js'
import { openBehindProxy } from './real-benches.js'

/** What librdkafka does not come back from by itself; the simulated client knows nothing of brokers. */
describe('conformance: feed client on a cluster that names no broker for a moment', function () {
  this.timeout(120_000)
  let bench: ClusterBench
  let proxy: MetadataProxy
  let reader: Reader

  beforeEach(async () => {
    ;({ bench, proxy } = await openBehindProxy())
    await bench.write(0, [entry('a'), entry('b')])
    await bench.write(1, [entry('x')])
    reader = new Reader(bench)
    reader.client.connect()
    await bench.until('it is connected', () => reader.descriptions.length > 0)
  })

  afterEach(async () => {
    await reader.close()
    await proxy.stop()
  })

  it('goes on where it was, after a silence, pauses what was paused, and answers what it is asked', async () => {
    reader.client.assign([0, 1].map((partition) => ({ ...reader.at(partition), offset: 0 })))
    reader.poll()
    await reader.tells('end 0@2')
    await reader.tells('end 1@1')
    reader.client.pause([reader.at(1)])
    const silences = reader.silences.length
    proxy.fenced = true
    const deadline = bench.now + 30_000
    // The reader asks for brokers by itself, the other client when it is asked.
    while (proxy.namedNone < 2 && bench.now < deadline) await reader.queryEnd()
    expect(proxy.namedNone).to.be.at.least(2)
    proxy.fenced = false
    await bench.write(1, [entry('y')])
    await bench.write(0, [entry('c')])
    await reader.tells('end 0@3')
    expect(reader.silences.length).to.be.greaterThan(silences)
    expect(await reader.queryEndAgain()).to.equal(3)
    expect(reader.texts(1)).to.deep.equal(['x'])
    reader.client.resume([reader.at(1)])
    await reader.tells('end 1@2')
    expect(reader.texts(0)).to.deep.equal(['a', 'b', 'c'])
    expect(reader.texts(1)).to.deep.equal(['x', 'y'])
  })
})
