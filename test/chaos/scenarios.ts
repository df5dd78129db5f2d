import { BACKLOGS } from './backlog-stage.js'
import type { Played } from './command.js'
import { CONSUMER_SCENARIOS } from './consumer-scenarios.js'
import { FLOODS } from './flood-stage.js'
import { PRODUCER_SCENARIOS } from './producer-scenarios.js'
import type { Stage } from './stage.js'

/**
 * What is done to real servers and processes; a story each, in the order in which `npm run chaos` plays them.
 *
 * A story begins when messages flow, and may leave things as harmed as it likes.
 */
export const SCENARIOS: readonly Played[] = [
  {
    name: 'cluster-killed',
    play: async (stage) => {
      await stage.east.kill()
      await stage.seconds(12)
      await stage.east.restart()
    },
  },
  {
    name: 'cluster-hung',
    group: 'producer',
    play: async (stage) => {
      await stage.west.hang()
      await stage.seconds(15)
      await stage.west.resume()
    },
  },
  {
    name: 'slow-connections',
    group: 'producer',
    play: async (stage) => {
      for (const [eastMs, westMs] of [
        [50, 300],
        [300, 50],
        [200, 200],
        [300, 300],
      ] as const) {
        stage.east.slow(eastMs)
        stage.west.slow(westMs)
        await stage.seconds(4)
      }
    },
  },
  {
    name: 'stalled-connections',
    play: async (stage) => {
      stage.east.stall()
      await stage.seconds(15)
      stage.east.pass() // what the clients gave up meanwhile arrives after all
    },
  },
  {
    name: 'reset-connections',
    play: async (stage) => {
      for (let round = 0; round < 6; round++) {
        stage.east.cut()
        await stage.seconds(1)
        stage.west.cut()
        await stage.seconds(1)
      }
    },
  },
  {
    name: 'flapping',
    group: 'producer',
    play: async (stage) => {
      for (let round = 0; round < 5; round++) {
        await stage.west.refuse('cluster-flap')
        await stage.seconds(2)
        await stage.west.accept()
        await stage.seconds(2)
      }
    },
  },
  {
    name: 'both-away',
    group: 'producer',
    play: async (stage) => {
      await stage.east.kill()
      await stage.seconds(3)
      await stage.west.refuse()
      await stage.seconds(12)
      await stage.west.accept()
      await stage.seconds(3)
      await stage.east.restart()
    },
  },
  {
    name: 'only-copy-away', // while the groups read on: it comes late
    play: async (stage) => {
      for (const lives of stage.consumers) await lives.stop()
      await stage.west.refuse()
      await stage.seconds(4)
      for (const lives of stage.producers) await lives.kill()
      await stage.east.kill()
      await stage.west.accept()
      for (const lives of stage.consumers) await lives.continue()
      await stage.seconds(16)
      await stage.east.restart()
    },
  },
  {
    name: 'rolling-restart',
    eastNodes: 3,
    play: (stage) => stage.east.restartInTurn(),
  },
  {
    name: 'redis-killed',
    play: async (stage) => {
      const [balances, audit] = stage.consumers
      await stage.redis.kill()
      await stage.seconds(8)
      await balances.kill() // what it had not stored comes again
      await stage.seconds(4)
      await stage.redis.heal()
      await stage.seconds(14) // long enough for all to be stored, so that nothing but the last moments may come again
      await audit.kill()
    },
  },
  {
    name: 'producers-killed',
    group: 'producer',
    play: async (stage) => {
      const [patient, hasty] = stage.producers
      await patient.kill()
      await stage.seconds(3)
      await hasty.kill()
      await stage.seconds(3)
      await stage.west.hang()
      await stage.seconds(8)
      await patient.kill() // what it kept for the west is gone
      await hasty.kill()
      await stage.seconds(4)
      await stage.west.resume()
    },
  },
  {
    name: 'producers-stopped',
    group: 'producer',
    play: async (stage) => {
      const [patient, hasty] = stage.producers
      await patient.stop()
      await stage.seconds(4)
      await hasty.stop()
      await stage.seconds(56) // a minute each
      await patient.continue()
      await stage.seconds(4)
      await hasty.continue()
    },
  },
  {
    name: 'consumers-killed',
    play: async (stage) => {
      for (let round = 0; round < 2; round++) await killConsumers(stage)
      await stage.east.kill()
      await killConsumers(stage)
      await stage.east.restart()
      await killConsumers(stage)
    },
  },
  {
    name: 'consumers-stopped',
    play: async (stage) => {
      const [balances, audit] = stage.consumers
      await balances.stop()
      await stage.seconds(5)
      await audit.stop()
      await stage.seconds(15)
      await balances.continue()
      await stage.seconds(3)
      await audit.continue()
    },
  },
  ...PRODUCER_SCENARIOS,
  ...CONSUMER_SCENARIOS,
  ...FLOODS,
  ...BACKLOGS,
]

async function killConsumers(stage: Stage): Promise<void> {
  for (const lives of stage.consumers) {
    await lives.kill()
    await stage.seconds(2)
  }
}
