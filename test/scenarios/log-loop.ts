import assert from 'node:assert/strict'

import type { Logger } from '@tandem/common'

import type { Scenario } from './scenario.js'
import { expectSent, Stage, type Writer } from './stage.js'

export const logLoop: Scenario = {
  name: 'log-loop',
  against: 'each shed message told on its own: telling sheds another one',
  play: async () => {
    for (const policy of ['reject', 'block'] as const) {
      await loop('logger', policy)
      await loop('subscriber', policy)
    }
  },
}

/** Every line or event of the producer is sent by the same producer, while neither cluster takes anything. */
async function loop(by: 'logger' | 'subscriber', policy: 'reject' | 'block'): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const balances = await stage.group('balances')
  let told = 0
  let depth = 0
  let nested = 0
  const started: Writer[] = []
  const tell = (): void => {
    if (depth > 0) nested++
    depth++
    told++
    started[0]?.queue(1)
    depth--
  }
  const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell }
  const ledger = await stage.producer('ledger', {
    options: { whenBothAway: { policy, timeoutMs: 5_000 }, ...(by === 'logger' ? { logger } : {}) },
  })
  started.push(ledger)
  if (by === 'subscriber') ledger.producer.events$.subscribe(tell)
  await stage.pass(1_000)
  for (const cluster of [east, west]) cluster.hang()
  for (let i = 0; i < 10; i++) ledger.queue(1)
  await stage.world.until(() => told >= TOLD_MAX, A_MINUTE_MS)
  assert.ok(told > 0, 'something was told')
  assert.equal(nested, 0, 'a fact was told while another one was')
  assert.ok(told < TOLD_MAX, `${told} facts were told in a minute`)
  for (const cluster of [east, west]) cluster.heal()
  await stage.settle()
  const [after] = ledger.queue(1)
  await stage.settle()
  expectSent('resolved', after!)
  const resolved = ledger.simulated.sent.filter(({ receipt }) => receipt !== undefined).map(({ text }) => text)
  const given = new Set(balances.consumer.deliveries.map(({ text }) => text))
  assert.deepEqual(
    resolved.filter((text) => !given.has(text)),
    [],
    'acknowledged and not delivered',
  )
}

const A_MINUTE_MS = 60_000
/** A few a second: what is told often is told in sums. */
const TOLD_MAX = 300
