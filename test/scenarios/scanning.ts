import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

const HELD_MAX = 10

/** Rows about a feed that holds as much as it may. */
export const scanning: readonly Scenario[] = [
  {
    name: 'scan-behind',
    against: 'a feed paused at its bound though what is missing lies behind it in its own log',
    play: async () => {
      await scanBehind({ order: 'late', reads: 500 })
      await scanBehind({ order: 'late', reads: 1 })
      await scanBehind({ order: 'strict', reads: 1 })
      await scanBehindWithTheOtherAtItsEnd()
    },
  },
  {
    name: 'scan-crash',
    against: 'a resume offset beyond what was dropped while scanning',
    play: async () => {
      for (let afterMs = 0; afterMs <= 120; afterMs += 3) await scanCrash(afterMs)
      await scanWithSlowReads()
    },
  },
]

async function scanBehind({ order, reads }: { order: 'late' | 'strict'; reads: number }): Promise<void> {
  const stage = new Stage({ readRecordsMax: reads })
  stage.west.kill()
  // The first sequence of a stream waits for both clusters, with `strict` for as long as it takes.
  if (order === 'strict') stage.west.restart()
  const group = await stage.group('balances', { options: { heldMessagesMax: HELD_MAX, order } })
  stage.write(stage.east, '1')
  if (order === 'strict') await stage.pass(1_000)
  stage.west.kill()
  stage.write(stage.east, '3…60 2 61')
  let heldMax = 0
  await stage.world.until(() => {
    heldMax = Math.max(heldMax, group.consumer.consumer.status().held)
    return group.delivered.length === 61
  }, 30_000)
  group.expectDelivered('1…61')
  assert.ok(heldMax <= HELD_MAX, `held ${heldMax}`)
  assert.ok(group.events('feed-scanning').length > 0, 'it scanned')
}

/** Nothing is missing from a feed that has read all there is, so nobody waits for it. */
async function scanBehindWithTheOtherAtItsEnd(): Promise<void> {
  const stage = new Stage({ readRecordsMax: 1 })
  const group = await stage.group('balances', { options: { heldMessagesMax: HELD_MAX, order: 'strict' } })
  stage.write(stage.west, '1')
  stage.write(stage.east, '1 3…60 2 61')
  await stage.settle()
  group.expectDelivered('1…61')
}

/** What was read in one go with what delivery waited for stands far behind where the feed goes back to. */
async function scanWithSlowReads(): Promise<void> {
  const stage = new Stage({ readRecordsMax: 5, latencyMs: [20, 20] })
  const { east, west } = stage
  west.kill()
  const group = await stage.group('balances', { options: { heldMessagesMax: HELD_MAX, gapTimeoutMs: 1_000 } })
  stage.write(east, '1 3…30')
  await stage.pass(800)
  stage.write(east, '2 31…34')
  await stage.world.until(() => group.delivered.includes('2'), 1_000)
  east.slow(1_000, 'read') // there and back
  await stage.settle()
  group.expectDelivered('1…34')
}

/** Whatever it was doing: what was given before and what is given after is everything. */
async function scanCrash(afterMs: number): Promise<void> {
  const stage = new Stage({ readRecordsMax: 3, latencyMs: [1, 3], seed: afterMs })
  const { east, west } = stage
  west.kill()
  const group = await stage.group('balances', { options: { heldMessagesMax: HELD_MAX, flushIntervalMs: 10 } })
  stage.write(east, '1 3…30 v31 32…50 2 51')
  await stage.pass(afterMs)
  const before = group.delivered
  await group.restart()
  await stage.settle()
  const wanted = ['1…30', '32…51'].flatMap((run) => {
    const [first, last] = run.split('…').map(Number) as [number, number]
    return Array.from({ length: last - first + 1 }, (_, index) => String(first + index))
  })
  const given = new Set([...before, ...group.delivered])
  assert.deepEqual(
    wanted.filter((text) => !given.has(text)),
    [],
    `lost by a crash after ${afterMs} ms`,
  )
  assert.deepEqual(
    group.delivered.filter((text) => text.startsWith('late')),
    [],
    `late after a crash after ${afterMs} ms`,
  )
}
