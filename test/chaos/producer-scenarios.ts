import type { Scenario } from './stage.js'

/** What is done to producers that keep a journal, and to what they write to. */
export const PRODUCER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'outbox-killed', // at instants that nobody chose
    group: 'producer',
    journal: 'always',
    play: async (stage) => {
      for (let round = 0; round < 10; round++) {
        await Promise.all(stage.producers.map((lives) => lives.kill()))
        await stage.seconds(6 + 2 * Math.random()) // 5 s pass before the lease on a dead process' producerId is free
      }
    },
  },
  {
    name: 'journal-both-away',
    group: 'producer',
    journal: 'on-outage',
    play: async (stage) => {
      await stage.east.kill()
      await stage.seconds(3)
      await stage.west.hang()
      await stage.seconds(12)
      for (const lives of stage.producers) await lives.kill() // with what the disk accepted and no cluster has
      await stage.seconds(8)
      await stage.west.resume()
      await stage.seconds(6)
      for (const lives of stage.producers) await lives.kill() // in the middle of writing it
      await stage.east.restart()
    },
  },
  {
    name: 'journal-one-away',
    group: 'producer',
    journal: 'on-outage',
    play: async (stage) => {
      await stage.west.refuse()
      await stage.seconds(15)
      for (const lives of stage.producers) await lives.kill() // what waited in memory for the west is in the east only
      await stage.seconds(3)
      await stage.west.accept()
    },
  },
]
