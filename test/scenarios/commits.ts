import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** Rows about a group whose store is lost: what its clusters have as commits is all that is left. */
export const commits: readonly Scenario[] = [
  {
    name: 'cold-emptied',
    against: 'commits that nobody asks for, or that are ahead of what is finished',
    play: async () => {
      await olderByHours(6, 'is back')
      await olderByHours(1, 'comes later')
      await unfinished()
      await holderLives()
      await nothingRead()
    },
  },
  {
    name: 'double-disaster',
    against: 'a commit believed, whatever stands before it now',
    play: async () => {
      for (const refill of [100, 400, 900]) await tailRefilled(refill)
    },
  },
]

/** West was away for hours, so its commits are that old; Redis is emptied while nobody is there. */
async function olderByHours(hours: number, then: 'is back' | 'comes later'): Promise<void> {
  const stage = new Stage({ pollTimeoutMs: 1_000 })
  const { east, west } = stage
  const before = await stage.group('balances')
  for (const log of ['1…1000', '1001…2000']) {
    for (const cluster of [east, west]) stage.write(cluster, log)
    await stage.pass(20 * MINUTE_MS)
  }
  west.kill()
  const written = hours * 60
  for (let minute = 1; minute <= written; minute++) {
    stage.write(east, `${2_000 + minute}`)
    await stage.pass(MINUTE_MS)
  }
  before.expectDelivered(`1…${2_000 + written}`)
  before.crash()
  stage.write(west, `2001…${2_000 + written}`)
  stage.world.store.empty()
  if (then === 'is back') west.restart()
  await before.restart()
  await stage.pass(MINUTE_MS)
  west.restart()
  for (const cluster of [east, west]) stage.write(cluster, `${2_001 + written}…${2_010 + written}`)
  await stage.settle()
  const again = [...before.consumer.deliveries].map(({ text }) => Number(text))
  assert.deepEqual(
    again.filter((number) => number > 2_000 + written),
    Array.from({ length: 10 }, (_, index) => 2_001 + written + index),
    'what is new comes once and in order',
  )
  // A thousand records before the older commit, which are the last ten minutes before it as well.
  assert.ok(Math.min(...again) > 1_000, `what was committed long before comes again: ${Math.min(...again)}`)
  assert.equal(new Set(again).size, again.length, 'nothing comes more than once more')
  before.expectEvents('position-recovered', 2)
  before.expectEvents('debt-opened', 0)
}

/** The group has committed and read nothing yet: it begins with the first records of both logs, and in the midst of nothing. */
async function nothingRead(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const group = await stage.group('balances', { options: { order: 'strict' } })
  await stage.pass(MINUTE_MS)
  group.crash()
  stage.world.store.empty()
  await group.restart()
  await stage.pass(1_000)
  group.expectEvents('position-recovered', 2)
  for (const cluster of [east, west]) stage.write(cluster, 'v2')
  await stage.pass(1_000)
  for (const cluster of [east, west]) stage.write(cluster, '1 3')
  await stage.settle()
  group.expectDelivered('1 3')
}

/** One handler has hung since the beginning: no commit is beyond its message. */
async function unfinished(): Promise<void> {
  const stage = new Stage()
  const group = await stage.group('balances', {
    options: { fallbackRewindMs: 0 },
    handle: ({ text }) => (text === '3' ? 'never' : 'at-once'),
  })
  for (const log of ['1…1000', '1001…3000']) {
    for (const cluster of [stage.east, stage.west]) stage.write(cluster, log)
    await stage.pass(MINUTE_MS)
  }
  group.crash()
  stage.world.store.empty()
  await group.restart()
  await stage.settle()
  assert.ok(group.delivered.includes('3'), 'what was not finished comes again')
}

/** Somebody comes who never saw a token, and finds no record: the commits say that there was one. */
async function holderLives(): Promise<void> {
  const stage = new Stage()
  const holder = await stage.group('balances')
  for (const cluster of [stage.east, stage.west]) stage.write(cluster, '1…10')
  await stage.pass(MINUTE_MS)
  stage.world.store.empty()
  const other = stage.world.createConsumer({ groupId: 'balances', name: 'another' }).start()
  await stage.pass(MINUTE_MS)
  for (const cluster of [stage.east, stage.west]) stage.write(cluster, '11…20')
  await stage.settle()
  holder.expectDelivered('1…20')
  assert.equal(other.deliveries.length, 0)
}

/** East loses the end of its log in the power failure that empties Redis, and is filled again; west is gone. */
async function tailRefilled(refill: number): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const group = await stage.group('balances', { options: { fallbackRewindMs: 0 } })
  for (const cluster of [east, west]) stage.write(cluster, '1…1500')
  await stage.pass(MINUTE_MS)
  west.kill()
  group.crash()
  stage.world.store.empty()
  east.kill()
  await stage.pass(2_000)
  // What committed it is in another log, and may have been luckier.
  east.log(stage.world.topics[0]!).truncate(1_200)
  east.restart()
  stage.write(east, `1501…${1_500 + refill}`)
  await group.restart()
  await stage.settle()
  const given = new Set(group.consumer.deliveries.map(({ text }) => Number(text)))
  for (let number = 1_501; number <= 1_500 + refill; number++) assert.ok(given.has(number), `${number} is lost`)
  assert.ok(Math.min(...given) > 100, 'no more than the margin comes again')
}

const MINUTE_MS = 60_000
