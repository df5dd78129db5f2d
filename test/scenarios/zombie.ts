import type { Scenario } from './scenario.js'
import { expectSent, Stage } from './stage.js'

export const zombie: Scenario = {
  name: 'zombie',
  against: 'an older epoch fenced, or dropped for its age',
  play: async () => {
    const stage = new Stage()
    const balances = await stage.group('balances')
    const old = await stage.producer('ledger', { options: { sendTimeoutMs: 300_000 } })
    await old.send(10)
    const [eleven] = old.queue(1)
    old.stop()
    await stage.pass(60_000)
    const young = await stage.producer('ledger')
    await young.send(2)
    await stage.pass(1_000)
    balances.expectDelivered('1…10 12 13')
    old.continue()
    await stage.settle()
    expectSent('resolved', eleven!)
    balances.expectDelivered('1…10 12 13', 'late 11')
  },
}
