import type { Scenario, Stage } from './stage.js'

/** What is done to producers, to their journals, and to parts of what they write to. */
export const PRODUCER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'outbox-killed', // 20 times, at instants that nobody chose
    group: 'producer',
    journal: 'always',
    play: (stage) => killProducers(stage, 10),
  },
  {
    name: 'outbox-killed-often', // 100 times
    byNameOnly: true,
    journal: 'always',
    play: (stage) => killProducers(stage, 50),
  },
  {
    name: 'outbox-both-away', // nothing is refused and nothing expires: it is on disk
    group: 'producer',
    nothingIsRejected: true,
    journal: 'always',
    timeouts: { sendMs: 10_000, bothAwayMs: 2_000 }, // `available` waits 5 s for clusters that have just gone
    play: async (stage) => {
      await stage.east.kill()
      await stage.west.refuse()
      await stage.seconds(10)
      await stage.expectAnswers()
      for (const lives of stage.producers) await lives.kill()
      await stage.west.accept()
      await stage.seconds(8)
      await stage.east.restart()
    },
  },
  {
    name: 'outbox-disk-full', // with both clusters there: they take what the disk does not
    group: 'producer',
    nothingIsRejected: true,
    journal: 'always',
    smallDisk: true,
    told: ['journal-failed', 'journal-usable'],
    play: async (stage) => {
      const [patient] = stage.producers
      stage.disk.fill()
      await stage.seconds(8)
      await stage.expectAnswers()
      await stage.disk.heal()
      await stage.seconds(12) // until it is tried again, 10 s later at most
      stage.disk.fill()
      await stage.seconds(4)
      await patient.kill() // and its next life finds a journal that cannot be opened
      await stage.seconds(8)
      await stage.disk.heal()
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
  {
    name: 'journal-disk-full', // with both clusters away: nobody takes anything, until there is room
    group: 'producer',
    journal: 'on-outage',
    smallDisk: true,
    timeouts: { sendMs: 30_000, bothAwayMs: 4_000 },
    told: ['journal-failed', 'journal-usable', 'message-shed'],
    play: async (stage) => {
      await stage.east.kill()
      await stage.west.refuse()
      await stage.seconds(8) // what comes now is on disk
      stage.disk.fill()
      await stage.seconds(10)
      await stage.disk.heal()
      await stage.seconds(6)
      for (const lives of stage.producers) await lives.kill()
      await stage.west.accept()
      await stage.seconds(8)
      await stage.east.restart()
    },
  },
  {
    name: 'sends-refused', // at once by the one, after a while by the other; and what was stamped expires
    group: 'producer',
    timeouts: { sendMs: 6_000, bothAwayMs: 4_000 },
    told: ['message-shed', 'message-undelivered'],
    play: async (stage) => {
      await stage.east.hang() // what it was handed is in doubt
      await stage.west.refuse()
      await stage.seconds(16)
      await stage.west.accept()
      await stage.seconds(5)
      await stage.east.resume()
    },
  },
  {
    name: 'twin-refused',
    group: 'producer',
    nothingIsRejected: true,
    told: ['TANDEM_PRODUCER_ID_HELD'],
    play: async (stage) => {
      const [patient] = stage.producers
      const twin = await stage.startTwin(patient)
      await stage.seconds(20) // several times what a dead holder is waited for
      if (twin.sentCount > 0) throw new Error(`the second process was let in, and sent ${twin.sentCount}`)
    },
  },
  {
    name: 'twin-by-file',
    group: 'producer',
    nothingIsRejected: true,
    epochs: 'file',
    play: playTwins,
  },
  {
    name: 'twin-by-clock',
    group: 'producer',
    nothingIsRejected: true,
    epochs: 'clock',
    play: playTwins,
  },
  {
    name: 'partition-leaderless',
    group: 'producer',
    nothingIsRejected: true,
    eastNodes: 3,
    replicas: 1,
    told: ['circuit-opened'],
    play: async (stage) => {
      const leader = (await stage.east.leaders(stage.topic))[1]!
      await stage.east.killNode(leader)
      await stage.seconds(15)
      await stage.expectAnswers()
      await stage.east.healNode(leader)
    },
  },
  {
    name: 'partitions-leaderless', // one on each cluster, never the same
    group: 'producer',
    nothingIsRejected: true,
    eastNodes: 3,
    westNodes: 3,
    replicas: 1,
    told: ['circuit-opened'],
    play: async (stage) => {
      const [ofEast, ofWest] = await Promise.all(
        [stage.east, stage.west].map((cluster) => cluster.leaders(stage.topic)),
      )
      const inEast = ofEast![1]!
      const inWest = ofWest!.find((node) => ofEast!.every((other, id) => other !== inEast || ofWest![id] !== node))
      if (inWest === undefined) throw new Error('no node of the west leads only what the east leads elsewhere')
      await stage.east.killNode(inEast)
      await stage.seconds(3)
      await stage.west.hangNode(inWest)
      await stage.seconds(15)
      await stage.expectAnswers()
      await stage.west.healNode(inWest)
      await stage.east.healNode(inEast)
    },
  },
]

async function killProducers(stage: Stage, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all(stage.producers.map((lives) => lives.kill()))
    await stage.seconds(6 + 2 * Math.random()) // 5 s pass before the lease on a dead process' producerId is free
  }
}

/** Two processes write under each producerId, and all of it is delivered. */
async function playTwins(stage: Stage): Promise<void> {
  const twins = await Promise.all(stage.producers.map((lives) => stage.startTwin(lives)))
  await stage.seconds(10)
  for (const twin of twins) if (twin.sentCount === 0) throw new Error(`a second ${twin.producerId} has sent nothing`)
}
