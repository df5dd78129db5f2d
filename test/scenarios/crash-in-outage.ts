import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

export const crashInOutage: Scenario = {
  name: 'crash-in-outage',
  against: 'a feed that is away waited for when a newer epoch begins',
  play: async () => {
    const stage = new Stage()
    const { west } = stage
    const balances = await stage.group('balances')
    const ledger = await stage.producer('ledger')
    west.kill()
    await ledger.send(10)
    await stage.pass(15_000)
    ledger.crash()
    const returned = await stage.producer('ledger')
    await returned.send(2)
    await stage.pass(500)
    balances.expectDelivered('1…12')
    west.restart()
    await stage.settle()
    balances.expectDelivered('1…12')
  },
}
