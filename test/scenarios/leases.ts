import assert from 'node:assert/strict'

import type { Handling, Seen, SimulatedConsumer, SimulatedConsumerOptions } from '../simulation/simulated-consumer.js'
import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** Rows about who holds a partition. */
export const leases: readonly Scenario[] = [
  {
    name: 'split-reach',
    against: 'nothing held by who does not read both clusters, though nobody does',
    play: async () => {
      const stage = new Stage({ topics: { entries: 2 } })
      const { east, west } = stage
      const [x, y] = [instance(stage), instance(stage)]
      west.cutOff(x.process)
      east.cutOff(y.process)
      x.start()
      y.start()
      await stage.pass(30_000)
      assert.deepEqual([held(x).length, held(y).length], [1, 1], 'each holds one')
      for (const partition of [0, 1]) {
        stage.write(east, '1 3 4 5', partition)
        stage.write(west, '1 2 3 5', partition)
      }
      await stage.pass(60_000)
      assert.deepEqual(given(x), ['1', '3', '4', '5'], 'what the east has')
      assert.deepEqual(given(y), ['1', '2', '3', '5'], 'what the west has')
      assert.deepEqual(unread(x, y), [`west ${y.process.name}`, `east ${x.process.name}`], 'who could read the rest')
      west.reconnect(x.process)
      east.reconnect(y.process)
      await stage.settle()
      assert.deepEqual([given(x).at(-1), given(y).at(-1)], ['late 2', 'late 4'], 'what was owed')
      assert.equal(x.deliveries.length + y.deliveries.length, 10, 'each once')
    },
  },
  {
    name: 'odd-shares',
    against: 'a partition asked for by one that has one fewer, or taken from one that was quicker',
    play: async () => {
      for (const laterMs of [0, 0, 0, 5_000]) {
        const stage = new Stage({ topics: { entries: 3 }, pollTimeoutMs: 1_000, seed: nextSeed() })
        const x = instance(stage).start()
        await stage.pass(laterMs)
        const y = instance(stage).start()
        await stage.pass(60_000)
        const both = [held(x), held(y)]
        assert.deepEqual(both.map(({ length }) => length).sort(), [1, 2])
        const released = x.count('lease-released') + y.count('lease-released')
        await stage.pass(laterMs === 0 ? 0 : AN_HOUR_MS)
        assert.deepEqual([held(x), held(y)], both)
        assert.equal(x.count('lease-released') + y.count('lease-released'), released, 'none is stolen')
        assert.equal(x.count('lease-lost') + y.count('lease-lost'), 0)
      }
    },
  },
  {
    name: 'blind-instance',
    against: 'partitions held, or asked for, by one that reads nothing',
    play: async () => {
      const stage = new Stage({ topics: { entries: 2 }, pollTimeoutMs: 1_000 })
      const { east, west } = stage
      const x = instance(stage).start()
      await stage.pass(5_000)
      const blind = instance(stage).start()
      await stage.pass(30_000)
      assert.deepEqual([held(x), held(blind)].sort(), [[0], [1]])
      for (const cluster of [east, west]) cluster.cutOff(blind.process)
      await stage.pass(60_000)
      assert.deepEqual([held(x), held(blind)], [[0, 1], []])
      assert.equal(blind.count('share-withheld'), 1)
      for (const partition of [0, 1]) for (const cluster of [east, west]) stage.write(cluster, '1 2', partition)
      await stage.pass(AN_HOUR_MS)
      assert.deepEqual([held(x), held(blind)], [[0, 1], []], 'nothing is stolen')
      assert.deepEqual([x.deliveries.length, blind.deliveries.length], [4, 0])
      for (const cluster of [east, west]) cluster.reconnect(blind.process)
      await stage.pass(60_000)
      assert.deepEqual([held(x), held(blind)].sort(), [[0], [1]], 'until it can read')
    },
  },
  {
    name: 'stopped-holder',
    against: 'a lease trusted from the answer on, or a handler begun without a look at the clock',
    play: async () => {
      // What waits for one that wakes comes in any order.
      for (let times = 0; times < 20; times++) {
        await stoppedWhileRenewing()
        await stoppedAtWork()
      }
    },
  },
  {
    name: 'clock-failover',
    against: 'a lease that ends by the clock of Redis',
    play: async () => {
      for (const byMs of [120_000, -120_000]) {
        const stage = new Stage()
        const x = instance(stage).start()
        await stage.pass(5_000)
        const y = instance(stage).start()
        await stage.pass(20_000)
        stage.world.store.rollBack(500)
        stage.world.store.moveClock(byMs)
        writeBoth(stage, '1 2')
        await stage.pass(60_000)
        assert.deepEqual([given(x), given(y)], [['1', '2'], []], `clock by ${byMs}: the holder goes on`)
        assert.deepEqual([x.count('lease-lost'), x.count('lease-lapsed'), y.count('lease-acquired')], [0, 0, 0])
        const fence = x.deliveries[0]!.delivery.fence
        x.kill()
        await stage.pass(15_000)
        writeBoth(stage, '3')
        await stage.settle()
        assert.deepEqual(given(y), ['3'], 'who watched takes it by its own clock')
        assert.ok(y.deliveries[0]!.delivery.fence > fence, 'under a greater token')
      }
    },
  },
  {
    name: 'one-cut-off',
    against: 'delivery that goes on when the lease could not be renewed',
    play: async () => {
      const stage = new Stage()
      const { store } = stage.world
      const x = instance(stage, { handle: ({ text }) => (text === '2' ? 20_000 : 'at-once') }).start()
      await stage.pass(5_000)
      const y = instance(stage).start()
      await stage.pass(5_000)
      writeBoth(stage, '1')
      await stage.pass(1_000)
      store.cutOff(x.process)
      writeBoth(stage, '2')
      await stage.pass(5_000)
      assert.deepEqual(given(x), ['1', '2'], 'while the lease lasts')
      await stage.pass(4_600)
      assert.equal(x.count('lease-lapsed'), 1, 'by its own clock')
      assert.equal(y.count('lease-acquired'), 0, 'before anybody takes it')
      writeBoth(stage, '3')
      await stage.pass(20_000)
      assert.deepEqual(
        [given(x), given(y)],
        [
          ['1', '2'],
          ['2', '3'],
        ],
        'what had not been stored comes again',
      )
      store.reconnect(x.process)
      await stage.settle()
      assert.equal(x.count('lease-lost'), 1, 'its flush is refused')
      assert.deepEqual(
        [given(x), given(y)],
        [
          ['1', '2'],
          ['2', '3'],
        ],
      )
      for (let seed = 1; seed <= 10; seed++) await stoodStillBeforeRestoring(seed)
    },
  },
]

/**
 * X lapses while the store forgets, finds nothing there, and stands still for longer than a lease. Meanwhile Y takes the
 * partition, under a lower token, since the store's clock is behind.
 */
async function stoodStillBeforeRestoring(seed: number): Promise<void> {
  const stage = new Stage({ seed })
  const { store } = stage.world
  const x = instance(stage).start()
  await stage.pass(5_000)
  writeBoth(stage, '1')
  await stage.pass(1_000)
  store.cutOff(x.process)
  writeBoth(stage, '2')
  await stage.pass(10_000)
  store.empty()
  store.moveClock(-60_000)
  store.reconnect(x.process)
  const y = instance(stage).start()
  await stage.pass(5_000)
  assert.equal(x.count('store-behind'), 1, 'it knows that the store has less')
  x.stop()
  await stage.pass(20_000)
  assert.equal(y.count('lease-acquired'), 1)
  x.continue()
  writeBoth(stage, '3')
  await stage.settle()
  assert.equal(y.count('lease-lost'), 0, 'it lives, and nobody writes over it')
  assert.deepEqual([given(x), given(y).at(-1)], [['1', '2'], '3'])
}

async function stoppedWhileRenewing(): Promise<void> {
  const stage = new Stage({ seed: nextSeed() })
  const x = instance(stage).start()
  await stage.pass(1_000)
  const y = instance(stage).start()
  await untilRenewed(stage)
  await stage.pass(1_950) // until shortly before the next renewal
  writeBoth(stage, '1')
  await untilRenewed(stage)
  assert.deepEqual(given(x), ['1'])
  x.stop() // with an acknowledgement that is not stored, and the answer to its renewal in the socket
  writeBoth(stage, '2 3')
  await stage.pass(20_000)
  assert.deepEqual(given(y), ['1', '2', '3'], 'the other one took it')
  writeBoth(stage, '4')
  x.continue()
  await stage.pass(5_000)
  assert.deepEqual([given(x), given(y).at(-1)], [['1'], '4'], 'the one that woke asked before it delivered')
  assert.equal(x.count('lease-lost'), 1, 'its flush is refused')
  y.kill()
  const next = instance(stage).start()
  x.kill()
  await stage.settle()
  assert.deepEqual(given(next), [], 'what the other one stored is there')
}

/** A handler of the one that was stopped ends after it wakes, and the next one of its line must not begin. */
async function stoppedAtWork(): Promise<void> {
  const stage = new Stage({ seed: nextSeed() })
  const service = { handle: () => ({ afterMs: 500 }), options: { concurrency: 1 } }
  const x = instance(stage, { service }).start()
  await stage.pass(1_000)
  const y = instance(stage, { service }).start()
  await stage.pass(1_000)
  writeBoth(stage, '1…4')
  await stage.pass(700)
  x.stop()
  await stage.pass(20_000)
  x.continue()
  await stage.settle()
  const handled = (one: SimulatedConsumer): string[] => one.service!.handled.map(({ text }) => text)
  assert.equal(handled(x).length, 2, 'what was at work ended, and nothing began')
  assert.deepEqual(handled(y).slice(-2), ['3', '4'])
}

/** An instance of the group, that is to be started. */
function instance(
  stage: Stage,
  options: {
    readonly handle?: (seen: Seen) => Handling
    readonly service?: SimulatedConsumerOptions['service']
  } = {},
): SimulatedConsumer {
  return stage.world.createConsumer({ groupId: 'balances', name: `balances-${stage.nextProcess()}`, ...options })
}

/** Until the store has carried out a renewal, whose answer is on its way. */
async function untilRenewed(stage: Stage): Promise<void> {
  const { calls } = stage.world.store
  const { renew } = calls
  assert.ok(await stage.world.until(() => calls.renew > renew, 10_000))
}

/** The partitions that one holds, in order. */
function held({ consumer }: SimulatedConsumer): number[] {
  return consumer
    .status()
    .partitions.map(({ partition }) => partition)
    .sort()
}

function given({ deliveries }: SimulatedConsumer): string[] {
  return deliveries.map(({ text, late }) => (late ? `late ${text}` : text))
}

/** Which clusters are not read, and who could. */
function unread(...consumers: readonly SimulatedConsumer[]): string[] {
  return consumers.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === 'feed-unread' ? [`${event.cluster} ${event.by.split('#')[0]}`] : [])),
  )
}

function writeBoth(stage: Stage, log: string): void {
  for (const cluster of [stage.east, stage.west]) stage.write(cluster, log)
}

let seeds = 0

/** Another world each time. */
function nextSeed(): number {
  return ++seeds
}

const AN_HOUR_MS = 3_600_000
