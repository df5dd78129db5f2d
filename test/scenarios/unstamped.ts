import assert from 'node:assert/strict'

import type { Scenario } from './scenario.js'
import { Stage, type Group } from './stage.js'

/** Records of a producer that knows of one cluster only, between others, in the log that they are delivered from. */
export const unstamped: Scenario = {
  name: 'unstamped',
  against: 'records without a stamp that are lost with a crash, or come again when a feed goes back',
  play: async () => {
    await crashed()
    await soughtBack()
    await stoodStill()
  },
}

/** One of them, and one with a stamp, are in hands when the process dies. */
async function crashed(): Promise<void> {
  const stage = new Stage()
  let hangs = true
  const group = await stage.group('balances', {
    options: { unstamped: { deliver: 'east' } },
    handle: ({ text }) => (hangs && (text === 'b' || text === '2') ? 'never' : 'at-once'),
  })
  stage.write(stage.east, 'a 1 b 2 c 3 d')
  stage.write(stage.west, '1 2 3 x')
  await stage.pass(1_000)
  group.expectDeliveredInAll('1…3 a b c d')
  expectLetters(group, 'a b c d')
  hangs = false
  await group.restart()
  stage.write(stage.east, 'e')
  await stage.settle()
  group.expectDeliveredInAll('2 b e')
  expectLetters(group, 'b e')
}

/** They are delivered while the feed scans, and it goes back behind them. */
async function soughtBack(): Promise<void> {
  const stage = new Stage({ readRecordsMax: 1 })
  stage.west.kill()
  const group = await stage.group('balances', { options: { heldMessagesMax: 3, unstamped: { deliver: 'east' } } })
  stage.write(stage.east, 'a 1')
  await stage.pass(1_000)
  stage.write(stage.east, 'b 3 c 4 5 d 6 7 e 2 f 8')
  await stage.settle()
  group.expectDeliveredInAll('1…8 a b c d e f')
  expectLetters(group, 'a b c d e f')
  assert.ok(group.events('feed-sought-back').length > 0, 'it went back')
}

/** The process is stopped with a batch in hand, after which both logs are compared with what was read of them. */
async function stoodStill(): Promise<void> {
  for (let afterMs = 1; afterMs <= 10; afterMs++) {
    const stage = new Stage({ seed: afterMs })
    const group = await stage.group('balances', { options: { unstamped: { deliver: 'east' } } })
    stage.write(stage.east, 'a 1 b 2')
    stage.write(stage.west, '1 2')
    await stage.pass(1_000)
    stage.write(stage.east, 'c 3 d')
    stage.write(stage.west, '3')
    await stage.pass(afterMs)
    group.consumer.stop()
    await stage.pass(MINUTE_MS)
    group.consumer.continue()
    await stage.settle()
    group.expectDeliveredInAll('1…3 a b c d')
    expectLetters(group, 'a b c d')
    group.expectEvents('log-truncated', 0)
  }
}

const MINUTE_MS = 60_000

function expectLetters(group: Group, letters: string): void {
  assert.equal(group.delivered.filter((text) => /^[a-z]$/.test(text)).join(' '), letters)
}
