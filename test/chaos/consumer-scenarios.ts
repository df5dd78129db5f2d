import type { Scenario, Stage } from './stage.js'

/** What is done to instances of a group, to what they remember by, and to what they work for. */
export const CONSUMER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'instances-come-and-go',
    group: 'consumer',
    partitions: 24,
    instances: 3,
    database: 'file',
    told: ['lease-acquired', 'lease-released', 'lease-lost'],
    play: comeAndGo,
  },
  {
    name: 'instances-book-once', // the same, with position and effects in PostgreSQL
    group: 'consumer',
    partitions: 24,
    instances: 3,
    database: 'postgres',
    told: ['lease-acquired', 'lease-released', 'lease-lost'],
    play: comeAndGo,
  },
  {
    name: 'redis-emptied', // once for a moment, once for longer than a lease
    group: 'consumer',
    instances: 2,
    database: 'file',
    epochs: 'clock',
    told: ['store-behind', 'lease-lapsed'],
    play: async (stage) => {
      await stage.redis.kill()
      await stage.seconds(2)
      await stage.redis.restartEmpty()
      await stage.seconds(12)
      await stage.redis.kill()
      await stage.seconds(13)
      await stage.redis.restartEmpty()
      await stage.expectDelivered()
      await stage.seconds(14) // long enough for all to be stored anew, so that nothing but the last moments comes again
      await stage.instances[0]!.kill()
      await stage.seconds(12)
    },
  },
  {
    name: 'tails-lost', // of the logs of one cluster, then of the other
    group: 'consumer',
    instances: 2,
    database: 'file',
    losesTails: true,
    told: ['log-truncated'],
    play: async (stage) => {
      for (const cluster of [stage.east, stage.west]) {
        await cluster.dump()
        await stage.seconds(8)
        await cluster.kill()
        await cluster.restartFromDump()
        await stage.seconds(20) // until it is known which log is which
        await stage.expectDelivered()
      }
    },
  },
  {
    name: 'redis-rolled-back', // to what it had half a minute ago
    group: 'consumer',
    instances: 2,
    database: 'file',
    epochs: 'clock',
    told: ['store-behind'],
    play: async (stage) => {
      await stage.redis.dump()
      await stage.seconds(12)
      await stage.redis.kill()
      await stage.redis.restartFromDump()
      await stage.seconds(14)
      await stage.instances[0]!.kill()
      await stage.seconds(12)
    },
  },
  {
    name: 'redis-hung', // for longer than a lease
    group: 'consumer',
    instances: 2,
    database: 'file',
    told: ['lease-lapsed'],
    play: async (stage) => {
      await stage.redis.hang()
      await stage.seconds(14)
      await stage.redis.heal()
      await stage.expectDelivered()
    },
  },
  {
    name: 'one-cut-off', // from Redis, for longer than a lease; another one lives
    group: 'consumer',
    instances: 2,
    database: 'file',
    told: ['lease-lapsed', 'lease-lost'],
    play: async (stage) => {
      const [first] = stage.instances
      first!.cutOffFromRedis()
      await stage.seconds(18) // a lease, and two beats until that is seen
      await stage.expectDelivered()
      await first!.restoreReach()
      await stage.seconds(8)
    },
  },
  {
    name: 'split-reach', // one reaches only the east, one only the west; then the east dies
    group: 'consumer',
    instances: 2,
    database: 'file',
    told: ['feed-unread'],
    play: async (stage) => {
      const [first, second] = stage.instances
      await first!.cutOffFrom('west')
      await second!.cutOffFrom('east')
      await stage.seconds(22)
      await stage.expectDelivered()
      await stage.east.kill()
      await stage.seconds(2)
      await stage.expectDelivered()
      await first!.restoreReach()
      await second!.restoreReach()
      await stage.seconds(3)
      await stage.east.restart()
    },
  },
  {
    name: 'handler-stuck', // for more than two minutes, with thousands acknowledged behind it; then a crash
    group: 'consumer',
    database: 'file',
    stuckAt: 400,
    told: ['acknowledgement-overdue'],
    play: async (stage) => {
      stage.faults.set('handler-stuck', 1)
      await stage.seconds(124)
      await stage.instances[0]!.kill()
    },
  },
  {
    name: 'database-outage', // of two minutes
    group: 'consumer',
    instances: 2,
    database: 'file',
    told: ['delivery-failed'],
    play: async (stage) => {
      stage.database.goAway()
      await stage.seconds(120)
      stage.database.heal()
    },
  },
]

/** A minute and more of load, while instances are killed, stand still, are added and removed, and one cluster goes and returns. */
async function comeAndGo(stage: Stage): Promise<void> {
  const [first, second, third] = stage.instances
  await second!.kill()
  await stage.seconds(6)
  await third!.stop() // for longer than a lease; when it goes on it has handlers at work
  await stage.seconds(15)
  await third!.continue()
  await stage.seconds(3)
  const added = await stage.addInstance()
  await stage.seconds(8)
  await stage.west.kill()
  await stage.seconds(4)
  await first!.kill()
  await stage.seconds(8)
  await stage.west.restart()
  await added.stop()
  await stage.removeInstance(second!)
  await stage.seconds(15)
  await added.continue()
  await stage.seconds(4)
}
