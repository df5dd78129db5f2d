import type { Scenario } from './scenario.js'
import { expectLog, expectSent, Stage } from './stage.js'

export const refusedForGood: Scenario = {
  name: 'refused-for-good',
  against: 'a refusal for good taken for a transient failure',
  play: async () => {
    const stage = new Stage()
    const { east, west } = stage
    const balances = await stage.group('balances')
    const ledger = await stage.producer('ledger')
    west.refuse(({ value }) => value !== null && Buffer.from(value).toString() === '3')
    const sent = ledger.queue(5)
    await stage.pass(5_000)
    expectSent('resolved', ...sent)
    expectLog(east, ['1', '2', '3', '4', '5'])
    expectLog(west, ['1', '2', '4', '5'], ['v3'])
    ledger.expectEvents('circuit-opened', 0)
    ledger.expectEvents('record-refused', 1)
    balances.expectDelivered('1…5')
  },
}
