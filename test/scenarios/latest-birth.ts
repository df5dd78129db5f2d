import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

export const latestBirth: Scenario = {
  name: 'latest-birth',
  against: 'a feed that comes later begun at its end of then',
  play: async () => {
    const stage = new Stage()
    const { east, west } = stage
    for (const cluster of [east, west]) stage.write(cluster, '1 2 3')
    await stage.pass(1_000)
    west.hang()
    const group = await stage.group('balances', { options: { from: 'latest' } })
    await stage.pass(1_000)
    stage.write(east, '4 5')
    stage.write(west, '4 6')
    await stage.pass(20_000)
    group.expectDelivered('4 5')
    west.heal()
    await stage.settle()
    group.expectDelivered('4 5 6')
  },
}
