import assert from 'node:assert/strict'

import { expectSent, Stage } from './stage.js'

/**
 * The half of `two-producers` that needs no lease: two processes under one producerId with the clock as epoch store, of
 * different epochs or of the very same one. Both are delivered in full.
 */
export async function twoProducersByTheClock(startedApartMs: number): Promise<void> {
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
