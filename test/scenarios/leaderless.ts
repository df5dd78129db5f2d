import assert from 'node:assert/strict'

import { keyRangeOf } from '@tandem/common/internal'

import type { Scenario } from './scenario.js'
import { logOf, Stage } from './stage.js'

export const leaderless: Scenario = {
  name: 'leaderless',
  against: 'a lane taken for away because of one partition',
  play: async () => {
    const stage = new Stage({ topics: { entries: PARTITIONS } })
    const { east, west } = stage
    const balances = await stage.group('balances', { partitions: PARTITIONS })
    const ledger = await stage.producer('ledger', { options: { backlogBytesMax: BACKLOG_BYTES_MAX } })
    west.leaderless('entries', 1)
    let backlogBytes = 0
    for (let second = 0; second < 120; second++) {
      for (const key of KEYS) ledger.queue(5, { key })
      await stage.pass(1_000)
      backlogBytes = Math.max(backlogBytes, ledger.producer.status().clusters['west']!.backlog.bytes)
    }
    for (const partition of [0, 2]) {
      assert.deepEqual(logOf(west, 'entries', partition), logOf(east, 'entries', partition), `partition ${partition}`)
    }
    ledger.expectEvents('circuit-opened', 1)
    ledger.expectEvents('lane-away', 0)
    ledger.expectEvents('client-discarded', 0)
    assert.ok(backlogBytes <= BACKLOG_BYTES_MAX, `the backlog grew to ${backlogBytes} bytes`)
    assert.ok(ledger.events('record-given-up').length > 0, 'the bound was reached')
    west.heal()
    await stage.settle()
    const sent = 120 * KEYS.length * 5
    balances.expectDeliveredInAll(`1…${sent}`)
    assert.equal(ledger.producer.status().clusters['west']!.backlog.records, 0)
  },
}

const PARTITIONS = 3
/** The smallest that there is. */
const BACKLOG_BYTES_MAX = 65_536

/** One key for each partition. */
const KEYS = Array.from({ length: PARTITIONS }, (_, partition) => {
  for (let i = 0; ; i++) if (keyRangeOf(Buffer.from(`key-${i}`), PARTITIONS) === partition) return `key-${i}`
})
