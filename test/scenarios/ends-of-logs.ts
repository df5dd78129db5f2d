import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** Rows about what the other log may still bring: ends that are old, slow or never reached, and our own pauses. */
export const endsOfLogs: readonly Scenario[] = [
  {
    name: 'stale-end',
    against: 'an end believed that was asked for before the hole was seen',
    play: async () => {
      await staleEndOfLiveFeed()
      await staleEndOfAwayFeed()
    },
  },
  {
    name: 'answering-but-slow',
    against: 'waiting anew for a feed that was waited for in vain',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      const group = await stage.group('balances')
      west.slow(AN_HOUR_MS, 'read')
      stage.write(west, '1:1 2:1 3:1 4:1')
      stage.write(east, '1:1 2:1')
      await stage.pass(59_000)
      group.expectDelivered()
      await stage.pass(2_000)
      group.expectDelivered('1:1 2:1')
      stage.write(east, '3:1 4:1')
      await stage.pass(1_000)
      group.expectDelivered('1:1 2:1 3:1 4:1')
      group.expectEvents('feed-discounted', 1)
      group.expectEvents('feed-away', 0)
    },
  },
  {
    name: 'paused-by-us',
    against: 'the clocks for away, gap and hole running while nothing is polled',
    play: async () => {
      const stage = new Stage()
      const { east, west } = stage
      // Two at a time, half a second each: what one batch brought takes more than a minute.
      const group = await stage.group('balances', {
        options: { unacknowledgedMax: 2 },
        handle: ({ text }) => (Number(text) <= 300 ? 500 : 'at-once'),
      })
      stage.write(east, '1…300 302')
      stage.write(west, '1…300')
      await stage.pass(30_000)
      west.slow(1_500, 'read')
      stage.write(east, '304')
      stage.write(west, '301…304')
      await stage.pass(30_000)
      assert.ok(group.delivered.length < 300, 'the window is full for more than a minute')
      await stage.settle()
      group.expectDelivered('1…304')
      group.expectEvents('debt-opened', 0)
      group.expectEvents('feed-away', 0)
    },
  },
  {
    name: 'crossed-bounds',
    against: 'a feed that is paused at its bound waited for without end',
    play: async () => {
      const stage = new Stage({ readRecordsMax: 1 }) // so that a pause comes before all has been read
      const group = await stage.group('balances', { options: { heldMessagesMax: 1 } })
      stage.write(stage.east, 'X1 X3 X4 Y2')
      stage.write(stage.west, 'Y1 Y3 Y4 X2')
      await stage.settle()
      group.expectDeliveredInAll('X1 X2 X3 X4 Y1 Y2 Y3 Y4')
    },
  },
]

async function staleEndOfLiveFeed(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const group = await stage.group('balances')
  await stage.pass(9_000) // the west's end is asked for meanwhile, as a sign of life, and seen empty
  west.slow(4_000, 'read')
  stage.write(west, '1…5')
  stage.write(east, 'v1–5 6 7')
  await stage.settle()
  group.expectDelivered('1…7')
}

async function staleEndOfAwayFeed(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const group = await stage.group('balances')
  await stage.pass(9_000)
  west.hang()
  await stage.pass(15_000)
  group.expectEvents('feed-away', 1)
  stage.write(east, 'v1–5 6 7')
  await stage.pass(1_000)
  group.expectDelivered('6 7')
  stage.write(west, '1…5')
  west.heal()
  await stage.settle()
  group.expectDelivered('6 7', 'late 1…5')
}

const AN_HOUR_MS = 3_600_000
