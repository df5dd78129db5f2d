import { Consumer, MemoryHighWaterStore } from '@tandem/consumer'
import { ClockEpochs, Producer, type ImportReport } from '@tandem/producer'
import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { until } from './program.js'
import { clustersOf, createTopic, realClusters } from './real-clusters.js'

/** I1 and I2 for what nobody knew the fate of: real logs are asked. */
describe('no loss, no duplicate, when dead letters are imported of which a log may have the message', function () {
  this.timeout(180_000)

  it('and what one log has is not booked twice', async () => {
    const real = await realClusters()
    const clusters = clustersOf(real)
    const topic = await createTopic(real, 'dead-letters')
    const folder = mkdtempSync(join(tmpdir(), 'tandem-letters-'))
    const create = (): Producer =>
      new Producer({
        producerId: 'ledger',
        clusters,
        topics: { [topic]: {} },
        acknowledge: 'both',
        whenBothAway: { policy: 'block' },
        journal: { path: join(folder, 'journal'), mode: 'dead-letter' },
        sendTimeoutMs: 2_000,
        epochs: new ClockEpochs(),
      })
    const booked = new Map<string, number>()
    const consumer = new Consumer({
      groupId: 'balances',
      clusters,
      topics: [topic],
      highWater: new MemoryHighWaterStore(),
    })
    await consumer.connect()
    consumer.deliveries$.subscribe((delivery) => {
      const text = String(delivery.value)
      booked.set(text, (booked.get(text) ?? 0) + 1)
      delivery.ack()
    })

    const first = create()
    await first.connect()
    const send = async (from: number, to: number): Promise<string[]> => {
      const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index)
      const answers = numbers.map((number) =>
        first.send({ topic, key: `account-${number % 7}`, value: String(number) }).then(
          () => 'acknowledged',
          (error: unknown) => String((error as { outcome?: string }).outcome ?? error),
        ),
      )
      return Promise.all(answers)
    }
    expect(await send(1, 100)).to.deep.equal(Array.from({ length: 100 }, () => 'acknowledged'))
    await real.west.hang()
    const inTheEast = send(101, 150)
    await until('the east has them', () => [...Array(50).keys()].every((index) => booked.has(String(index + 101))))
    await real.east.hang()
    const somewhere = send(151, 200)
    expect(new Set(await inTheEast)).to.deep.equal(new Set(['unknown']))
    expect(['unknown', 'not-written']).to.include.members(await somewhere)
    await until('all are dead letters', () => first.status().journal!.deadLetters === 100)
    await first.close({ timeoutMs: 0 })
    await Promise.all([real.east.resume(), real.west.resume()])

    const second = create()
    await second.connect()
    const report = await second.importDeadLetters({ timeoutMs: 60_000 })
    const { sent, found, ...left } = report
    expect(left).to.deep.equal({ pending: 0, undecided: 0, failed: 0, damaged: 0 })
    expect(sent + found).to.equal(100)
    expect(found).to.be.at.least(50)
    expect(second.status().journal!.deadLetters).to.equal(0)
    const none: ImportReport = { sent: 0, found: 0, ...left }
    expect(await second.importDeadLetters()).to.deep.equal(none)
    await second.close()

    await until('all are booked', () => booked.size === 200, 90_000)
    await sleep(3_000) // what were to come twice would come in this time
    await consumer.close()
    expect([...booked].filter(([, times]) => times !== 1)).to.deep.equal([])
    rmSync(folder, { recursive: true })
  })
})
