import type { FeedIndex } from '@tandem/consumer/internal'
import { expect } from 'chai'

import { interleavings } from './enumerate.js'
import { showLog, type Log, type Logs } from './log.js'
import { showTiming, timings, wrongInCase, type Timing } from './timing.js'

/**
 * Pairs of logs, and every order in which they can be read.
 *
 * Where there are too many, each two logs are met once: one of them in the east for one pair, in the west for the next.
 */
export function* pairs(all: readonly Log[], which: 'both ways' | 'one way' = 'both ways'): Generator<Logs> {
  for (const [i, east] of all.entries()) {
    for (const [j, west] of all.entries()) {
      if (which === 'both ways' || i === j || ((i + j) % 2 === 0) === i < j) yield [east, west]
    }
  }
}

export function* readings(pairs: Iterable<Logs>): Generator<[Logs, readonly FeedIndex[]]> {
  for (const logs of pairs) {
    for (const order of interleavings(logs[0].length, logs[1].length)) yield [logs, order]
  }
}

/** Each reading in one timing; they take turns, so that neighbours meet unlike ones, in the same way on every run. */
export function checkEach(pairs: Iterable<Logs>): number {
  let cases = 0
  for (const [logs, order] of readings(pairs)) {
    const all = (TIMINGS[order.length] ??= timings(order.length, [1_000, 1], 2))
    check(logs, order, all[(Math.imul(cases++, 0x9e3779b1) >>> 0) % all.length]!)
  }
  return cases
}

/** Each reading in every timing. */
export function checkAll(pairs: Iterable<Logs>): number {
  let cases = 0
  for (const [logs, order] of readings(pairs)) {
    for (const timing of timings(order.length, [1_000], 1)) {
      check(logs, order, timing)
      cases++
    }
  }
  return cases
}

const TIMINGS: Timing[][] = []

function check(logs: Logs, order: readonly FeedIndex[], timing: Timing): void {
  const wrong = wrongInCase(logs, order, timing)
  if (wrong === undefined) return
  const [east, west] = logs.map(showLog)
  expect.fail(`east ${east}, west ${west}, read ${order.join('')}, ${showTiming(timing)}: ${wrong}`)
}
