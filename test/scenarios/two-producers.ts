import assert from 'node:assert/strict'

import { isTandemError } from '@tandem/common'

import type { Scenario } from './scenario.js'
import { expectSent, Stage } from './stage.js'

export const twoProducers: Scenario = {
  name: 'two-producers',
  against: 'a second process under one producerId locked out of what it was acknowledged, or not refused by a lease',
  play: async () => {
    await byTheClock(1_000)
    await byTheClock(0)
    await byLease()
  },
}

/** The second one is refused while the first one lives; after a crash it waits for so long that nobody can be alive. */
async function byLease(): Promise<void> {
  const stage = new Stage()
  const balances = await stage.group('balances')
  const first = await stage.producer('ledger', { epochs: 'lease' })
  await assert.rejects(stage.producer('ledger', { epochs: 'lease' }), (error) => {
    return isTandemError(error, 'TANDEM_PRODUCER_ID_HELD') && error.details['holder'] === first.simulated.process.name
  })
  await first.send(2)
  first.crash()
  const returned = await stage.producer('ledger', { epochs: 'lease' })
  await returned.send(2)
  void returned.producer.close()
  await stage.pass(1_000)
  await (await stage.producer('ledger', { epochs: 'lease' })).send(1)
  await stage.settle()
  balances.expectDelivered('1…5')
}

/** With the clock as epoch store: different epochs, or the very same one. Both are delivered in full. */
async function byTheClock(startedApartMs: number): Promise<void> {
  const stage = new Stage()
  const balances = await stage.group('balances')
  const first = await stage.producer('ledger', { epochs: 'clock', wait: startedApartMs > 0 })
  await stage.pass(startedApartMs)
  const second = await stage.producer('ledger', { epochs: 'clock' })
  await first.connected()
  const epochs = [first, second].map(({ producer }) => producer.status().epoch!)
  assert.equal(epochs[1]! - epochs[0]! > 0, startedApartMs > 0, `epochs ${epochs.join(' and ')}`)
  const sent = []
  for (let i = 0; i < 50; i++) {
    sent.push(...first.queue(1), ...second.queue(1))
    await stage.pass(20)
  }
  await stage.settle()
  expectSent('resolved', ...sent)
  balances.expectDeliveredInAll('1…100')
  const of = (texts: ReadonlySet<string>): string[] => {
    return balances.consumer.deliveries.filter(({ text, late }) => texts.has(text) && !late).map(({ text }) => text)
  }
  for (const producer of [first, second]) {
    const texts = producer.simulated.sent.map(({ text }) => text)
    const inOrder = of(new Set(texts))
    assert.deepEqual(
      inOrder,
      texts.filter((text) => inOrder.includes(text)),
      'what is not late comes in order',
    )
  }
}
