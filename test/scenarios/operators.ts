import assert from 'node:assert/strict'

import type { Fate } from '../simulation/simulated-service.js'
import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** Rows about what becomes of deliveries in the hands of `inKeyOrder`. */
export const operators: readonly Scenario[] = [
  {
    name: 'database-outage',
    against: 'a transient error counted as an attempt, or another message of its key handled meanwhile',
    play: async () => {
      const stage = new Stage()
      const database = new Database(stage)
      const group = await stage.group('balances', {
        options: { unacknowledgedMax: WINDOW },
        service: {
          handle: (text) => database.book(text),
          bury: () => ({ afterMs: 1 }),
          options: {
            concurrency: 8,
            classify: (error) => (error === UNREACHABLE ? 'transient' : undefined),
            retry: { attempts: 1 },
          },
        },
      })
      const ledger = await stage.producer('ledger')
      let most = 0
      const keys = new Map<string, string>()
      const sendFor = async (ms: number): Promise<void> => {
        for (const until = stage.world.now + ms; stage.world.now < until;) {
          for (let key = 0; key < KEYS; key++) {
            for (const { text } of ledger.queue(1, { key: `account-${key}` })) keys.set(text, `account-${key}`)
          }
          await stage.pass(250)
          most = Math.max(most, group.consumer.consumer.status().unacknowledged)
        }
      }
      await sendFor(10_000)
      database.away('hangs')
      await sendFor(60_000)
      database.away('fails')
      await sendFor(60_000)
      assert.equal(most, WINDOW, 'the window is full, and nothing beyond it is in memory')
      assert.ok(database.booked.length < keys.size - WINDOW, 'the rest waits in the logs')
      database.heal()
      await sendFor(10_000)
      await stage.settle()
      assert.deepEqual(group.consumer.service!.letters, [], 'dead letters')
      assertBooked(database.booked, keys)
      group.expectEvents('debt-opened', 0)
      assert.ok(group.events('delivery-failed').length > 0, 'failures are told of')
      assert.ok(group.events('window-stalled').length > 0, 'so is that nothing moves')
    },
  },
  {
    name: 'poisoned-key',
    against: 'a message acknowledged, or the next of its key handled, before its dead letter is kept',
    play: async () => {
      const stage = new Stage({ topics: { entries: 1, 'entries.dlq': 1 } })
      const { east, west } = stage
      const database = new Database(stage)
      const ledger = await stage.producer('ledger')
      const publisher = await stage.producer('publisher')
      const deadLetter = publisher.producer.deadLetter('entries.dlq')
      const group = await stage.group('balances', {
        options: { topics: ['entries'] },
        service: {
          handle: (text) => (text === '3' ? { afterMs: 5, error: new Error('no such account') } : database.book(text)),
          options: { concurrency: 8, classify: () => 'permanent', deadLetter },
        },
      })
      const keys = new Map<string, string>()
      const send = (key: string): void => void keys.set(ledger.queue(1, { key })[0]!.text, key)
      for (const key of ['a', 'b', 'a', 'b', 'a', 'b']) send(key)
      await stage.world.until(() => group.delivered.length === 6, 10_000)
      for (const cluster of [east, west]) cluster.hang()
      await stage.pass(60_000)
      assert.deepEqual(database.booked, ['1', '2', '4', '6'], 'the other key goes on, this one stands')
      assert.equal(group.consumer.consumer.status().unacknowledged, 2)
      assert.ok(group.events('dead-letter-failed').length > 0, 'that it cannot be published is told of')
      group.crash()
      for (const cluster of [east, west]) cluster.heal()
      await group.restart()
      await stage.settle()
      assert.deepEqual(database.booked.slice(4), ['5'])
      for (const cluster of [east, west]) {
        const letters = [...cluster.log('entries.dlq', 0)].filter(({ value }) => value !== null)
        assert.ok(letters.length > 0)
        assert.deepEqual(new Set(letters.map(({ value }) => value!.toString())), new Set(['3']))
      }
      assert.equal(group.consumer.consumer.status().unacknowledged, 0)
    },
  },
]

/** It takes what comes, in the order in which it comes; away, calls hang for a while or fail at once. */
class Database {
  readonly booked: string[] = []
  readonly #stage: Stage
  #state: 'here' | 'hangs' | 'fails' = 'here'

  constructor(stage: Stage) {
    this.#stage = stage
  }

  away(how: 'hangs' | 'fails'): void {
    this.#state = how
  }

  heal(): void {
    this.#state = 'here'
  }

  book(text: string): Fate {
    if (this.#state === 'hangs') return { afterMs: 5_000, error: UNREACHABLE }
    if (this.#state === 'fails') return { afterMs: 1, error: UNREACHABLE }
    this.#stage.world.timeline.after(5, () => this.booked.push(text))
    return { afterMs: 10 }
  }
}

/** Each message once, and those of each key in the order in which they were sent. */
function assertBooked(booked: readonly string[], keys: ReadonlyMap<string, string>): void {
  const of = (texts: Iterable<string>, key: string): string[] => [...texts].filter((text) => keys.get(text) === key)
  for (const key of new Set(keys.values())) assert.deepEqual(of(booked, key), of(keys.keys(), key), `booked of ${key}`)
}

const UNREACHABLE = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const WINDOW = 100
const KEYS = 6
