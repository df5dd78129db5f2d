import assert from 'node:assert/strict'

import type { Fate } from '../simulation/simulated-service.js'
import type { Scenario } from './scenario.js'
import { Stage, type GroupOptions } from './stage.js'

/** Effects that are written in one transaction with the position of their message (examples/exactly-once). */
export const bookings: Scenario = {
  name: 'booked',
  against: 'what was booked and no flush knows of, delivered again; a booking believed under an older lease',
  play: async () => {
    await diedBeforeTheFlush()
    await stoodStill()
  },
}

/** The process dies when all is booked and nothing acknowledged. */
async function diedBeforeTheFlush(): Promise<void> {
  const stage = new Stage()
  const { east, west, world } = stage
  const group = await stage.group(
    'balances',
    booking(() => ({ afterMs: 1 })),
  )
  for (const cluster of [east, west]) stage.write(cluster, '1 2 3')
  await world.until(() => world.store.effects.length === 3, MINUTE_MS)
  group.expectDelivered('1 2 3')
  await group.restart()
  for (const cluster of [east, west]) stage.write(cluster, '4')
  await stage.settle()
  group.expectDelivered('4')
  expectEffects(stage, '1 2 3 4')
}

/** It stands still between a delivery and its booking, while another one takes the partition. */
async function stoodStill(): Promise<void> {
  const stage = new Stage()
  const { east, west } = stage
  const first = await stage.group(
    'balances',
    booking((text) => ({ afterMs: text === '2' ? 1_000 : 1 })),
  )
  for (const cluster of [east, west]) stage.write(cluster, '1 2 3')
  await stage.pass(500)
  first.consumer.stop()
  const second = await stage.group('balances', { ...booking(() => ({ afterMs: 1 })), partitions: 0 })
  await stage.settle()
  second.expectDelivered('2')
  first.consumer.continue()
  await stage.settle()
  expectEffects(stage, '1 2 3')
  assert.deepEqual(
    first.consumer.service!.handled.map(({ text, failed }) => `${text} ${failed ? 'refused' : 'booked'}`).slice(0, 2),
    ['1 booked', '2 refused'],
  )
}

function booking(handle: (text: string) => Fate): GroupOptions {
  return { service: { handle, books: true, options: { concurrency: 16 } } }
}

function expectEffects({ world }: Stage, texts: string): void {
  const effects = world.store.effects.map(({ text }) => text)
  assert.equal(effects.sort().join(' '), texts, 'each has its effect once')
}

const MINUTE_MS = 60_000
