import { isTandemError, STAMP_HEADER } from '@tandem/common/internal'
import type { Message } from '@tandem/producer/internal'
import { expect } from 'chai'
import fc from 'fast-check'

import type { SimulatedProducer } from '../simulation/simulated-producer.js'
import { World } from '../simulation/world.js'
import { anything, inherited } from './hostile.js'
import { target } from './target.js'

/**
 * Whatever is sent is refused before it is stamped, or stands in both logs as it was given, with one stamp. The world is
 * shared by all runs, since a message is independent of the others.
 */
let connected: Promise<{ readonly world: World; readonly writer: SimulatedProducer }> | undefined

async function connect(): Promise<{ readonly world: World; readonly writer: SimulatedProducer }> {
  const world = new World({ topics: { entries: 1 } })
  const options = { topics: { entries: { messageBytesMax: 20_000 } }, acknowledge: 'both' } as const
  const writer = world.createProducer({ producerId: 'ledger', name: 'writer', options }).start()
  await world.until(() => writer.connected, 10_000)
  return { world, writer }
}

async function isSentOrRefused(message: Partial<Record<keyof Message, unknown>>): Promise<void> {
  const { world, writer } = await (connected ??= connect())
  const ends = world.clusters.map((cluster) => cluster.log('entries').end)
  const sent = writer.send('text', message as Partial<Message>)
  expect(await world.until(() => sent.closedAtMs !== undefined, 60_000), 'it comes to an end').to.equal(true)
  if (sent.error !== undefined) {
    if (!isTandemError(sent.error) || sent.error.code === 'TANDEM_INVARIANT') throw sent.error
    expect(world.clusters.map((cluster) => cluster.log('entries').end)).to.deep.equal(ends)
    return
  }
  const { key, value, headers, timestampMs } = { key: 'k', value: 'text', ...message }
  for (const [index, cluster] of world.clusters.entries()) {
    const log = cluster.log('entries')
    expect(log.end).to.equal(ends[index]! + 1)
    const record = log.at(ends[index]!)!
    expect(record.key).to.deep.equal(asBytes(key))
    expect(record.value).to.deep.equal(asBytes(value))
    if (timestampMs !== undefined) expect(record.timestampMs).to.equal(timestampMs)
    const read = record.headers
      .flatMap((one) => Object.entries(one))
      .map(([name, text]) => [name, text.toString('hex')])
    expect(read.filter(([name]) => name === STAMP_HEADER)).to.have.length(1)
    expect(read.filter(([name]) => name !== STAMP_HEADER)).to.deep.equal(asHeaders(headers))
  }
}

function asBytes(given: unknown): Buffer | null {
  return given === null || given === undefined ? null : Buffer.from(given as string | Uint8Array)
}

function asHeaders(given: unknown): string[][] {
  return Object.entries(given ?? {})
    .filter(([name]) => name !== STAMP_HEADER)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) => [name, asBytes(one)!.toString('hex')]),
    )
}

const text = fc.oneof(
  fc.string({ maxLength: 8, unit: 'grapheme' }),
  fc.string({ maxLength: 8, unit: 'binary' }),
  fc.constantFrom('', '\0', 'a\0b', '\ud800', STAMP_HEADER, '1:d:ledger:1:1:0:1:1', 'x'.repeat(30_000)),
)
const value = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 12 }),
  fc.uint8Array({ maxLength: 4 }).map((one) => Buffer.from(one)),
)
const headers = fc.oneof(
  { weight: 1, arbitrary: anything },
  {
    weight: 6,
    arbitrary: fc
      .array(fc.tuple(fc.oneof(text, inherited), fc.oneof(value, fc.array(value, { maxLength: 3 }), anything)), {
        maxLength: 3,
      })
      .map((entries) => Object.fromEntries(entries)),
  },
)
const message = fc.record(
  {
    topic: fc.oneof({ weight: 3, arbitrary: fc.constant('entries') }, { weight: 1, arbitrary: anything }),
    key: fc.oneof(value, anything),
    value: fc.oneof(value, fc.constant(null), anything),
    headers,
    timestampMs: fc.oneof(fc.integer({ min: 1 }), anything),
  },
  { requiredKeys: [] },
)

export const MESSAGES = [target('message: sent as it is, or refused', 3, fc.asyncProperty(message, isSentOrRefused))]
