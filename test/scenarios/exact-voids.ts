import assert from 'node:assert/strict'

import type { Refusal } from '../simulation/cluster.js'
import { everyInterleaving } from './arrivals.js'
import type { Scenario } from './scenario.js'
import { expectLog, expectSent, Stage } from './stage.js'

export const exactVoids: Scenario = {
  name: 'exact-voids',
  against: 'one void over a run of counters of which some were not given up',
  play: async () => {
    await refusedHereAndThere()
    await givenUpAroundWhatNobodyHas()
    await everyInterleaving({ A: '4 v5 6 v7 8', B: '4 v5–7 8' }, ({ group, prompt }) => {
      group.expectDeliveredInAll('4 6 8')
      if (prompt) group.expectBeforeOrLate('6', '8')
    })
  },
}

/** The east takes all but 5 and 7, the west none of 5 to 7. */
async function refusedHereAndThere(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const balances = await stage.group('balances')
  const ledger = await stage.producer('ledger')
  east.refuse(oneOf('5', '7'))
  west.refuse(oneOf('5', '6', '7'))
  const sent = ledger.queue(8)
  await stage.settle()
  expectSent('resolved', ...sent.filter(({ text }) => text !== '5' && text !== '7'))
  expectSent('not-written', sent[4]!, sent[6]!)
  expectLog(east, ['1', '2', '3', '4', '6', '8'], ['v5', 'v7'])
  balances.expectDelivered('1…4 6 8')
  balances.expectEvents('debt-opened', 0)
}

/** The west is away until its lane has no more memory: it gives up what the east has, and that is all but 5 and 7. */
async function givenUpAroundWhatNobodyHas(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const balances = await stage.group('balances')
  const ledger = await stage.producer('ledger', { options: { backlogBytesMax: 65_536, sendTimeoutMs: 600_000 } })
  await ledger.send(1)
  west.kill()
  east.refuse(oneOf('5', '7'))
  const sent = ledger.queue(30, { headers: { filler: 'x'.repeat(5_000) } })
  await stage.pass(60_000)
  assert.ok(ledger.events('record-given-up').length > 0, 'the bound was reached')
  west.restart()
  await stage.settle()
  expectSent('resolved', ...sent)
  assert.ok(ledger.events('void-written').length >= 3, 'a void on each side of 5 and 7')
  balances.expectDeliveredInAll('1…31')
}

function oneOf(...texts: string[]): Refusal {
  return ({ value }) => value !== null && texts.includes(Buffer.from(value).toString())
}
