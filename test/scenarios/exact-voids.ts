import { everyInterleaving } from './arrivals.js'
import type { Scenario } from './scenario.js'
import { expectLog, expectSent, Stage } from './stage.js'

export const exactVoids: Scenario = {
  name: 'exact-voids',
  against: 'one void for a run of counters of which some were acknowledged',
  play: async () => {
    await asWritten()
    await everyInterleaving({ A: '4 v5 6 v7 8', B: '4 v5–7 8' }, ({ group, prompt }) => {
      group.expectDeliveredInAll('4 6 8')
      if (prompt) group.expectBeforeOrLate('6', '8')
    })
  },
}

/** The east takes all but 5 and 7, the west none of 5 to 7. */
async function asWritten(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const balances = await stage.group('balances')
  const ledger = await stage.producer('ledger')
  const among =
    (...texts: string[]) =>
    ({ value }: { value: Uint8Array | null }) => {
      return value !== null && texts.includes(Buffer.from(value).toString())
    }
  east.refuse(among('5', '7'))
  west.refuse(among('5', '6', '7'))
  const sent = ledger.queue(8)
  await stage.settle()
  expectSent('resolved', ...sent.filter(({ text }) => text !== '5' && text !== '7'))
  expectSent('not-written', sent[4]!, sent[6]!)
  expectLog(east, ['1', '2', '3', '4', '6', '8'], ['v5', 'v7'])
  balances.expectDelivered('1…4 6 8')
  balances.expectEvents('debt-opened', 0)
}
